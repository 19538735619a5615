"""The model of gains, policies and their replay: on curves of known gains, and the published ones."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_bench.__main__ import main
from mtl_bench.analysis.recommend.decisions import outlook
from mtl_bench.analysis.recommend.evidence import noise_of, observed
from mtl_bench.analysis.recommend.model import posterior
from mtl_bench.analysis.recommend.observations import Curve, SweepCurves, sweep_curves
from mtl_bench.analysis.recommend.policies.base import Extension, Limits, State
from mtl_bench.analysis.recommend.policies.halving import Halving
from mtl_bench.analysis.recommend.policies.value import Value
from mtl_bench.analysis.recommend.prior import priors
from mtl_bench.analysis.recommend.recommendation import recommend
from mtl_bench.analysis.recommend.replay import replay, summary
from mtl_bench.analysis.recommend.settings import Candidate, Noise, Settings
from mtl_bench.analysis.recommend.synthetic import SyntheticCurves, World
from mtl_bench.commands.shared.answers import evidence
from mtl_bench.commands.shared.policies import policies
from mtl_bench.commands.shared.replays import replayed
from mtl_bench.errors import UserError
from mtl_bench.paper.published_runs import F1, published_measurements
from tests.unit.analysis.sweeps import write_run

UNINFORMED = Settings(beta=0.0)


def test_an_observation_at_the_end_without_noise_is_the_gain():
    candidates = [Candidate("a", 1.0, 3.0, 1), Candidate("b")]
    known = posterior(candidates, Noise(1e-4, 1e-4))
    assert known.mean[0] == pytest.approx(3, abs=0.01)
    said = outlook(known)
    assert said.helps[0] == 1
    assert 0.3 < said.helps[1] < 1  # other gains of the main task say a little
    assert said.low[1] < 0 < said.high[1]


def test_the_posterior_is_that_of_conditioning_a_gaussian():
    tau, z, nu, noise = 2.0, 0.5, 1.5, Noise(0.3, 0.4)
    one = replace(UNINFORMED, spreads=(tau,), widths=(z,), mean_sd=nu)
    candidates = [Candidate("a", 0.5, 4.0, 1), Candidate("b"), Candidate("c", 0.2, -3.0, 1)]
    seen = [0, 2]
    squares = np.array([one.deviation(0.5) ** 2, one.deviation(0.2) ** 2])
    scale = (1 + squares) ** (z / 2)
    prior = tau**2 * np.eye(3) + nu**2
    walks = tau**2 * np.diag(squares) + nu**2 * np.minimum(squares[:, None], squares)
    noises = (0.3**2 * np.eye(2) + 0.4**2) / np.outer(scale, scale)
    gain = prior[:, seen] @ np.linalg.inv(prior[np.ix_(seen, seen)] + walks + noises)
    known = posterior(candidates, noise, one)
    covariance = prior - gain @ prior[seen]
    np.testing.assert_allclose(known.mean, gain @ (np.array([4.0, -3.0]) / scale))
    np.testing.assert_allclose(known.covariance, covariance, rtol=1e-6)
    np.testing.assert_allclose(np.cov(known.draws(100_000).T), covariance, atol=0.1)


def test_gains_that_all_fall_behind_at_first_are_taken_for_the_single_runs():
    together = posterior([Candidate(n, 0.2, -9.0, 1) for n in "abcdef"], Noise(), UNINFORMED)
    single_known = replace(UNINFORMED, single=0.0)
    alone = posterior([Candidate(n, 0.2, -9.0, 1) for n in "abcdef"], Noise(), single_known)
    assert alone.mean.max() < together.mean.max() < 0


def test_a_record_moves_the_candidates_that_it_praises():
    known = posterior([Candidate("a", prior=1.5), Candidate("b", prior=-1.5)], Noise())
    assert known.mean[0] > 0 > known.mean[1]


@settings(max_examples=30, deadline=None)
@given(st.floats(0.05, 1), st.floats(0.05, 1))
def test_later_gains_are_closer_to_the_late_one(a, b):
    first, second = sorted((a, b))
    assert Settings().deviation(second) <= Settings().deviation(first) + 1e-9


def test_intervals_cover_what_they_say_on_curves_of_the_model():
    covered = []
    for seed in range(25):
        curves = SyntheticCurves(World(8, noise=0.7), seed)
        candidates = [
            Candidate(name, share, curves.gain(name, share, 1), 1)
            for name, share in zip(curves.candidates, np.tile([0.2, 0.5, 0.7, 1.0], 2), strict=True)
        ]
        said = outlook(posterior(candidates, Noise(0.5, 0.5), UNINFORMED))
        covered.append((said.low <= curves.late) & (curves.late <= said.high))
    assert 0.72 < np.mean(covered) < 0.9


def test_priors_leave_out_the_main_task_in_either_role():
    record = {("m", "a"): 99.0, ("x", "m"): 50.0, ("x", "a"): 2.0, ("x", "b"): -2.0}
    prior = priors(record, "m", ["a", "b", "c"])
    assert prior == pytest.approx({"a": 1.0, "b": -1.0, "c": 0.0})
    assert priors({}, "m", ["a"]) == {"a": 0.0}


@pytest.mark.parametrize("name", ["published", "contextual", "eacl2017"])
def test_priors_are_the_same_however_few_candidates_are_asked_for(name):
    record = evidence(name).gains()
    for task in sorted({task for task, _ in record}):
        names = sorted({aux for other, aux in record if other == task})
        every = priors(record, task, names)
        assert np.std(list(every.values())) == pytest.approx(1)
        for pair in itertools.combinations(names, 2):
            assert priors(record, task, pair) == {name: every[name] for name in pair}


def test_priors_of_means_that_cancel_are_small():
    record = {("x", "a"): 1.0, ("x", "b"): 0.7, ("y", "a"): 0.1, ("y", "b"): 0.3}
    record[("z", "a")] = 5.0  # nothing to compare with
    assert priors(record, "m", ["a", "b"]) == pytest.approx({"a": 0, "b": 0}, abs=1e-9)


def test_a_window_ends_at_its_share_and_the_end_is_the_late_mean():
    curve = Curve(np.arange(10.0, 101, 10), np.arange(10.0), 100)
    assert curve.window(50) == 3.5  # evaluations at 40 and 50
    assert curve.late() == 8  # the last five, but not those before the last 20 percent
    many = Curve(np.arange(1.0, 201), np.arange(200.0), 200)
    assert many.late() == np.mean(np.arange(192, 200))  # 4 percent
    assert np.isnan(Curve(np.array([10.0]), np.array([1.0]), 10).window(100))


def test_noise_is_told_apart_by_seeds():
    random = np.random.default_rng(0)
    budgets = np.arange(10.0, 101, 10)
    alone = {seed: Curve(budgets, np.full(10, 50.0), 100) for seed in range(40)}
    shared = random.normal(0, 1.0, 40)
    beside = {
        str(n): {
            s: Curve(budgets, np.full(10, 50 + shared[s] + random.normal(0, 0.25)), 100)
            for s in alone
        }
        for n in range(6)
    }
    noise = noise_of(SweepCurves("m", 100, 1, alone, beside))
    assert noise.shared == pytest.approx(2, rel=0.3)  # percent of 50
    assert noise.own == pytest.approx(0.5, rel=0.2)


def curve_of(score, end=100):
    return Curve(np.arange(10.0, end + 1, 10), np.full(end // 10, float(score)), end)


def test_the_noise_of_one_candidate_with_several_seeds_is_that_of_its_seeds():
    alone = dict.fromkeys(range(3), curve_of(0.5))
    one = {seed: curve_of(score) for seed, score in enumerate((0.6, 0.4, 0.65))}
    curves = SweepCurves("m", 100, 1, alone, {"b": one})
    noise = noise_of(curves)
    assert noise.source == "seeds"
    assert noise.of_gain > 10  # the gains are 20, -20 and 30 percent
    [row] = recommend(curves, F1, {}).rows
    assert row.low < 0 < row.high


def test_candidates_with_other_seeds_do_not_hide_those_that_share_some():
    alone = dict.fromkeys(range(4), curve_of(0.5))
    pairs = {"a": {0: curve_of(0.5), 1: curve_of(0.6)}, "b": {0: curve_of(0.51), 1: curve_of(0.6)}}
    curves = SweepCurves("m", 100, 1, alone, pairs)
    others = {"c": {2: curve_of(0.5), 3: curve_of(0.9)}, "d": {1: curve_of(0.3)}}
    noise = noise_of(replace(curves, beside=pairs | others))
    assert noise.shared == pytest.approx(noise_of(curves).shared, rel=0.1)
    assert noise.shared > 5 * noise.own


def test_gains_are_of_the_seeds_that_are_trained_as_far():
    alone = dict.fromkeys(range(3), curve_of(0.5))
    pairs = {0: curve_of(0.51), 1: curve_of(0.4, 80), 2: curve_of(0.4, 90)}
    curves = SweepCurves("m", 100, 1, alone, {"b": pairs})
    assert curves.gains("b", 1.0) == pytest.approx({0: 2})
    assert curves.gains("b", 0.8) == pytest.approx({0: 2, 1: -20, 2: -20})
    [candidate] = observed(curves, ["b"], {})
    assert (candidate.share, candidate.seeds) == (1, 1)


def test_the_score_alone_is_of_the_longest_runs():
    curves = SweepCurves("m", 100, 1, {0: curve_of(0.4), 1: curve_of(0.1, 20)}, {"b": {}})
    assert curves.score_alone() == pytest.approx(0.4)
    assert curves.trained == 100


def test_a_gain_of_a_score_that_still_grows_is_none_until_it_has_reached_half():
    rising = Curve(np.arange(10.0, 101, 10), np.arange(0.05, 0.51, 0.05), 100)
    curves = SweepCurves("m", 100, 1, {0: rising}, {"b": {0: rising}}, least=0.05)
    assert curves.gain("b", 0.3, 1, single=0.3) == 0
    assert np.isnan(curves.gain("b", 0.3, 1))  # of 0.15 and 0.5
    assert np.isnan(curves.gain("b", 0.3, 1, single=0.8))


def test_intervals_hold_the_gains_of_candidates_with_different_numbers_of_seeds():
    random, seeds = np.random.default_rng(0), np.array([3, 1, 1, 1, 1])
    covered = []
    for _ in range(200):
        gains = random.normal(0, 3) + random.normal(0, 2, 5)
        shared = np.cumsum(random.normal(0, 1.5, 3)) / np.arange(1, 4)
        seen = gains + random.normal(0, 1.5, 5) / np.sqrt(seeds) + shared[seeds - 1]
        candidates = [Candidate(str(n), 1.0, gain, int(seeds[n])) for n, gain in enumerate(seen)]
        said = outlook(posterior(candidates, Noise(1.5, 1.5), UNINFORMED))
        covered.append((said.low <= gains) & (gains <= said.high))
    assert 0.77 < np.mean(covered) < 0.85


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_curve_that_is_not_finite_is_not_taken_for_one(broken):
    pairs = {"b": {0: curve_of(0.6)}, "c": {0: curve_of(broken)}}
    answer = recommend(SweepCurves("m", 100, 1, {0: curve_of(0.5)}, pairs), F1, {})
    assert answer.choice == "b"
    with pytest.raises(UserError, match="nothing can be said of gains"):
        recommend(SweepCurves("m", 100, 1, {0: curve_of(broken)}, pairs), F1, {})


def test_a_failed_seed_does_not_take_the_others_away(tmp_path):
    for tasks, final in ((["a"], 0.5), (["a", "b"], 0.6)):
        write_run(tmp_path, tasks, dict.fromkeys(tasks, final))
    own = evidence(str(tmp_path))
    pair = next(status for status in own.statuses if status.run.tasks == ("a", "b"))
    other = replace(pair.run, folder="a+b/seed1", seed=1)
    failed = replace(pair, run=other, state="failed", record=None)
    assert replace(own, statuses=[*own.statuses, failed]).failed("a") == []
    assert replace(own, statuses=[failed], values=own.values[:0]).failed("a") == ["b"]


def test_a_cost_counts_pairs_twice_and_the_single_run_once():
    state = State((Candidate("a"), Candidate("b", 0.5, 1.0, 1)), single=0.5)
    assert state.cost([Extension(1, 1.0)]) == pytest.approx((2 * 0.5 + 0.5) / 5)
    assert state.cost([Extension(0, 0.5)]) == pytest.approx(1 / 5)


def test_a_set_costs_its_tasks_and_counts_where_there_is_nothing_else():
    state = State((Candidate("a"), Candidate("a+b")))
    assert state.cost([Extension(1, 1.0)]) == pytest.approx((3 + 1) / 3)
    assert State((Candidate("a+b"),)).cost([Extension(0, 1.0)]) == pytest.approx(1)


def test_halving_does_not_keep_what_has_no_gain():
    gains = (1.0, np.nan, 5.0, 3.0)
    state = State(tuple(Candidate(n, 0.2, g, 1) for n, g in zip("abcd", gains, strict=True)))
    assert Halving((0.2, 0.4)).next(state) == [Extension(2, 0.4), Extension(3, 0.4)]


def test_halving_keeps_to_whom_it_chose():
    state = State(
        (Candidate("a", 0.4, -5.0, 1), Candidate("b", 0.2, 9.0, 1), Candidate("c", 0.2, 1, 1))
    )
    assert Halving((0.2, 0.4, 1.0)).next(state) == [Extension(0, 1.0)]


def test_halving_counts_the_steps_at_which_runs_are_evaluated():
    seen = zip("abcd", (1.0, 0.43, 0.2, 0.2), (-5.0, 9.0, -6.0, -6.0), strict=True)
    candidates = tuple(Candidate(name, share, gain, 1) for name, share, gain in seen)
    state = State(candidates, evaluated=(0.2, 0.43, 1.0))
    assert Halving((0.2, 0.4, 1.0)).next(state) == []


def test_the_default_stops_within_its_budget_and_when_it_is_sure():
    state = State(tuple(Candidate(name) for name in "abcd"), limits=Limits(0.03))
    assert Value().next(state) == []  # nothing can be paid for
    sure = tuple(Candidate(n, 1.0, g, 3) for n, g in zip("ab", (9.0, -9.0), strict=True))
    assert Value().next(State(sure, noise=Noise(0.1, 0.1))) == []


@pytest.mark.parametrize("name", policies())
def test_every_policy_ends_and_pays_for_what_it_sees(name):
    (policy,) = policies([name]).values()
    curves = SyntheticCurves(World(6), 1)
    one = replay(policy, curves, curves.late, {}, Limits(1.0), Noise(), UNINFORMED)
    assert 0 <= one.cost <= 1 + 1e-9
    assert one.regret >= 0
    assert one.choice is None or one.choice.startswith("aux")
    json.dumps(summary(name, [one], default=False), allow_nan=False)


def published():
    measured = published_measurements()
    curves = sweep_curves(measured.values, measured.metrics, measured.budget)
    record = {(m, a): own.gain(a, 1.0, 9) for m, own in curves.items() for a in own.candidates}
    return curves, record


def test_the_default_on_the_published_runs():
    for known, budget, least in ((True, 0.25, 5.2), (False, 0.45, 4.5)):
        _, [(scores, _)] = replayed(evidence("published"), policies(["value"]), budget, known)
        assert len(scores["mains"]) == 10
        assert scores["decision_gain"] >= least
        assert scores["cost"] <= budget
        gains = [each["decision_gain"] for each in scores["mains"]]
        interval = scipy.stats.t.interval(0.95, 9, np.mean(gains), scipy.stats.sem(gains))
        assert scores["decision_gain_width"] == pytest.approx(np.ptp(interval) / 2)


def test_a_replay_is_scored_by_seeds_that_it_cannot_train(tmp_path):
    finals = {"a": 0.5, "b": 0.5, "c": 0.5}
    for seed, best in enumerate("bccc"):  # the first says something else than the others
        for task in finals:
            write_run(tmp_path, [task], finals, seed=seed)
        for aux in "bc":
            better = 0.04 if aux == best else 0.0
            write_run(tmp_path, ["a", aux], finals | {"a": 0.5 + better}, seed=seed)
    source, chosen = evidence(str(tmp_path)), policies(["exhaustive"])
    _, [(_, [one])] = replayed(source, chosen, 1.0, False, ["a"])
    assert one.choice == "b"  # of the first seed
    assert one.decision_gain == pytest.approx(0)
    assert one.regret == pytest.approx(8)


@pytest.mark.parametrize(
    ("seeds", "ends", "first", "second"),
    [
        (3, {}, [0], [1, 2]),
        (4, {3: 40}, [0], [1, 2]),  # seed 3 of a pair is not at the end
        (2, {1: 40}, [0, 1], [0, 1]),
        (1, {}, [0], [0]),
    ],
)
def test_seeds_that_are_trained_to_the_end_are_halved(seeds, ends, first, second):
    def curve(end):
        return Curve(np.arange(20.0, end + 1, 20), np.full(end // 20, 0.5), end)

    alone = {seed: curve(100) for seed in range(seeds)}
    beside = {"b": dict(alone), "c": {seed: curve(ends.get(seed, 100)) for seed in alone}}
    halves = SweepCurves("a", 100, 1, alone, beside).halves()
    assert [sorted(half.beside["c"]) for half in halves] == [first, second]


def test_a_recommendation_of_finished_runs_names_the_largest_gain():
    curves, record = published()
    answer = recommend(curves["mwe"], F1, priors(record, "mwe", curves["mwe"].candidates))
    gains = {aux: gain for (main, aux), gain in record.items() if main == "mwe"}
    assert answer.choice == answer.rows[0].aux == max(gains, key=gains.get) == "ccg"
    assert answer.cost == pytest.approx(1)
    assert [row.status for row in answer.rows].count("recommended") == 1
    json.dumps(answer.plain(), allow_nan=False)


def test_the_command_replays_the_published_runs(tmp_path, capsys):
    file = tmp_path / "scores.json"
    arguments = ["--replay", "published", "--policy", "value", "pilots", "--main", "mwe"]
    assert main(["recommend", *arguments, "--json", str(file)]) == 0
    assert "value *" in capsys.readouterr().out
    first, second = json.loads(file.read_text())
    assert (first["policy"], first["default"], second["default"]) == ("value", True, False)
    assert [one["main"] for one in second["mains"]] == ["mwe"]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ([], "Give a sweep, or `--replay"),
        (["--replay", "published", "--policy", "valu"], "there is no 'valu'. Did you mean value?"),
        (["--replay", "published", "--main", "ner"], "has no gains of 'ner', but of ccg, chu"),
        (["no_such_sweep"], "no_such_sweep"),
        (["no_such_sweep", "--policy", "value"], "--policy belongs to --replay"),
        (["--replay", "published", "--budget", "7"], "--budget 7 is not a share"),
        (["--replay", "published", "--record", "x"], "--record belongs to a sweep"),
    ],
)
def test_mistakes_are_answered(arguments, answer, capsys):
    assert main(["recommend", *arguments]) == 2
    assert answer in capsys.readouterr().err
