"""`mtl-bench study`: can gains be predicted? The paper's tables, and an honest evaluation."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from mtl_bench.analysis.gains.gains import METRICS
from mtl_bench.commands.gains import add_metric, of_metric
from mtl_bench.commands.shared.definitions import sweep_folder
from mtl_bench.commands.shared.study_text import show
from mtl_bench.config.compose import conf_folder
from mtl_bench.errors import UserError
from mtl_bench.runs.sweep_folder import RunStatus, read_sweep

if TYPE_CHECKING:
    from mtl_bench.analysis.data.evidence import Evidence
    from mtl_bench.analysis.study import Study

HELP = "can gains be predicted: the paper's tables and an honest evaluation"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    parser.add_argument(
        "sweep", help="name or folder of a sweep, or `published`: the paper's own runs"
    )
    parser.add_argument("overrides", nargs="*", help="of conf/study.yaml, such as draws=200")
    parser.add_argument("--full", action="store_true", help="everything: minutes, resumable")
    add_metric(parser)
    parser.add_argument("--out", type=Path, help="folder to write to (default: <sweep>/study)")


def run(arguments: argparse.Namespace) -> None:
    """Write the study's files and print a summary, for each variant of the sweep."""
    overrides = ["study=full"] * arguments.full + arguments.overrides + of_metric(arguments)
    if arguments.sweep == "published":
        if arguments.out is None:
            raise UserError("`mtl-bench study published` needs `--out <folder>` to write to.")
        studies: Iterable[Done] = [study_published(arguments.out, overrides)]
    else:
        folder = sweep_folder(arguments.sweep)
        studies = study_sweep(folder, read_sweep(folder), overrides, arguments.out)
    for done in studies:
        show(done.study)
        print(f"\nwritten: {done.out}")


@dataclass(frozen=True)
class Done:
    """A study, where it was written, and the runs that it looked at."""

    study: Study
    out: Path
    runs: Sequence[RunStatus] = ()


def study_published(out: Path, overrides: Sequence[str] | None = None) -> Done:
    """Study the paper's runs; `overrides` None: those of the study that is there."""
    from mtl_bench.analysis.data.evidence import published_evidence  # scikit-learn: 1 s

    given, settings = _settings(out, overrides)
    if settings["metric"] != "f1":
        raise UserError(f"metric is {settings['metric']!r}; the paper's runs have f1 only.")
    return Done(_study(published_evidence(), out, given, settings), out)


def study_sweep(
    folder: Path,
    stored: Sequence[RunStatus],
    overrides: Sequence[str] | None = None,
    out: Path | None = None,
) -> Iterator[Done]:
    """Study each variant of a sweep; several have a folder each.

    Args:
        folder: of the sweep.
        stored: its runs.
        overrides: of the study; None for those of the study that is there.
        out: folder to write to, by default that of the sweep.

    Raises:
        UserError: a variant cannot be studied; the others are studied first.
    """
    from mtl_bench.analysis.data.evidence import sweep_evidence

    variants: dict[str, list[RunStatus]] = defaultdict(list)
    for each in stored:
        variants[each.run.variant].append(each)
    out = out or folder / "study"
    refused = []
    for variant, runs in variants.items():
        place = out / (variant.replace("/", ",") or "plain") if len(variants) > 1 else out
        name = f"{folder.name}, {variant}" if len(variants) > 1 else folder.name
        if not any(run.state == "finished" for run in runs):
            refused.append(f"{name}: none of its {len(runs)} runs is finished.")
            continue
        given, settings = _settings(place, overrides)
        try:
            evidence = sweep_evidence(name, folder, runs, settings["metric"])
            study = _study(evidence, place, given, settings)
        except UserError as error:
            refused.append(str(error))
            continue
        yield Done(study, place, runs)
    if refused:
        raise UserError("\n".join(refused))


def configuration(overrides: Sequence[str]) -> DictConfig:
    """Return the configuration of a study.

    Raises:
        UserError: an override names what is not there.
    """
    hydra = GlobalHydra.instance()
    around, hydra.hydra = hydra.hydra, None  # a multirun that has ended calls this with Hydra up
    try:
        with initialize_config_dir(str(conf_folder().absolute()), version_base="1.3"):
            return compose("study", list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(
            f"{str(error).splitlines()[0]}\nWhat can be set is in {conf_folder() / 'study.yaml'}; "
            "to add a key, put + before it."
        ) from None
    finally:
        GlobalHydra.instance().hydra = around


def _settings(out: Path, overrides: Sequence[str] | None) -> tuple[list[str], dict[str, Any]]:
    """Return the overrides of a study and its settings; None stands for those of the study there.

    Raises:
        UserError: an override names what is not there, or the metric is none.
    """
    from mtl_bench.analysis.study_files import settings_of

    given = settings_of(out) if overrides is None else list(overrides)
    plain: Any = OmegaConf.to_container(configuration(given), resolve=True)
    if plain["metric"] not in METRICS:
        raise UserError(f"metric is {plain['metric']!r}; it is one of {', '.join(METRICS)}.")
    return given, plain


def _study(evidence: Evidence, out: Path, given: Sequence[str], plain: dict[str, Any]) -> Study:
    """Do a study with progress, and write it."""
    from threadpoolctl import threadpool_limits  # finds libraries that are loaded: scikit-learn's

    from mtl_bench.analysis.evaluation.scoring import Plan
    from mtl_bench.analysis.predictors.predictor_file import save
    from mtl_bench.analysis.study import study
    from mtl_bench.analysis.study_files import Remembered, write

    try:
        families = {name: instantiate(each) for name, each in plain["features"].items()}
        predictors = {
            name: instantiate(each, _convert_="all") for name, each in plain["predictor"].items()
        }
    except (HydraException, TypeError, ValueError) as error:
        raise UserError(f"{str(error).splitlines()[0]}\nGiven: {' '.join(given)}") from None
    _check(plain, families.keys())
    sets = {
        name: list(dict.fromkeys(f for family in names for f in families[family].names()))
        for name, names in plain["sets"].items()
    }
    plan = Plan(sets, predictors, plain["pair_runs"], plain["draws"], plain["nested"])
    remembered = Remembered(out / ".parts", f"{plain} {evidence.fingerprint()}")
    # One thread: matrices are small, and threads that wait for a busy core only make it slower.
    with Console(stderr=True).status("study") as status, threadpool_limits(1, "blas"):

        def do(name: str, job: Callable[[], Any]) -> Any:
            status.update(f"study: {name}")
            return remembered(name, job)

        found = study(evidence, families, plan, runs=plain["runs"], early=plain["early"], do=do)
    write(found, out, given)
    if found.scores:
        final = plain["final"]
        save(
            out / "predictor.json",
            found.table.only(sets[final["set"]]),
            found.features,
            plain["predictor"][final["predictor"]],
            plain["features"],
            plain["metric"],
        )
    return found


def _check(plain: Mapping[str, Any], families: Collection[str]) -> None:
    """Raise an error if the settings of a study do not fit together, before hours are spent."""
    for key in ("runs", "pair_runs", "draws"):
        if type(plain[key]) is not int or plain[key] < 1:
            raise UserError(f"{key} is {plain[key]!r}; it is a whole number from 1.")
    if type(plain["early"]) is not bool:
        raise UserError(f"early is {plain['early']!r}; it is true or false.")
    if unknown := {n for names in plain["sets"].values() for n in names} - set(families):
        raise UserError(
            f"sets: there are no features {', '.join(sorted(unknown))}. There are: "
            f"{', '.join(sorted(families))}."
        )
    if not isinstance(plain["nested"], list) or not set(plain["nested"]) <= plain["sets"].keys():
        raise UserError(f"nested is {plain['nested']}; it is a list of {list(plain['sets'])}.")
    final = plain["final"]
    for key, group, allowed in (
        ("set", "sets", plain["sets"]),
        ("predictor", "predictor", plain["predictor"]),
    ):
        if final[key] not in allowed:
            raise UserError(f"final.{key} is '{final[key]}'; `{group}` has {', '.join(allowed)}.")
    if "all" not in plain["sets"] or "logistic" not in plain["predictor"]:
        raise UserError("`sets` needs `all`, and `predictor` needs `logistic`: rivals use them.")
