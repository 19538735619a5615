"""The training step on a GPU: it asks for no value of a tensor, and gives what a CPU gives."""

import pytest
import torch

from mtl_bench.config.run_key import schedule_of
from mtl_bench.config.schema import checked
from mtl_bench.models.inputs.batches import Chunk
from mtl_bench.training import build


def losses(configure, device, steps, *overrides):
    """Return the losses of a run's first steps, which stay on the device."""
    cfg = configure("main=syn_pos", "aux=syn_ccg", "embeddings.dim=50", *overrides)
    config = checked(cfg)
    parts = build.assemble(config, schedule_of(config))
    data, tagger = parts.data, parts.tagger.to(device)
    optimizer = tagger.configure_optimizers()
    tagger.optimizers = lambda **_: optimizer  # what Lightning's trainer gives it
    chunk = Chunk(range(steps), [[data.draw(step)] for step in range(steps)], False).to(device)
    if device.type == "cuda":
        torch.cuda.set_sync_debug_mode("error")
    try:
        return tagger.training_step(chunk, 0)["losses"]
    finally:
        if device.type == "cuda":
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize(
    "overrides",
    [[], ["optimizer=adam"], ["model.dropout=0.5"], ["model.label_weights=balanced"]],
    ids=str,
)
def test_a_step_asks_for_no_value(configure, overrides):
    # Tensors of the device "meta" have no values: to ask for one, as `item` does, is an error.
    assert losses(configure, torch.device("meta"), 3, *overrides).shape == (3,)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_losses_of_a_cpu(configure, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    cpu, gpu = (losses(configure, torch.device(name), 200) for name in ("cpu", "cuda"))
    torch.testing.assert_close(gpu.cpu(), cpu, rtol=1e-3, atol=0)
