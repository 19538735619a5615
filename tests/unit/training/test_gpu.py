"""The training step on a GPU: it never makes the host wait, and gives what a CPU gives."""

import pytest
import torch

from mtl_bench.training import build
from mtl_bench.training.batching import Chunk


def prepared(configure, *overrides):
    from hydra.utils import instantiate

    from mtl_bench.identity import tasks_of

    cfg = configure("main=syn_pos", "aux=syn_ccg", "embeddings.dim=50", *overrides)
    tasks = tasks_of(cfg)
    corpora = {name: build.read_corpus(cfg, name, task) for name, task in tasks.items()}
    inputs = build.prepare_inputs(cfg, tasks, corpora, instantiate(cfg.embeddings))
    return build.make_data(cfg, inputs, start=0), build.make_tagger(cfg, inputs, corpora)


def losses(tagger, data, device, steps):
    """Return the losses of some steps, which stay on the device."""
    tagger.to(device)
    optimizer = tagger.configure_optimizers()
    chunk = Chunk(range(steps), [data.draw(step) for step in range(steps)], False).to(device)
    found = []
    for batch in chunk.batches:
        optimizer.zero_grad(set_to_none=True)
        loss = tagger.loss(batch)
        loss.backward()
        optimizer.step()
        found.append(loss.detach())
    return torch.stack(found)


@pytest.mark.parametrize("optimizer", ["adadelta", "adam"])
def test_a_step_asks_for_no_value_of_a_tensor(configure, optimizer):
    # Tensors of the device "meta" have no values: to ask for one, as `item` does, is an error.
    data, tagger = prepared(configure, f"optimizer={optimizer}")
    assert losses(tagger, data, torch.device("meta"), 3).shape == (3,)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_losses_of_a_cpu(configure, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    found = []
    for device in ("cpu", "cuda"):
        data, tagger = prepared(configure)
        found.append(losses(tagger, data, torch.device(device), 200))
    torch.testing.assert_close(found[1].cpu(), found[0], rtol=1e-3, atol=0)
