"""The settings of a study: `conf/study.yaml` as objects, checked before hours are spent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.errors import HydraException

from mtl_bench.analysis.data.single_runs import Family
from mtl_bench.analysis.evaluation.scoring import EvaluationSettings
from mtl_bench.analysis.predictors.predictor_file import Recipe
from mtl_bench.errors import UserError
from mtl_bench.trust import make


@dataclass(frozen=True)
class StudySettings:
    """The settings of a study.

    Attributes:
        overrides: of `conf/study.yaml`, as given.
        config: all settings as plain values.
        families: of features, by name.
        evaluation: of predictors.
        early: whether to score shortened curves and pilot runs.
        metric: that gains are of; None for each task's primary one.
        budget: steps per task at which runs are compared; None for the one with the most gains.
        final_features: that the predictor written at the end looks at.
        final: how that predictor is made.
    """

    overrides: Sequence[str]
    config: Mapping[str, Any]
    families: Mapping[str, Family]
    evaluation: EvaluationSettings
    early: bool
    metric: str | None
    budget: float | None
    final_features: Sequence[str]
    final: Recipe


def study_settings(config: Mapping[str, Any], overrides: Sequence[str] = ()) -> StudySettings:
    """Return the settings that a composed and resolved `conf/study.yaml` holds.

    Raises:
        UserError: they do not fit together.
    """
    try:
        families = {
            name: make(each, f"features.{name}") for name, each in config["features"].items()
        }
        predictors = {
            name: make(each, f"predictor.{name}", _convert_="all")
            for name, each in config["predictor"].items()
        }
    except (HydraException, TypeError, ValueError) as error:
        raise UserError(f"{str(error).splitlines()[0]}\nGiven: {' '.join(overrides)}") from None
    _check(config, families.keys())
    sets = {
        name: list(dict.fromkeys(f for family in names for f in families[family].names()))
        for name, names in config["sets"].items()
    }
    final = config["final"]
    return StudySettings(
        overrides=overrides,
        config=config,
        families=families,
        evaluation=EvaluationSettings(
            sets=sets,
            predictors=predictors,
            pair_runs=config["pair_runs"],
            draws=config["draws"],
            nested=config["nested"],
            runs=config["runs"],
        ),
        early=config["early"],
        metric=config["metric"],
        budget=config["budget"],
        final_features=sets[final["set"]],
        final=Recipe(config["predictor"][final["predictor"]], config["features"], config["metric"]),
    )


def _check(config: Mapping[str, Any], families: Collection[str]) -> None:
    """Raise an error if settings do not fit together."""
    for key in ("runs", "pair_runs", "draws"):
        if type(config[key]) is not int or config[key] < 1:
            raise UserError(f"{key} is {config[key]!r}; it is a whole number from 1.")
    if type(config["early"]) is not bool:
        raise UserError(f"early is {config['early']!r}; it is true or false.")
    budget = config["budget"]
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, int | float)):
        raise UserError(f"budget is {budget!r}; it is a number of steps per task, or null.")
    if unknown := {n for names in config["sets"].values() for n in names} - set(families):
        raise UserError(
            f"sets: there are no features {', '.join(sorted(unknown))}. There are: "
            f"{', '.join(sorted(families))}."
        )
    if not isinstance(config["nested"], list) or not set(config["nested"]) <= config["sets"].keys():
        raise UserError(f"nested is {config['nested']}; it is a list of {list(config['sets'])}.")
    final = config["final"]
    for key, group, allowed in (
        ("set", "sets", config["sets"]),
        ("predictor", "predictor", config["predictor"]),
    ):
        if final[key] not in allowed:
            raise UserError(f"final.{key} is '{final[key]}'; `{group}` has {', '.join(allowed)}.")
    if "all" not in config["sets"] or "logistic" not in config["predictor"]:
        raise UserError("`sets` needs `all`, and `predictor` needs `logistic`: baselines use them.")
