"""What a head has to do; `tagging.py` is the one to look at beside it.

Shapes as in `inputs/batches.py`: B sentences of a batch, N steps of all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from numpy.typing import NDArray
from torch import Tensor, nn

from mtl_bench.errors import UserError
from mtl_bench.models.inputs.batches import Batch
from mtl_bench.tasks.types.base import Fitted
from mtl_bench.trust import named


class Evaluated(NamedTuple):
    """What a head made of a batch: M targets, as its type's scorer and the mean loss want them.

    Attributes:
        losses: [M] of the targets.
        weights: [M] 1, or 0 for targets that have no loss (such as labels unseen in training).
        predictions: [M] encoded; sentences in the order given, without boundary symbols.
        gold: [M] as predictions.
        lengths: [B] words of the sentences.
    """

    losses: Tensor
    weights: Tensor
    predictions: Tensor
    gold: Tensor
    lengths: Tensor


class Head(nn.Module, ABC):
    """The output layer of one task, its loss, and what its outputs mean.

    Attributes:
        needs_directions: whether it takes states whose first half has seen only the words up to
            theirs, and whose second half those from theirs on.
    """

    needs_directions: ClassVar[bool] = False

    def __init__(self, size: int, fitted: Fitted) -> None:  # noqa: ARG002
        """Create the layer.

        Args:
            size: numbers of an encoder's state.
            fitted: type and targets of the task.
        """
        super().__init__()

    def prepare(self, batch: Batch) -> Batch:
        """Return a batch as it is to be encoded, to be trained on or to be evaluated."""
        return batch

    @abstractmethod
    def forward(self, states: Tensor, batch: Batch) -> Tensor:
        """Return outputs, made of the encoder's states [N, size]."""

    @abstractmethod
    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the loss that training lowers: a mean over the batch's sentences."""

    @abstractmethod
    def evaluate(self, outputs: Tensor, batch: Batch) -> Evaluated:
        """Return losses, predictions and gold targets."""

    @abstractmethod
    def decode(self, outputs: Tensor, batch: Batch) -> list[Any]:
        """Return the target predicted for each sentence, as readers yield targets."""

    def scores(self, outputs: Tensor, batch: Batch) -> list[Any]:  # noqa: ARG002
        """Return the probability of what `decode` returns, sentence by sentence.

        A number from 0 to 1 for each target of level `word`, or one for a sentence.

        Raises:
            UserError: this head has no probabilities.
        """
        raise UserError(f"{type(self).__name__} has no probabilities. Leave the scores out.")

    def pad(self, positions: int) -> None:  # noqa: ARG002
        """Take the loss over all positions of a padded batch (`model.loss_over=positions`).

        Args:
            positions: to which each sentence is padded, boundary symbols included.

        Raises:
            UserError: this head has no label for padding.
        """
        raise UserError(
            "model.loss_over is 'positions', but the head of a task of the run has no label for "
            "padding. Type `model.loss_over=words`."
        )

    def draw_bias(self) -> None:
        """Draw the start values of the bias (`model.bias_start=glorot`).

        Raises:
            UserError: this head has no bias that could be drawn so.
        """
        raise UserError(
            "model.bias_start is 'glorot', but the head of a task of the run has no such bias. "
            "Type `model.bias_start=zeros`."
        )

    def balance(self, targets: NDArray[Any]) -> None:  # noqa: ARG002
        """Weigh the loss so that every class has the same share (`model.label_weights=balanced`).

        Args:
            targets: of training, encoded.

        Raises:
            UserError: a target of this head has no class.
        """
        raise UserError(
            "model.label_weights is 'balanced', but a task of the run has targets without classes. "
            "Type `model.label_weights=none`."
        )


def make_head(size: Any, task: str, fitted: Fitted) -> Head:
    """Return the head that a task's type names.

    Raises:
        ValueError: it names none that can be imported.
    """
    if not fitted.type.head:
        raise ValueError(f"the type of task '{task}' names no head.")
    try:
        head: type[Head] = named(fitted.type.head)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"the head of task '{task}' cannot be imported: {error}") from error
    if not (isinstance(head, type) and issubclass(head, Head)):
        raise ValueError(f"the head of task '{task}', {fitted.type.head}, is no Head.")
    return head(size, fitted)
