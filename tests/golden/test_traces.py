"""Fixed-seed loss traces in float64: a change of the training step that alters results shows here.

After a change that is meant to alter them, raise PROTOCOL_VERSION in mtl_bench/runs/record.py and
write the traces anew: `python -m tests.golden.test_traces`.
"""

import json
import sys
from pathlib import Path

import pytest
import torch

from mtl_bench.models import kernels
from mtl_bench.runs.record import PROTOCOL_VERSION

FILE = Path(__file__).with_name("traces.json")
RUNS = {
    "single": ["main=syn_chu"],
    "pair": ["main=syn_pos", "aux=syn_ccg"],
    "set": ["main=syn_key", "aux=[syn_mwe,syn_str]", "sampler=round_robin"],
    "adam": ["main=syn_mwe", "optimizer=adam", "sampler=proportional", "data.max_length=5"],
}


def trace(configure, overrides):
    """Return the losses of 50 steps."""
    from mtl_bench.config.run_key import schedule_of
    from mtl_bench.config.schema import checked
    from mtl_bench.training import build

    cfg = configure(*overrides, "steps_per_task=50", "trainer.max_steps=50")
    config = checked(cfg)
    parts = build.assemble(config, schedule_of(config))
    data, tagger = parts.data, parts.tagger.double()
    optimizer = tagger.configure_optimizers()
    losses = []
    for step in range(50):
        optimizer.zero_grad()
        loss = tagger.loss(data.draw(step))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", RUNS)
def test_the_trace_is_the_committed_one(name, compiled, configure):
    if compiled and kernels.compiler() is None:
        pytest.skip("needs a C++ compiler")
    golden = json.loads(FILE.read_text())
    assert golden["protocol_version"] == PROTOCOL_VERSION
    kernels.use(compiled)
    losses = trace(configure, RUNS[name])
    kernels.use(False)
    assert losses == pytest.approx(golden[name], rel=1e-6)


def test_two_runs_of_one_build_are_bit_identical(configure):
    assert trace(configure, RUNS["pair"]) == trace(configure, RUNS["pair"])


@pytest.mark.parametrize("run", ["single", "adam"])
def test_a_batch_in_parts_changes_the_result_by_rounding(run, configure):
    whole, parts = (
        stepped(configure, [*RUNS[run], "model.dropout=0", f"data.accumulate={count}"])
        for count in (1, 4)
    )
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


def stepped(configure, overrides):
    """Return the parameters after a few steps."""
    from mtl_bench.config.run_key import schedule_of
    from mtl_bench.config.schema import checked
    from mtl_bench.training import build

    config = checked(configure(*overrides, "data.batch_size=16"))
    parts = build.assemble(config, schedule_of(config))
    tagger = parts.tagger.double()
    optimizer = tagger.configure_optimizers()
    (chunk,) = parts.data.chunks(range(4))
    for step, batches in zip(chunk.steps, chunk.batches, strict=True):
        tagger.take_step(optimizer, step, batches)
    return [parameter.detach() for parameter in tagger.parameters()]


def test_main_and_aux_may_be_exchanged(configure):
    assert trace(configure, ["main=syn_ccg", "aux=syn_pos"]) == trace(configure, RUNS["pair"])


if __name__ == "__main__":
    from tests.conftest import compose_train

    torch.set_num_threads(1)
    traces = {name: trace(compose_train, overrides) for name, overrides in RUNS.items()}
    FILE.write_text(json.dumps({"protocol_version": PROTOCOL_VERSION, **traces}, indent=1) + "\n")
    sys.exit()
