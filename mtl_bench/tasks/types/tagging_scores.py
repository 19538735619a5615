"""Scores of tagging: micro-F1 and accuracy over words, F1 over spans.

Gold labels that training never saw have negative ids: no prediction equals them, so they count as
misses. Spans are scored by the labels' names, those of unseen labels included.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtl_bench.tasks.types.labels import BOUNDARY_LABELS, Labels
from mtl_bench.tasks.types.spans import SpanScheme, named_scheme

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class TaggingScorer:
    """All scores of one tagging task."""

    def __init__(self, labels: Labels, outside: str | None, spans: str | None) -> None:
        """Take the classes, the outside label or None, and the scheme of spans or None."""
        self.tokens = TokenScores(None if outside is None else labels.names.index(outside))
        every = (*labels.names[: labels.start], *labels.unseen)
        self.spans = SpanScores(labels, named_scheme(spans, every, outside)) if spans else None

    def update(self, predictions: Ints, gold: Ints, lengths: Ints) -> None:
        """Count the words of some sentences; arguments as for `TokenScores.update`."""
        self.tokens.update(predictions, gold, lengths)
        if self.spans is not None:
            self.spans.update(predictions, gold, lengths)

    def compute(self) -> dict[str, float]:
        """Return the value of every metric, and the number of unseen gold labels."""
        return self.tokens.compute() | (self.spans.compute() if self.spans else {})


class TokenScores:
    """Accuracy, and micro-F1 over all labels but the outside label (the paper's metric).

    precision = hits / predictions that are not outside, recall = hits / gold labels that are not
    outside, F1 = 2 hits / (the two denominators' sum); 0 where both are 0.
    """

    def __init__(self, outside: int | None) -> None:
        """Take the outside label's id, or None where every label counts."""
        self.outside = outside
        self.hits = self.predicted = self.gold = self.correct = self.tokens = self.unseen = 0

    def update(self, predictions: Ints, gold: Ints, lengths: Ints) -> None:  # noqa: ARG002
        """Count.

        Args:
            predictions: [M] label ids, sentence after sentence.
            gold: [M] label ids, negative for labels unseen in training.
            lengths: [B] words of the sentences (for span metrics; not needed here).
        """
        correct = predictions == gold
        self.hits += int((correct & self._counts(gold)).sum())
        self.predicted += int(self._counts(predictions).sum())
        self.gold += int(self._counts(gold).sum())
        self.correct += int(correct.sum())
        self.tokens += gold.size
        self.unseen += int((gold < 0).sum())

    def _counts(self, labels: Ints) -> Bools:
        """Return [M] whether labels count."""
        if self.outside is None:
            return np.ones(labels.shape, dtype=np.bool_)
        counts: Bools = labels != self.outside
        return counts

    def compute(self) -> dict[str, float]:
        """Return f1, precision, recall, accuracy (0 to 1) and the number of unseen gold labels."""
        return {
            **_precision_recall_f1(self.hits, self.predicted, self.gold),
            "accuracy": _ratio(self.correct, self.tokens),
            "unseen_labels": float(self.unseen),
        }


class SpanScores:
    """Span F1: a span counts if its start, end and type are all correct.

    A word continues the span of the word before if its letter is I or E, that of the word before
    B or I, and both have one type; any other word with a letter but O begins a span. So read the
    evaluations of CoNLL-2000 and seqeval (not its strict mode), for every scheme alike.
    """

    def __init__(self, labels: Labels, scheme: SpanScheme) -> None:
        """Take the labels of the task and their scheme; what does not follow it counts as O."""
        outside = ("O", "")
        parts = [
            outside if name in BOUNDARY_LABELS else scheme.parse(name) or outside
            for name in labels.all_names
        ]
        kinds = sorted({kind for _, kind in parts})
        # Tables over ids; those of unseen labels are negative, and count from the end.
        self.letter = np.array(["OBIES".index(letter) for letter, _ in parts])
        self.kind = np.array([kinds.index(kind) for _, kind in parts])
        self.hits = self.predicted = self.gold = 0

    def update(self, predictions: Ints, gold: Ints, lengths: Ints) -> None:
        """Count spans; arguments as for `TokenScores.update`."""
        first = np.zeros(len(gold), dtype=np.bool_)
        first[np.cumsum(lengths) - lengths] = True
        starts, ends, kinds = self._spans(predictions, first)
        gold_starts, gold_ends, gold_kinds = self._spans(gold, first)
        # At most one span starts at a position: compare ends and types there.
        end = np.full(len(gold), -1)
        end[starts] = ends
        kind = np.full(len(gold), -1)
        kind[starts] = kinds
        self.hits += int(
            ((end[gold_starts] == gold_ends) & (kind[gold_starts] == gold_kinds)).sum()
        )
        self.predicted += len(starts)
        self.gold += len(gold_starts)

    def _spans(self, labels: Ints, first: Bools) -> tuple[Ints, Ints, Ints]:
        """Return starts, ends (inclusive) and types of the spans, in order."""
        letter, kind = self.letter[labels], self.kind[labels]
        inside = letter > 0
        joined = np.zeros_like(inside)  # this word continues the span of the word before
        continues = (letter[1:] == 2) | (letter[1:] == 3)
        open_before = (letter[:-1] == 1) | (letter[:-1] == 2)
        joined[1:] = continues & open_before & (kind[1:] == kind[:-1]) & ~first[1:]
        continued = np.zeros_like(inside)
        continued[:-1] = joined[1:]
        starts = np.flatnonzero(inside & ~joined)
        ends = np.flatnonzero(inside & ~continued)
        return starts, ends, kind[starts]

    def compute(self) -> dict[str, float]:
        """Return span_f1, span_precision and span_recall, 0 to 1."""
        scores = _precision_recall_f1(self.hits, self.predicted, self.gold)
        return {f"span_{name}": value for name, value in scores.items()}


def _precision_recall_f1(hits: int, predicted: int, gold: int) -> dict[str, float]:
    return {
        "f1": _ratio(2 * hits, predicted + gold),
        "precision": _ratio(hits, predicted),
        "recall": _ratio(hits, gold),
    }


def _ratio(part: int, whole: int) -> float:
    """Return part / whole, 0 for nothing of nothing.

    In float32, as records have had it from the beginning: the same run keeps the same record.
    """
    return float(np.float32(part) / np.float32(max(whole, 1)))
