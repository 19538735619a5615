"""Regenerates the figures and tables of the docs: `make figures`.

A table stands in its page between `<!-- make figures: <name> -->` and `<!-- end -->`. All comes
from the result sets of the package and from docs/results; nothing is trained. The study of the
published runs takes half an hour the first time, and is kept in the cache.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import auxiliaries
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

from mtl_bench.analysis.data.single_runs import features_of
from mtl_bench.analysis.evaluation.agreement import agreement
from mtl_bench.analysis.evaluation.estimators import Estimate
from mtl_bench.analysis.evaluation.permutation import holm
from mtl_bench.analysis.evaluation.scoring import Score
from mtl_bench.analysis.features.gradients import CurveGradients
from mtl_bench.analysis.features.logcurve import LogCurve
from mtl_bench.analysis.gains.components import NAMES, components, seed_gains, without_each
from mtl_bench.analysis.gains.gain import signed
from mtl_bench.analysis.gains.gains import measured_gains
from mtl_bench.analysis.gains.uncertainty import pooled
from mtl_bench.analysis.measurements import Measurements
from mtl_bench.analysis.ranks import rank_correlation
from mtl_bench.analysis.study import Study
from mtl_bench.commands.shared import estimates
from mtl_bench.commands.shared.answers import evidence
from mtl_bench.commands.shared.policies import policies
from mtl_bench.commands.shared.replays import replayed
from mtl_bench.commands.shared.study_pipeline import stand_ins, study_published
from mtl_bench.paper import published
from mtl_bench.report.curves import curves
from mtl_bench.report.heatmap import heatmap
from mtl_bench.report.reliability import reliability_curve
from mtl_bench.report.style import Drawing
from mtl_bench.runs.result_sets import packaged

DOCS = Path(__file__).parent
FIGURES, RESULTS = DOCS / "figures", DOCS / "results"
BLOCK = r"(<!-- make figures: {} -->\n).*?(<!-- end -->)"

ALL_PAIRS = 90  # of the ten tasks, which tables of all result sets are of
SHOWN = {
    "pairs": ("all pairs, majority", "main task, majority"),
    "unseen_main": ("aux task, mean gain", "aux task, size"),
}
"""Baselines of a table, by what is held out."""


@cache
def study() -> Study:
    """Return the full study of the published runs."""
    with TemporaryDirectory() as folder:
        return study_published(Path(folder), ["study=full"]).study


@cache
def measured(name: str) -> Measurements:
    """Return the measurements of a result set."""
    return estimates.measured(name)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def row_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose first row is its header."""
    return table(rows[0], rows[1:])


def interval(score: Score, metric: str) -> str:
    """Return a value with its interval."""
    value, low, high = (of.get(metric, np.nan) for of in (score.values, score.low, score.high))
    ends = f" ({low:.2f} to {high:.2f})" if np.isfinite([low, high]).all() else ""
    return f"{value:.2f}{ends}"


def p_of(score: Score, metric: str) -> str:
    """Return the p-value with the corrected one behind it."""
    if metric not in score.p:
        return ""
    return p_text(score.p[metric], score.p_corrected[metric])


def p_text(p: float, corrected: float) -> str:
    """Return a p-value with the corrected one behind it."""
    return f"{p:.3f} / " + (f"{corrected:.2f}" if corrected >= 0.1 else f"{corrected:.3f}")


def scores_table(held_out: str) -> str:
    """Return the scores of the paper's predictor beside baselines."""
    metric = "accuracy" if held_out == "pairs" else "spearman"
    rows = []
    for score in study().scores:
        baseline = f"{score.features}, {score.model}" in SHOWN[held_out]
        if score.held_out != held_out or not (baseline or score.model == "logistic"):
            continue
        name = score.features if score.model == "logistic" else f"{score.features}: {score.model}"
        others = (
            [f"{score.values['f1']:.2f}"]
            if held_out == "pairs"
            else [f"{score.values['top_gain']:+.1f} %", f"{score.values['regret']:.1f}"]
        )
        rows.append([name, interval(score, metric), *others, p_of(score, metric)])
    others = ["F1"] if held_out == "pairs" else ["gain of the pick", "regret"]
    title = "accuracy" if held_out == "pairs" else "rank correlation"
    return table(["features", title, *others, "p / corrected"], rows)


def learners() -> str:
    """Return every predictor with every set of features, with p-values."""
    rows = []
    for features in study().settings.sets:
        for model in study().settings.predictors:
            own = {
                score.held_out: score
                for score in study().scores
                if (score.features, score.model) == (features, model) and score.p
            }
            if not own:
                continue
            seen, new = own["pairs"], own["unseen_main"]
            rows.append(
                [
                    features,
                    model,
                    f"{seen.values['accuracy']:.2f}",
                    p_of(seen, "accuracy"),
                    f"{new.values['auc']:.2f}",
                    p_of(new, "auc"),
                    f"{new.values['spearman']:.2f}",
                    p_of(new, "spearman"),
                ]
            )
    names = ["features", "predictor", "accuracy, pairs", "p", "AUC, new task", "p"]
    return table([*names, "rank correlation, new task", "p"], rows)


def early() -> str:
    """Return the scores of parts of the runs, with what they cost."""
    rows = []
    for each in study().early:
        values = each.score.values
        ranked = each.runs == "pilot pairs" or each.score.held_out == "unseen_main"
        if not ranked:
            continue
        rows.append(
            [
                f"{each.percent} % of {each.runs}",
                f"{each.cost:.1f} %",
                f"{each.learning_cost:.0f} %",
                f"{values['spearman']:.2f}",
                f"{values['top_gain']:+.1f} %",
                f"{values['regret']:.1f}",
            ]
        )
    names = ["runs", "their steps", "steps of runs learned from", "rank correlation"]
    return table([*names, "gain of the pick", "regret"], rows)


def sets() -> list[str]:
    """Return the result sets of our own gains: those of all pairs of the ten tasks."""
    names = [name for name in packaged() if name not in auxiliaries.SETS]
    return [name for name in names if len(measured(name).gains) == ALL_PAIRS]


def matrix(name: str) -> str:
    """Return the gains of a result set, rows main tasks; those shown to help or hurt in bold."""
    gains = {(gain.main, gain.aux): gain for gain in measured(name).gains}
    tasks = sorted({main for main, _ in gains})
    rows = []
    for main in tasks:
        cells = []
        for aux in tasks:
            gain = gains.get((main, aux))
            text = signed(gain.gain_percent) if gain else ""
            cells.append(f"**{text}**" if gain and gain.clear else text)
        own = [gain for pair, gain in gains.items() if pair[0] == main]
        least = [gain.detectable for gain in own if gain.detectable is not None]
        rows.append([main, *cells, f"{np.median(least):.1f}" if least else ""])
    return table(["main \\ aux", *tasks, "detectable"], rows)


def effects() -> str:
    """Return how many gains are shown to be there, by result set."""
    rows = []
    for name in ("published", *sets()):
        gains = measured(name).gains
        counts = [sum(g.effect == e for g in gains) for e in ("helps", "hurts", "undecided")]
        means = pd.Series([g.gain_percent for g in gains]).groupby([g.main for g in gains]).mean()
        seeds = " or ".join(map(str, sorted({gain.seeds for gain in gains})))
        size = np.median([abs(gain.gain_percent) for gain in gains])
        row = [name, f"{measured(name).budget:,.0f}", seeds, str(len(gains))]
        rows.append([*row, *map(str, counts), f"{means.mean():+.2f} %", f"{size:.2f} %"])
    names = ["runs", "steps per task", "seeds", "pairs", "help", "hurt", "undecided"]
    return table([*names, "mean gain", "median size"], rows)


def alone() -> str:
    """Return the F1 of single runs of each result set."""
    names = ["published", *sets()]
    cells: dict[str, dict[str, str]] = {}
    for name in names:
        values = measured(name).values
        own = values[
            (values["tasks"] == values["task"]) & (values["metric"] == "f1") & values["final"]
        ]
        for task, scores in own.groupby("task")["value"]:
            spread = f" ({100 * scores.std():.1f})" if len(scores) > 1 else ""
            cells.setdefault(str(task), {})[name] = f"{100 * scores.mean():.1f}{spread}"
    rows = [[task, *(of.get(name, "") for name in names)] for task, of in sorted(cells.items())]
    return table(["task", *names], rows)


def component_table() -> str:
    """Return the variance components of each result set with several seeds."""
    rows = []
    for name in sets():
        gains = seed_gains(measured(name))
        if not (own := components(gains)):
            continue
        others = without_each(gains)
        for component in NAMES:
            ends = f"{own.low[component]:.0%} to {own.high[component]:.0%}"
            by_task = sorted((shares[component], task) for task, shares in others.items())
            (low, lowest), (high, highest) = by_task[0], by_task[-1]
            text = f"{low:.0%} ({lowest}) to {high:.0%} ({highest})"
            rows.append([name, component, f"{own.share[component]:.0%} ({ends})", text])
    return table(["runs", "component", "share", "with one main task left out"], rows)


def at_budget(name: str, budget: float, runs: str = "seed >= 0") -> Measurements:
    """Return a result set with the gains of some runs at a budget."""
    values = measured(name).values.query(runs)
    return replace(measured(name), all_gains=measured_gains(values, measured(name).metrics, budget))


PAPERS_MODEL = ("eacl2017", "eacl2017_long")
"""Result sets of the paper's model, by their steps."""


def agreements() -> str:
    """Return the rank correlations of gains between result sets."""
    every = {name: measured(name) for name in ("published", *sets())}
    pairs = [pair for pair in combinations(every, 2) if pair != PAPERS_MODEL]
    # Gains change with the steps, so that those of the paper's model are compared at as many, too.
    for name in PAPERS_MODEL:
        early = f"published at {every[name].budget:,.0f} steps"
        every[early] = at_budget("published", every[name].budget)
        pairs += [(early, name), (early, "published")]
    # Seed 0 is the same runs in both.
    one, other = PAPERS_MODEL
    rest = f"{one} without seed 0"
    every[rest] = at_budget(one, every[one].budget, "seed != 0")
    pairs.append((rest, other))
    labels = {
        name: {(gain.main, gain.aux): gain.label for gain in each.gains}
        for name, each in every.items()
    }
    results = [agreement(labels[one], labels[other]) for one, other in pairs]
    rows = []
    corrected = holm([result.p for result in results])
    for names, result, p in zip(pairs, results, corrected, strict=True):
        low, high = result.interval
        rows.append(
            [
                ", ".join(names),
                str(result.pairs),
                f"{result.over_all:+.2f} ({low:+.2f} to {high:+.2f})",
                p_text(result.p, p),
                f"{result.within_mains:+.2f} ± {result.width:.2f}",
            ]
        )
    header = ["runs", "pairs", "rank correlation", "p / corrected", "within main tasks"]
    return table(header, rows)


ESTIMATED = ("contextual", "eacl2017")
"""Result sets whose pairs were estimated."""


def estimated(name: str) -> list[Estimate]:
    """Return what estimators said of the pairs of a result set."""
    return estimates.read(RESULTS / f"estimates_{name}.csv")


def estimator_table(name: str) -> str:
    """Return how well estimators agree with the gains of a result set."""
    rows, notes = estimates.score_rows(estimated(name), measured(name))
    text = table(list(rows[0]), [[str(cell) for cell in row.values()] for row in rows])
    return f"{text}\n\n{'; '.join((notes[0], *notes[len(estimates.NOTES) + 1 :]))}."


EFFECTS = (0.2, 0.4)
"""Rank correlations, or differences of two of them."""


def main_tasks_needed() -> str:
    """Return how many main tasks would show how well an estimator ranks auxiliaries.

    From the standard deviation over main tasks of its rank correlation, median over estimators, and
    of the difference of two estimators, median over all two: the smallest number with which a
    two-sided t test at 5 % has a power of 0.8.
    """
    rows = []
    for name in ESTIMATED:
        pairs, scores = estimates.scores(estimated(name), measured(name))
        names = {each.name for each in estimated(name)}
        own = [np.array(s.correlations) for s in scores if s.estimate.name in names]
        differences = [one - other for one, other in combinations(own, 2)]
        for what, values in (("one", own), ("two", differences)):
            spread = float(np.median([each.std(ddof=1) for each in values]))
            numbers = [str(values_needed(effect / spread)) for effect in EFFECTS]
            rows.append([name, str(len(pairs.tasks())), what, f"{spread:.2f}", *numbers])
    header = ["runs", "main tasks here", "estimators", "standard deviation"]
    return table([*header, *(f"main tasks for {effect}" for effect in EFFECTS)], rows)


def values_needed(effect: float) -> int:
    """Return how many values a two-sided t test at 5 % takes for a power of 0.8.

    Args:
        effect: mean of the values, in their standard deviations.
    """
    for count in range(2, 100_000):
        limit, shift = stats.t.ppf(0.975, count - 1), effect * np.sqrt(count)
        if stats.nct.sf(limit, count - 1, shift) > 0.8:  # the other tail is nothing here
            return count
    raise ValueError(f"an effect of {effect} takes more than 100,000 values")


def seeds_needed() -> str:
    """Return how many seeds would show a gain of one percent, by main task.

    From the standard deviation over seeds, pooled over auxiliaries, and its 95 % interval: those of
    a t test of one pair by itself, see `values_needed`.
    """
    rows = []
    for name in sets():
        gains = measured(name).gains
        for task in sorted({gain.main for gain in gains}):
            deviation, degrees = pooled([gain for gain in gains if gain.main == task])
            if not deviation:
                continue
            ends = deviation * np.sqrt(degrees / stats.chi2.ppf((0.975, 0.025), degrees))
            numbers = [str(values_needed(1 / each)) for each in (deviation, *ends)]
            text = "{} ({} to {})".format(*numbers)
            rows.append([name, task, f"{deviation:.2f} %", text])
    return table(["runs", "main task", "standard deviation", "seeds"], rows)


def f1_here() -> str:
    """Return the F1 of single runs beside the paper's: Table 1's last column."""
    rows = sorted(row for name in PAPERS_MODEL for row in f1_rows(name))
    names = ["task", "printed", "published at as many steps", "here", "seeds", "steps"]
    return table(names, [[task, *others, f"{steps:,.0f}"] for task, steps, *others in rows])


def f1_rows(name: str) -> Iterator[tuple[str, float, *tuple[str, ...]]]:
    """Yield task, steps, F1 printed, published and here, and seeds of a result set."""
    printed, curves = published.table1(), published.f1_curves()
    names = stand_ins(measured(name).metrics)
    values = measured(name).values
    own = values[(values["tasks"] == values["task"]) & (values["metric"] == "f1")]
    for task, of_task in own.groupby("task"):
        paper = names.get(str(task), str(task))
        late = of_task[~of_task["final"]].groupby("seed")["value"].apply(lambda s: s[-5:].mean())
        budget = float(of_task["budget"].max())
        steps, scores = curves[paper, paper]
        then = scores[(steps > 0.9 * budget) & (steps <= budget)]
        spread = f" ± {100 * late.std():.1f}" if len(late) > 1 else ""
        yield (
            str(task),
            budget,
            f"{printed[paper]['f1']:.1f}",
            f"{100 * float(then.mean()):.1f}",
            f"{100 * late.mean():.1f}{spread}",
            str(len(late)),
        )


STEPS = (1000, 2000, 5000, 10_000)
"""At which training losses are compared."""


def losses() -> str:
    """Return training losses over words and over positions, beside the published ones."""
    rows = []
    runs = {name: measured(name).single_runs() for name in LOSSES}
    for task, (steps, values) in sorted(published.loss_curves().items()):
        cells = [_losses_at(steps, values)]
        for name in LOSSES:
            own = [(run.steps, run.losses) for run in runs[name] if run.task == task]
            # Those of all seeds together: their steps are the same.
            cells.append(_losses_at(*map(np.concatenate, zip(*own, strict=True))) if own else "")
        if any(cells[1:]):
            rows.append([task, *cells])
    header = ["task", "published", "here, loss over words", "here, loss over positions"]
    return table(header, rows)


LOSSES = ("eacl2017", "eacl2017_released")


def loss_gains() -> str:
    """Return the gains of the pairs that were trained with either loss."""
    words, positions = ({(g.main, g.aux): g for g in measured(name).gains} for name in LOSSES)
    rows = []
    for main, aux in sorted(words.keys() & positions.keys()):
        cells = [
            f"{signed(of[main, aux].label)} ({of[main, aux].seeds})" for of in (words, positions)
        ]
        rows.append([main, aux, *cells])
    return table(["main", "aux", "loss over words", "loss over positions"], rows)


def curve_features() -> str:
    """Return how features of loss curves agree between the two losses, over tasks."""
    features = [features_of(measured(name).single_runs(), FAMILIES) for name in LOSSES]
    tasks = sorted(features[0].keys() & features[1].keys())
    rows = []
    for name in (name for family in FAMILIES.values() for name in family.names()):
        one, other = (np.array([of[task][name] for task in tasks]) for of in features)
        rows.append([name, f"{rank_correlation(one, other):+.2f}"])
    return table([f"feature, {len(tasks)} tasks", "rank correlation"], rows)


FAMILIES = {
    "slopes": CurveGradients([10, 20, 30, 50, 70], 5, "slope"),
    "shift": LogCurve(identifiable=True),
}


def _losses_at(steps: np.ndarray, values: np.ndarray) -> str:
    """Return mean losses of 500 steps around each of STEPS, in nats."""
    near = [np.abs(steps - at) <= 250 for at in STEPS]
    return " / ".join(f"{values[mask].mean():.2f}" if mask.any() else "-" for mask in near)


REPLAYS = (
    (0.25, True, ("value", "halving_model", "record_top")),
    (0.45, False, ("value", "halving_model", "halving", "pilots", "random", "exhaustive")),
)
"""Budget, whether other main tasks are known, policies; only `value` looks at the budget."""


def replays(name: str) -> str:
    """Return the replay of policies on a result set."""
    rows = []
    for budget, record, names in REPLAYS:
        for result, _ in replayed(evidence(name), policies(names), budget, record)[1]:
            values = [result[key] for key in ("decision_gain", "regret", "cost")]
            text = ["-" if value is None else f"{value:.2f}" for value in values]
            text[0] += f" ± {result['decision_gain_width']:.2f}"
            cover = "" if result["coverage"] is None else f"{result['coverage']:.0%}"
            policy = result["policy"]
            title = f"value, budget {budget:.2f}" if policy == "value" else policy
            rows.append([title, "yes" if record else "no", *text, cover])
    names_ = ["policy", "record used", "decision gain, %", "regret, %", "cost"]
    return table([*names_, "80 % intervals cover"], rows)


def blocks() -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yield page, name, and what makes the text of each block."""
    yield "evaluation.md", "pairs", lambda: scores_table("pairs")
    yield "evaluation.md", "unseen_main", lambda: scores_table("unseen_main")
    yield "evaluation.md", "learners", learners
    yield "evaluation.md", "early", early
    yield "gains.md", "effects", effects
    yield "gains.md", "alone", alone
    yield "gains.md", "components", component_table
    yield "gains.md", "agreement", agreements
    for name in sets():
        yield "gains.md", f"matrix {name}", lambda name=name: matrix(name)
    for name in ESTIMATED:
        yield "gains.md", f"estimators {name}", lambda name=name: estimator_table(name)
    yield "gains.md", "main tasks needed", main_tasks_needed
    yield "gains.md", "seeds needed", seeds_needed
    yield "fidelity.md", "f1", f1_here
    yield "fidelity.md", "losses", losses
    yield "fidelity.md", "loss gains", loss_gains
    yield "fidelity.md", "curve features", curve_features
    for name, rows in (
        ("auxiliary_kinds", auxiliaries.kinds),
        ("task_options", auxiliaries.options),
        ("private layers", auxiliaries.layers),
        ("decodings", auxiliaries.decodings),
        ("tuned", auxiliaries.tuned),
    ):
        yield "auxiliaries.md", name, lambda rows=rows: row_table(auxiliaries.as_text(rows()))
    for name in ("published", *ESTIMATED):
        yield "recommend.md", f"replay {name}", lambda name=name: replays(name)


def figures() -> None:
    """Draw the figures."""
    for name in sets():
        draw(f"gains_{name}", heatmap(measured(name)))
    draw("curves_mwe", curves(measured("eacl2017"), "mwe"))
    for name in ("published", *ESTIMATED):
        _, results = replayed(evidence(name), policies(["value"]), 0.45, False)
        draw(f"reliability_{name}", reliability_curve("value", results[0][1]))


def draw(name: str, drawing: Drawing) -> None:
    """Write a figure; without a date and random names, so that the same is the same file."""
    file = FIGURES / f"{name}.svg"
    with plt.rc_context({"svg.hashsalt": name}):
        drawing.figure.savefig(file, bbox_inches="tight", metadata={"Date": None})
    print(f"written: docs/figures/{file.name}")


def main() -> None:
    """Replace the blocks of all pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="names of blocks, or `figures` (default: all)")
    only = parser.parse_args().only
    if absent := sorted({*only} - {"figures", *(name for _, name, _ in blocks())}):
        parser.error(f"there is no block {', '.join(absent)}")
    for page, name, make in blocks():
        file = DOCS / page
        text = file.read_text("utf-8")
        pattern = re.compile(BLOCK.format(re.escape(name)), re.DOTALL)
        if only and name not in only:
            continue
        if not pattern.search(text):
            print(f"docs/{page} has no place for `{name}`")
            continue
        new = make()
        file.write_text(pattern.sub(lambda m, new=new: f"{m[1]}\n{new}\n\n{m[2]}", text), "utf-8")
        print(f"written: docs/{page}, {name}")
    if not only or "figures" in only:
        figures()


if __name__ == "__main__":
    main()
