"""Replays of policies on finished runs: for `mtl-bench recommend --replay` and the docs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mtl_bench.analysis.arrays import Floats
from mtl_bench.analysis.gains.gains import measured_gains
from mtl_bench.analysis.recommend.evidence import noise_of, settings_of
from mtl_bench.analysis.recommend.observations import SweepCurves
from mtl_bench.analysis.recommend.policies.base import Limits, Policy
from mtl_bench.analysis.recommend.prior import priors
from mtl_bench.analysis.recommend.replay import Replay, replay, summary
from mtl_bench.commands.shared.answers import Evidence, check_mains
from mtl_bench.commands.shared.policies import DEFAULT
from mtl_bench.errors import UserError

Result = tuple[dict[str, Any], list[Replay]]
"""The scores of a policy, and its replays, one for each main task."""


def replayed(
    source: Evidence,
    policies: Mapping[str, Policy],
    budget: float,
    with_record: bool,
    mains: Sequence[str] = (),
) -> tuple[list[str], list[Result]]:
    """Return main tasks that are left out, since not all is trained, and the results of policies.

    With several seeds a policy trains those of the first half, and its choice is scored by the
    others: with the same runs for both, what a seed adds by chance would be taken for skill. The
    noise that policies are told is that of the finished curves.

    Args:
        source: finished runs.
        policies: by name.
        budget: share of the steps of training all candidates of a main task.
        with_record: whether the gains of the other main tasks are known.
        mains: tasks; none: all.

    Raises:
        UserError: there is no such main task, or none whose runs are all finished.
    """
    curves = source.curves()
    check_mains(source, curves, mains)
    mains = mains or list(curves)
    seen = {each: curves[each].halves()[0] for each in mains}
    noises = {each: noise_of(seen[each]) for each in mains}
    truths = {each: _truth(source, curves[each]) for each in mains}
    finished = [each for each in mains if _is_finished(seen[each], truths[each])]
    if not finished:
        raise UserError(f"{source.folder}: a replay takes runs that are trained to the end.")
    gains = source.gains() if with_record else {}
    results = []
    for name, policy in policies.items():
        replays = []
        for each in finished:
            prior = priors(gains, each, curves[each].candidates)
            settings = settings_of(prior)
            own, truth, noise = seen[each], truths[each], noises[each]
            replays.append(replay(policy, own, truth, prior, Limits(budget), noise, settings))
        results.append((summary(name, replays, name == DEFAULT), replays))
    return [each for each in mains if each not in finished], results


def _is_finished(curves: SweepCurves, truth: Floats) -> bool:
    """Return whether every candidate is trained to the end, for policies and for their score."""
    gains = [curves.late_gain(name) for name in curves.candidates]
    return bool(np.isfinite([*gains, *truth]).all())


def _truth(source: Evidence, curves: SweepCurves) -> Floats:
    """Return [K] the gains of the candidates by the seeds that policies do not train.

    They are those of a study (`Gain.label`): of final metrics where runs keep their best weights.
    """
    values, unseen = source.values, curves.halves()[1].alone
    own = values["tasks"].map(lambda tasks: curves.main in tasks.split("+"))
    rows = values[own & values["seed"].isin(list(unseen))]
    gains = measured_gains(rows, source.metrics, source.budget)
    labels = {gain.aux: gain.label for gain in gains if gain.main == curves.main}
    return np.array([labels.get(name, math.nan) for name in curves.candidates])
