"""Metrics whose state adds up over batches and devices.

Gold labels that training never saw have negative ids: no prediction equals them, so they count as
misses. Spans are scored by the labels' names, those of unseen labels included.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchmetrics import Metric

from mtl_bench.tasks.spans import SpanScheme, named_scheme
from mtl_bench.text.vocabulary import BOUNDARY_LABELS, Labels


class TokenScores(Metric):
    """Accuracy, and micro-F1 over all labels but the outside label (the paper's metric).

    precision = hits / predictions that are not outside, recall = hits / gold labels that are not
    outside, F1 = 2 hits / (the two denominators' sum); 0 where both are 0.
    """

    full_state_update = False
    hits: Tensor
    predicted: Tensor
    gold: Tensor
    right: Tensor
    tokens: Tensor
    unseen: Tensor

    def __init__(self, outside: int | None, **options: Any) -> None:
        """Take the outside label's id, or None where every label counts."""
        super().__init__(**options)
        self.outside = outside
        for name in ("hits", "predicted", "gold", "right", "tokens", "unseen"):
            self.add_state(name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predictions: Tensor, gold: Tensor, lengths: Tensor) -> None:  # noqa: ARG002
        """Count.

        Args:
            predictions: [M] label ids, sentence after sentence.
            gold: [M] label ids, negative for labels unseen in training.
            lengths: [B] words of the sentences (for span metrics; not needed here).
        """
        right = predictions == gold
        self.hits += (right & self._inside(gold)).sum()
        self.predicted += self._inside(predictions).sum()
        self.gold += self._inside(gold).sum()
        self.right += right.sum()
        self.tokens += gold.numel()
        self.unseen += (gold < 0).sum()

    def _inside(self, labels: Tensor) -> Tensor:
        """Return [M] whether labels count."""
        if self.outside is None:
            return torch.ones_like(labels, dtype=torch.bool)
        return labels != self.outside

    def compute(self) -> dict[str, Tensor]:
        """Return f1, precision, recall, accuracy (0 to 1) and the number of unseen gold labels."""
        return {
            **_precision_recall_f1(self.hits, self.predicted, self.gold),
            "accuracy": self.right / self.tokens.clamp(min=1),
            "unseen_labels": self.unseen,
        }


class SpanScores(Metric):
    """Span F1: a span counts if its start, end and type are all right.

    A word continues the span of the word before if its letter is I or E, that of the word before
    B or I, and both have one type; any other word with a letter but O begins a span. So read the
    evaluations of CoNLL-2000 and seqeval (not its strict mode), for every scheme alike.
    """

    full_state_update = False
    hits: Tensor
    predicted: Tensor
    gold: Tensor

    def __init__(self, labels: Labels, scheme: SpanScheme, **options: Any) -> None:
        """Take the labels of the task and their scheme; what does not follow it counts as O."""
        super().__init__(**options)
        outside = ("O", "")
        parts = [
            outside if name in BOUNDARY_LABELS else scheme.parse(name) or outside
            for name in labels.all_names
        ]
        kinds = sorted({kind for _, kind in parts})
        letter = ["OBIES".index(letter) for letter, _ in parts]
        self.register_buffer("letter", torch.tensor(letter), persistent=False)
        self.register_buffer(
            "kind", torch.tensor([kinds.index(kind) for _, kind in parts]), persistent=False
        )
        for name in ("hits", "predicted", "gold"):
            self.add_state(name, torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, predictions: Tensor, gold: Tensor, lengths: Tensor) -> None:
        """Count spans; arguments as for `TokenScores.update`."""
        first = torch.zeros(len(gold), dtype=torch.bool, device=gold.device)
        first[torch.cumsum(lengths, 0) - lengths] = True
        starts, ends, kinds = self._spans(predictions, first)
        gold_starts, gold_ends, gold_kinds = self._spans(gold, first)
        # At most one span starts at a position: compare ends and types there.
        end = torch.full_like(gold, -1)
        end[starts] = ends
        kind = torch.full_like(gold, -1)
        kind[starts] = kinds
        self.hits += ((end[gold_starts] == gold_ends) & (kind[gold_starts] == gold_kinds)).sum()
        self.predicted += len(starts)
        self.gold += len(gold_starts)

    def _spans(self, labels: Tensor, first: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return starts, ends (inclusive) and types of the spans, in order."""
        letter, kind = self.letter[labels], self.kind[labels]  # type: ignore[index]  # buffers
        inside = letter > 0
        joined = torch.zeros_like(inside)  # this word continues the span of the word before
        continues = (letter[1:] == 2) | (letter[1:] == 3)
        open_before = (letter[:-1] == 1) | (letter[:-1] == 2)
        joined[1:] = continues & open_before & (kind[1:] == kind[:-1]) & ~first[1:]
        goes_on = torch.zeros_like(inside)
        goes_on[:-1] = joined[1:]
        starts = torch.nonzero(inside & ~joined).squeeze(1)
        ends = torch.nonzero(inside & ~goes_on).squeeze(1)
        return starts, ends, kind[starts]

    def compute(self) -> dict[str, Tensor]:
        """Return span_f1, span_precision and span_recall, 0 to 1."""
        scores = _precision_recall_f1(self.hits, self.predicted, self.gold)
        return {f"span_{name}": value for name, value in scores.items()}


class MeanLoss(Metric):
    """Mean cross-entropy of a word (in nats); words with unseen labels have none."""

    full_state_update = False
    total: Tensor
    words: Tensor

    def __init__(self, **options: Any) -> None:
        """Start at zero."""
        super().__init__(**options)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("words", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, losses: Tensor, gold: Tensor) -> None:
        """Add the losses [M] of words with gold labels [M]."""
        self.total += losses.sum(dtype=torch.float64)
        self.words += (gold >= 0).sum()

    def compute(self) -> Tensor:
        """Return the mean."""
        return self.total / self.words.clamp(min=1)


class TaskScores(nn.Module):
    """All metrics of one task."""

    def __init__(self, labels: Labels, outside: str | None, spans: str | None) -> None:
        """Take the classes, the outside label or None, and the scheme of spans or None."""
        super().__init__()
        self.loss = MeanLoss()
        self.tokens = TokenScores(None if outside is None else labels.names.index(outside))
        every = (*labels.names[: labels.start], *labels.unseen)
        self.spans = SpanScores(labels, named_scheme(spans, every, outside)) if spans else None

    def update(self, logits: Tensor, gold: Tensor, lengths: Tensor) -> None:
        """Count the words of some sentences.

        Args:
            logits: [M, C] sentence after sentence.
            gold: [M] label ids.
            lengths: [B] words of the sentences.
        """
        known = gold.clamp(min=-1)
        self.loss.update(F.cross_entropy(logits, known, reduction="none", ignore_index=-1), gold)
        predictions = logits.argmax(1)
        self.tokens.update(predictions, gold, lengths)
        if self.spans is not None:
            self.spans.update(predictions, gold, lengths)

    def compute(self) -> dict[str, float]:
        """Return the value of every metric, and start anew."""
        values = {"loss": self.loss.compute(), **self.tokens.compute()}
        if self.spans is not None:
            values |= self.spans.compute()
            self.spans.reset()
        self.loss.reset()
        self.tokens.reset()
        return {name: float(value) for name, value in values.items()}


def _precision_recall_f1(hits: Tensor, predicted: Tensor, gold: Tensor) -> dict[str, Tensor]:
    return {
        "f1": 2 * hits / (predicted + gold).clamp(min=1),
        "precision": hits / predicted.clamp(min=1),
        "recall": hits / gold.clamp(min=1),
    }
