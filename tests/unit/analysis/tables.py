"""Tables to test with."""

import numpy as np

from mtl_bench.analysis.features.data import DataFeatures
from mtl_bench.analysis.features.gradients import CurveGradients
from mtl_bench.analysis.features.logcurve import LogCurve
from mtl_bench.analysis.features.pair_table import make_table
from mtl_bench.analysis.gains.gain import Gain
from mtl_bench.paper import published

DATA = DataFeatures().names()
CURVE = (*CurveGradients().names(), *LogCurve().names())


def paper_table():
    statistics, curves = published.table1(), published.curve_features()
    features = {task: {**statistics[task], **curves[task]} for task in statistics}
    return make_table(published.gains(), features, (*DATA, *CURVE))


def made_gain(main, aux, percent, **fields):
    """A gain of a percentage over .5, of one seed."""
    pair = 0.5 * (1 + percent / 100)
    return Gain(
        main=main,
        aux=aux,
        variant="",
        metric="f1",
        split="test",
        budget=100.0,
        single=0.5,
        pair=pair,
        points=100 * (pair - 0.5),
        gain_percent=percent,
        **{"seeds": 1, "degrees_of_freedom": 18, **fields},
    )


def made_table(tasks=8, seed=0, signal=0.0, features=3):
    """A table whose gains follow the first feature of the auxiliary, as far as `signal` says."""
    random = np.random.default_rng(seed)
    names = [f"t{n}" for n in range(tasks)]
    numbers = {t: {f"f{n}": v for n, v in enumerate(random.random(features))} for t in names}
    gains = {
        (m, a): signal * (numbers[a]["f0"] - 0.5) + random.normal()
        for m in names
        for a in names
        if m != a
    }
    return make_table(gains, numbers, [f"f{n}" for n in range(features)])
