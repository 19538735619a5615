"""How the labels of a sentence follow from logits: word by word, or as a chain.

Shapes: B sentences, T words of the longest, M words of all, sentence after sentence; C labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mtl_bench.tasks.types.spans import SpanScheme

FORBIDDEN = -1e4
"""Score of a transition that a scheme does not allow: a chain has one only if it has no other."""


class Greedy(nn.Module):
    """The most probable label of each word."""

    def best(self, logits: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG002
        """Return [M] label numbers.

        Args:
            logits: [M, C].
            lengths: [B] words of the sentences.
        """
        return logits.argmax(1)

    def probabilities(self, logits: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG002
        """Return [M, C] the probability of each label of a word."""
        return logits.softmax(1)


class Chain(nn.Module):
    """Labels whose scores depend on the label before: sum of logits and transitions.

    Attributes:
        between: [C, C] score of label j after label i.
        first: [C] score of a label at the start of a sentence.
        last: [C] score of a label at its end.
    """

    between: Tensor
    first: Tensor
    last: Tensor

    def best(self, logits: Tensor, lengths: Tensor) -> Tensor:
        """Return [M] the labels of the chain with the highest score (Viterbi)."""
        padded, mask = _padded(logits, lengths)
        first, between, last = self._decoding_scores()
        count, longest, labels = padded.shape
        score = padded[:, 0] + first
        # Behind the end of a sentence, every label is its own predecessor.
        own = torch.arange(labels, device=logits.device).expand(count, labels)
        before = []
        for step in range(1, longest):
            highest, label = (score[:, :, None] + between).max(1)
            here = mask[:, step, None]
            score = torch.where(here, highest + padded[:, step], score)
            before.append(torch.where(here, label, own))
        path = [(score + last).argmax(1)]
        for label in reversed(before):
            path.append(label.gather(1, path[-1][:, None]).squeeze(1))
        return torch.stack(path[::-1], 1)[mask]

    def _decoding_scores(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.first, self.between, self.last

    def probabilities(self, logits: Tensor, lengths: Tensor) -> Tensor:  # noqa: ARG002
        """Return [M, C] the probability of each label of a word, taken by itself."""
        return logits.softmax(1)


class Constrained(Chain):
    """The most probable labels of which a scheme of spans allows each after the one before."""

    def __init__(self, scheme: SpanScheme, labels: Sequence[str]) -> None:
        """Take the scheme, and the C labels."""
        super().__init__()
        penalties = penalties_of(scheme, labels)
        for name, scores in zip(("first", "between", "last"), penalties, strict=True):
            self.register_buffer(name, scores, persistent=False)


class CRF(Chain):
    """A linear-chain conditional random field (Lafferty et al., 2001; Lample et al., 2016)."""

    first_penalty: Tensor
    between_penalty: Tensor
    last_penalty: Tensor

    def __init__(self, count: int, penalties: Sequence[Tensor] | None = None) -> None:
        """Create transitions of score 0.

        Args:
            count: C.
            penalties: of the first, following and last labels in decoding; None for none.
        """
        super().__init__()
        self.first = nn.Parameter(torch.zeros(count))
        self.between = nn.Parameter(torch.zeros(count, count))
        self.last = nn.Parameter(torch.zeros(count))
        zeros = (torch.zeros(count), torch.zeros(count, count), torch.zeros(count))
        for name, scores in zip(("first", "between", "last"), penalties or zeros, strict=True):
            self.register_buffer(f"{name}_penalty", scores, persistent=False)

    def _decoding_scores(self) -> tuple[Tensor, Tensor, Tensor]:
        return (
            self.first + self.first_penalty,
            self.between + self.between_penalty,
            self.last + self.last_penalty,
        )

    def negative_log_likelihoods(self, logits: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
        """Return [B] those of the gold chains, in nats.

        Args:
            logits: [M, C].
            gold: [M] label numbers.
            lengths: [B] words of the sentences.
        """
        ends = torch.cumsum(lengths, 0)
        starts = ends - lengths
        of_words = logits.gather(1, gold[:, None]).squeeze(1).to(self.between.dtype)
        follows = self.between[gold[:-1], gold[1:]]
        # Not between two sentences: what follows the last word of one is the first of the next.
        inner = torch.ones_like(of_words)
        inner[starts] = 0
        of_words = of_words + torch.cat([follows.new_zeros(1), follows]) * inner
        sentence = torch.repeat_interleave(torch.arange(len(lengths), device=gold.device), lengths)
        scores = of_words.new_zeros(len(lengths)).index_add(0, sentence, of_words)
        scores = scores + self.first[gold[starts]] + self.last[gold[ends - 1]]
        return self._log_partition(logits, lengths) - scores

    def _log_partition(self, logits: Tensor, lengths: Tensor) -> Tensor:
        """Return [B] the logarithm of the sum of exp(score) over all chains."""
        # In bf16, products of probabilities would be wrong in the second digit.
        with torch.autocast(logits.device.type, enabled=False):
            padded, mask = _padded(logits.to(self.between.dtype), lengths)
            score = padded[:, 0] + self.first
            # Relative to the largest of each label, so that no power overflows.
            highest = self.between.amax(0).detach()
            transitions = (self.between - highest).exp()
            for step in range(1, padded.shape[1]):
                largest = score.amax(1, keepdim=True).detach()
                sums = torch.log((score - largest).exp() @ transitions) + largest + highest
                score = torch.where(mask[:, step, None], sums + padded[:, step], score)
            return (score + self.last).logsumexp(1)

    def probabilities(self, logits: Tensor, lengths: Tensor) -> Tensor:
        """Return [M, C] the marginal probability of each label of a word.

        It is the gradient of the log partition by the logit.
        """
        with torch.enable_grad():
            logits = logits.detach().requires_grad_()
            total = self._log_partition(logits, lengths).sum()
            return torch.autograd.grad(total, logits)[0]


def penalties_of(scheme: SpanScheme, labels: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
    """Return the scores of first, following and last labels: 0, or FORBIDDEN by the scheme.

    Returns:
        [C], [C, C] with the label before as row, and [C].
    """
    first = [scheme.allows(None, label) for label in labels]
    between = [[scheme.allows(before, label) for label in labels] for before in labels]
    last = [scheme.allows(label, None) for label in labels]
    return _penalties(first), _penalties(between), _penalties(last)


def _penalties(allowed: Sequence[Any]) -> Tensor:
    return torch.where(torch.tensor(allowed), 0.0, FORBIDDEN)


def _padded(values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return [B, T, C] the values of words [M, C], and [B, T] where there are words."""
    places = torch.arange(int(lengths.max()), device=values.device)
    mask = places < lengths[:, None]
    padded = values.new_zeros(*mask.shape, values.shape[1])
    padded[mask] = values
    return padded, mask
