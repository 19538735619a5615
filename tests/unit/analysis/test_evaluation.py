"""The evaluation finds what is there, and nothing where nothing is."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from mtl_bench.analysis.conclusions import conclusions
from mtl_bench.analysis.evaluation.baselines import identities, permuted, random_numbers
from mtl_bench.analysis.evaluation.folds import unseen_main
from mtl_bench.analysis.evaluation.scoring import Evaluation, EvaluationSettings, scorers
from mtl_bench.analysis.gains.uncertainty import with_errors
from tests.unit.analysis.tables import made_gain, made_table

LOGISTIC = make_pipeline(MinMaxScaler(), LogisticRegression(solver="liblinear"))
SETS = {"all": ["f0", "f1", "f2"]}


def evaluate(table, draws=60, **options):
    sets = {"all": list(dict.fromkeys(feature for feature, _ in table.columns))}
    settings = EvaluationSettings(sets, {"logistic": LOGISTIC}, pair_runs=2, draws=draws, **options)
    return [score for _, scorer in scorers(table, settings) for score in scorer()]


def row(scores, held_out, features, model="logistic"):
    [found] = [
        s for s in scores if (s.held_out, s.features, s.model) == (held_out, features, model)
    ]
    return found


def answers_of(table, scores):
    gains = with_errors(
        [
            made_gain(m, a, g, late_sd=0.1)
            for (m, a), g in zip(table.pairs(), table.gain, strict=True)
        ]
    )
    return [answer.answer for answer in conclusions(gains, scores, {})]


def test_features_that_tell_are_found_to_tell():
    table = made_table(tasks=12, signal=20.0)
    scores = evaluate(table)
    seen, new = (row(scores, p, "all") for p in ("pairs", "unseen_main"))
    assert seen.p["accuracy"] < 0.05
    assert new.p["spearman"] < 0.05
    assert new.low["spearman"] > 0.4
    effects, choice, ranking = answers_of(table, scores)
    assert choice == "yes"
    assert ranking.startswith("carries signal for ranking")
    assert "auxiliaries help" in effects


def test_features_that_tell_nothing_are_found_out():
    for seed in range(3):
        table = made_table(tasks=8, seed=seed)
        scores = evaluate(table, draws=19)  # p is 0.05 at least: nothing can be significant
        _, choice, ranking = answers_of(table, scores)
        assert "not shown to be better than permuted features" in choice
        assert ranking.startswith("no signal")


def test_p_is_low_by_chance_as_often_as_it_says():
    low = []
    for seed in range(40):
        table = made_table(tasks=7, seed=seed)
        settings = EvaluationSettings(SETS, {"logistic": LOGISTIC}, draws=19)
        evaluation = Evaluation("unseen_main", table, unseen_main(table, 1), settings)
        low.append(evaluation.tested("all", table)[0].p["spearman"] <= 0.2)
    assert 2 <= sum(low) <= 15  # 8 expected; outside by chance once in 500 times


def test_a_main_task_that_always_gains_is_all_that_a_model_of_pairs_needs():
    table = made_table(tasks=8, features=14)
    lucky = np.array([main in ("t0", "t1", "t2", "t3") for main in table.main])
    table = type(table)(
        table.main, table.aux, np.where(lucky, 1.0, -1.0), table.columns, table.values
    )
    scores = evaluate(table)
    assert row(scores, "pairs", "main task", "majority").values["accuracy"] == 1
    assert row(scores, "pairs", "random numbers").values["accuracy"] > 0.8
    # no main task has both gains and losses to compare
    assert np.isnan(row(scores, "unseen_main", "all").values["auc"])


def test_other_predictors_and_choices_inside_the_folds_have_rows():
    table = made_table(tasks=5)
    settings = EvaluationSettings(
        SETS, {"logistic": LOGISTIC, "ridge": Ridge()}, pair_runs=1, draws=3, nested=["all"]
    )
    scores = [score for _, scorer in scorers(table, settings) for score in scorer()]
    for model in ("ridge", "chosen inside"):
        assert [s.held_out for s in scores if s.model == model] == [
            *("pairs", "unseen_main", "unseen_aux", "both_unseen")
        ]


def test_a_permutation_moves_whole_tasks():
    table = made_table(tasks=4)
    own = {table.main[n]: tuple(table.values[n, :3]) for n in range(len(table))}
    for other in permuted(table, 20):
        of = {other.main[n]: tuple(other.values[n, :3]) for n in range(len(table))}
        assert sorted(of.values()) == sorted(own.values())
        assert of != own
        for n, aux in enumerate(other.aux):
            assert tuple(other.values[n, 3:6]) == of[aux]
            np.testing.assert_allclose(
                other.values[n, :3] / other.values[n, 3:6], other.values[n, 6:]
            )


def test_random_numbers_belong_to_tasks_and_names_are_told_apart():
    table = made_table(tasks=4)
    drawn = next(random_numbers(table, 1))
    assert len({tuple(drawn.values[n, :3]) for n, m in enumerate(table.main) if m == "t1"}) == 1
    names = identities(table)
    assert names.values.sum(axis=1) == pytest.approx(2)
    assert len(names.columns) == 8
