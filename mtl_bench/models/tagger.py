"""The model: shared word vectors, a shared encoder, one projection per task.

Shapes as in `batching`: N steps of all sentences, U different words, D numbers a vector, C classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from hydra.utils import instantiate
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F
from torch.optim import Optimizer

from mtl_bench.models.inputs.batches import Batch, Chunk, collate
from mtl_bench.models.metrics import TaskScores
from mtl_bench.models.weights import save
from mtl_bench.tasks.corpus import Sentence
from mtl_bench.text.vocabulary import Labels, Vocabulary, encode, normal_word


class Lookup(torch.autograd.Function):
    """Rows of the embedding table, with a gradient for the rows in use only."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, rows: Tensor, sparse: bool) -> Tensor:
        """Return [U, D] the rows `rows` [U], all different and ascending."""
        ctx.save_for_backward(rows)
        ctx.shape, ctx.sparse = table.shape, sparse
        return table.index_select(0, rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of the table: sparse, or dense."""
        (rows,) = ctx.saved_tensors
        (values,) = gradients
        if ctx.sparse:
            table = torch.sparse_coo_tensor(
                rows[None], values, ctx.shape, is_coalesced=True, check_invariants=False
            )
        else:
            table = values.new_zeros(ctx.shape).index_copy_(0, rows, values)
        return table, None, None


class Tagger(pl.LightningModule):
    """Tags sentences of several tasks; its training step works on one batch of one task."""

    def __init__(
        self,
        vectors: Tensor,
        encoder: Callable[[int], nn.Module],
        labels: Mapping[str, Labels],
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        outside: Mapping[str, str | None],
        spans: Mapping[str, str | None],
        dropout: float = 0.0,
        label_weights: Mapping[str, Tensor] | None = None,
        seed: int = 0,
    ) -> None:
        """Build the layers; parameters are drawn from torch's generator, tasks by name.

        Args:
            vectors: [V, D] start values of the word vectors.
            encoder: makes the encoder, given D.
            labels: classes by task.
            optimizer: makes the optimizer, given the parameters.
            outside: by task, the label that F1 leaves out, or None.
            spans: by task, the scheme of its spans, or None.
            dropout: share of the word vectors (alike wherever a word occurs in a batch) and of the
                encoder's outputs dropped in training.
            label_weights: [C] factors on the loss by task; None for none.
            seed: of what is drawn during training (dropout).
        """
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is {dropout}; it is a share from 0 to below 1.")
        self.automatic_optimization = False
        self.tasks = sorted(labels)
        self.labels = dict(labels)
        self.table = nn.Parameter(vectors.clone())
        self.encoder = encoder(vectors.shape[1])
        size: int = self.encoder.size  # type: ignore[assignment]  # what every encoder has
        self.heads = nn.ModuleDict()
        self.scores = nn.ModuleDict()
        for task in self.tasks:
            head = nn.Linear(size, len(labels[task]))
            nn.init.xavier_uniform_(head.weight)
            nn.init.zeros_(head.bias)
            self.heads[_key(task)] = head
            self.scores[_key(task)] = TaskScores(labels[task], outside[task], spans[task])
        for task, weights in (label_weights or {}).items():
            self.register_buffer(f"label_weights_{task}", weights, persistent=False)
        self.dropout = dropout
        self.seed = seed
        self.vocabulary: Vocabulary | None = None
        self.lowercase = True
        self.evaluated: dict[str, dict[str, float]] = {}
        self._make_optimizer = optimizer
        self._sparse = False

    def forward(self, batch: Batch) -> Tensor:
        """Return [N, C] logits of the batch's task."""
        vectors: Tensor = Lookup.apply(  # type: ignore[no-untyped-call]  # torch does not type it
            self.table, batch.rows, self._sparse
        )
        vectors = F.dropout(vectors, self.dropout, self.training)
        states = F.dropout(self.encoder(vectors, batch), self.dropout, self.training)
        logits: Tensor = self.heads[_key(batch.task)](states)
        return logits

    def loss(self, batch: Batch) -> Tensor:
        """Return the cross-entropy in nats: mean over a sentence's steps, then over sentences."""
        losses = F.cross_entropy(self(batch), batch.labels, reduction="none")
        weights = batch.weights.to(losses.dtype)
        of_label = getattr(self, f"label_weights_{batch.task}", None)
        if of_label is not None:
            weights = weights * of_label.to(losses.dtype)[batch.labels]
        return losses @ weights

    def training_step(self, chunk: Chunk, _: int) -> dict[str, Tensor]:
        """Take the steps of a chunk: for each batch, one update of the optimizer.

        Returns:
            `losses` [steps], detached.
        """
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, Optimizer)  # there is one, not a list
        losses = []
        for step, batch in zip(chunk.steps, chunk.batches, strict=True):
            if self.dropout:
                torch.manual_seed(self.seed * 1_000_003 + step)
            optimizer.zero_grad(set_to_none=True)
            loss = self.loss(batch)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        return {"losses": torch.stack(losses)}

    def validation_step(self, batch: Batch, *_: int) -> None:
        """Count the hits of one batch; the boundary symbols do not take part."""
        logits = self(batch)[batch.order]
        gold = batch.labels[batch.order]
        words = torch.ones_like(gold, dtype=torch.bool)
        ends = torch.cumsum(batch.lengths, 0)
        words[ends - batch.lengths] = False
        words[ends - 1] = False
        self._scores(batch.task).update(logits[words], gold[words], batch.lengths - 2)

    def on_validation_epoch_end(self) -> None:
        """Turn the counts into `evaluated`: by task, the value of each metric."""
        self.evaluated = {task: self._scores(task).compute() for task in self.tasks}
        for task, values in self.evaluated.items():
            if not math.isfinite(values["loss"]):
                raise FloatingPointError(
                    f"the loss of task '{task}' is {values['loss']} in an evaluation. A smaller "
                    "`optimizer.lr`, or word vectors of smaller numbers, may help."
                )

    def _scores(self, task: str) -> TaskScores:
        scores = self.scores[_key(task)]
        assert isinstance(scores, TaskScores)
        return scores

    def tag(self, task: str, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the labels of sentences, given as lists of words.

        Raises:
            RuntimeError: the tagger does not know its words; `load_tagger` gives one that does.
            ValueError: it does not know the task.
        """
        if self.vocabulary is None:
            raise RuntimeError("a tagger from `load_tagger` can tag; this one has no vocabulary.")
        if task not in self.labels:
            raise ValueError(f"there is no task '{task}'. Possible: {', '.join(self.tasks)}.")
        if not sentences:
            return []
        labels = self.labels[task]
        empty = [
            Sentence(
                tuple(normal_word(w, self.lowercase) for w in words), labels.names[:1] * len(words)
            )
            for words in sentences
        ]
        split = encode(empty, self.vocabulary, labels)
        batch = collate(task, split, np.arange(len(split)))
        self.eval()
        with torch.no_grad():
            logits = self(batch)[batch.order][:, : labels.start]  # no word is a boundary symbol
        tags = iter(logits.argmax(1).tolist())
        found = [[labels.names[next(tags)] for _ in range(n)] for n in batch.lengths.tolist()]
        return [names[1:-1] for names in found]

    test_step = validation_step
    on_test_epoch_end = on_validation_epoch_end

    def configure_optimizers(self) -> Optimizer:
        """Make the optimizer, for all parameters that train."""
        optimizer = self._make_optimizer(p for p in self.parameters() if p.requires_grad)
        self._sparse = getattr(optimizer, "takes_sparse_gradients", False)
        return optimizer


def _key(task: str) -> str:
    return f"task_{task}"  # a bare name, such as "keys", may be a method of nn.ModuleDict


def save_tagger(
    path: Path,
    tagger: Tagger,
    vocabulary: Vocabulary,
    encoder: Mapping[str, Any],
    lowercase: bool,
) -> None:
    """Write weights and all that is needed to use them, as plain values.

    Args:
        path: of the file.
        tagger: trained.
        vocabulary: of its words.
        encoder: the `_target_` and options that its encoder was made from.
        lowercase: whether it reads words in lower case.
    """
    state = {
        "weights": tagger.state_dict(),
        "words": list(vocabulary.words),
        "labels": {task: tagger.labels[task].names[:-2] for task in tagger.tasks},
        "encoder": dict(encoder),
        "lowercase": lowercase,
    }
    save(state, path)


def load_tagger(path: Path) -> Tagger:
    """Return the tagger that `save_tagger` wrote; it needs no other file, and no configuration."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    none = dict.fromkeys(state["labels"])
    tagger = Tagger(
        torch.zeros_like(state["weights"]["table"]),
        instantiate(state["encoder"]),
        {task: Labels(names) for task, names in state["labels"].items()},
        torch.optim.SGD,
        outside=none,
        spans=none,
    )
    tagger.load_state_dict(state["weights"])
    tagger.vocabulary = Vocabulary(state["words"])
    tagger.lowercase = state["lowercase"]
    return tagger.eval()
