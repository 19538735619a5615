"""The model: a shared input, a shared encoder, one head per task.

Shapes as in `inputs/batches.py`: B sentences, N steps of all, U different words, D numbers a
vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torchmetrics import MeanMetric

from mtl_bench.models.encoders.base import Encoder
from mtl_bench.models.heads.base import Head, make_head
from mtl_bench.models.inputs.base import Input
from mtl_bench.models.inputs.batches import Batch, Chunk, EncodedSplit, Ints, evaluation_batches
from mtl_bench.models.task_options import (
    LearnedWeights,
    PrivateLayers,
    TaskOptions,
    learning_rate,
)
from mtl_bench.tasks.types.base import Fitted, Scorer


@dataclass(frozen=True)
class Dropout:
    """What is dropped in training.

    Attributes:
        share: of the word vectors (alike wherever a word occurs in a batch) and of the encoder's
            outputs, from 0 to below 1.
        seed: of the draws, which follow from it and the step.
    """

    share: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the share."""
        if not 0 <= self.share < 1:
            raise ValueError(f"dropout is {self.share}; it is a share from 0 to below 1.")


class Tagged(NamedTuple):
    """What is predicted of some sentences.

    Attributes:
        targets: of each sentence, as readers yield targets (`tagging`: a label for each word).
        scores: the probability of each (part of a) target, in the same shape; None if unasked.
    """

    targets: list[Any]
    scores: list[Any] | None = None


class Tagger(pl.LightningModule):
    """Predicts the targets of several tasks; a training step works on one batch of one task."""

    def __init__(
        self,
        input_: Input[Any],
        encoder: Callable[[int], Encoder],
        tasks: Mapping[str, Fitted],
        optimizer: Callable[[Iterable[Any]], Optimizer],
        dropout: Dropout | None = None,
        options: TaskOptions | None = None,
    ) -> None:
        """Build the layers; parameters are drawn from torch's generator, tasks by name.

        Args:
            input_: turns words into vectors.
            encoder: makes the encoder, given D.
            tasks: types and targets by task.
            optimizer: makes the optimizer, given the parameters, or names and parameters if what it
                calls has `takes_names`.
            dropout: None for none.
            options: of single tasks; None for none.
        """
        super().__init__()
        self.automatic_optimization = False  # many steps a call: see training_step
        self.tasks = {task: tasks[task] for task in sorted(tasks)}
        self.input = input_
        self.encoder = encoder(input_.size)
        self.heads = nn.ModuleDict()
        self.losses = nn.ModuleDict()
        for task, fitted in self.tasks.items():
            self.heads[_key(task)] = make_head(self.encoder.size, task, fitted)
            self.losses[_key(task)] = MeanMetric(nan_strategy=math.nan)
        self.options = options or TaskOptions()
        # Behind the heads, so that they start as they would without.
        self.private = nn.ModuleDict(
            {
                _key(task): PrivateLayers(self.encoder.size, count)
                for task, count in sorted(self.options.private_layers.items())
                if count and task in self.tasks
            }
        )
        learned = self.options.loss_weights == "uncertainty" and len(self.tasks) > 1
        self.learned_weights = LearnedWeights(len(self.tasks)) if learned else None
        self.scorers: dict[str, Scorer] = {}  # of the tasks that are being evaluated
        self.dropout = dropout or Dropout()
        self.evaluated: dict[str, dict[str, float]] = {}
        self._make_optimizer = optimizer
        self._sparse = False

    def head(self, task: str) -> Head:
        """Return the head of a task."""
        return cast(Head, self.heads[_key(task)])

    def forward(self, batch: Batch) -> Tensor:
        """Return the outputs of the head of the batch's task."""
        return self.outputs(batch.task, self.states(batch), batch)

    def outputs(self, task: str, states: Tensor, batch: Batch) -> Tensor:
        """Return the outputs of the head of a task, given the states of the shared layers."""
        if _key(task) in self.private:
            states = self.private[_key(task)](states, batch, self.dropout.share)
        outputs: Tensor = self.head(task)(states, batch)
        return outputs

    def states(self, batch: Batch) -> Tensor:
        """Return [N, D] the states of the layers that all tasks share."""
        vectors = self.input(batch, self._sparse)
        vectors = F.dropout(vectors, self.dropout.share, self.training)
        return F.dropout(self.encoder(vectors, batch), self.dropout.share, self.training)

    def loss(self, batch: Batch) -> Tensor:
        """Return the training loss, which the head of the batch's task defines."""
        batch = self.head(batch.task).prepare(batch)
        return self.head(batch.task).loss(self(batch), batch)

    def training_step(self, chunk: Chunk, _: int) -> dict[str, Tensor]:
        """Take the steps of a chunk: for each batch, one update of the optimizer.

        Returns:
            `losses` [steps], detached.
        """
        # Without Lightning's wrapper, which costs as much as a small step.
        optimizer = self.optimizers(use_pl_optimizer=False)
        assert isinstance(optimizer, Optimizer)  # there is one, not a list
        steps = zip(chunk.steps, chunk.batches, strict=True)
        return {"losses": torch.stack([self.take_step(optimizer, *each) for each in steps])}

    def take_step(self, optimizer: Optimizer, step: int, parts: Sequence[Batch]) -> Tensor:
        """Update the parameters once; return the loss, detached.

        Args:
            optimizer: of this module.
            step: its number, which dropout follows from.
            parts: of the batch, equal in size.
        """
        # From (seed, step) alone, so that a resumed run draws what it would have drawn;
        # 1,000,003 is above the steps of most runs, so that two seeds share no draws.
        _seed(self.dropout.seed * 1_000_003 + step, self.device)
        # To None: heads of other tasks are left out; zeros would make Adadelta decay theirs.
        optimizer.zero_grad(set_to_none=True)
        loss = torch.stack([self._add_gradient(part, len(parts)) for part in parts]).sum()
        if len(parts) > 1:
            _add_up_rows(self.parameters())
        with learning_rate(optimizer, self.options.rates.get(parts[0].task)):
            optimizer.step()
        return loss

    def _add_gradient(self, part: Batch, parts: int) -> Tensor:
        """Add the gradient of one of the equal parts of a batch; return its share of the loss."""
        loss = self.loss(part)
        (self._weighted(loss, part.task) / parts).backward()
        return loss.detach() / parts

    def _weighted(self, loss: Tensor, task: str) -> Tensor:
        """Return the loss of a task as it counts among those of the others."""
        if self.learned_weights is not None:
            weighted: Tensor = self.learned_weights(loss, list(self.tasks).index(task))
            return weighted
        weights = self.options.loss_weights
        weight = 1.0 if isinstance(weights, str) else weights.get(task, 1.0)
        return loss if weight == 1 or len(self.tasks) == 1 else weight * loss

    def validation_step(self, batch: Batch, *_: int) -> None:
        """Count the hits of one batch."""
        batch = self.head(batch.task).prepare(batch)
        result = self.head(batch.task).evaluate(self(batch), batch)
        self._loss(batch.task).update(result.losses, result.weights)
        fitted = self.tasks[batch.task]
        scorer = self.scorers.setdefault(batch.task, fitted.type.scorer(fitted.targets))
        tensors = (result.predictions, result.gold, result.lengths)
        scorer.update(*(tensor.cpu().numpy() for tensor in tensors))

    def on_validation_epoch_end(self) -> None:
        """Turn the counts into `evaluated`: by task, `loss` and the metrics of its type."""
        self.evaluated = {}
        for task, scorer in sorted(self.scorers.items()):
            mean = self._loss(task)
            # Without a target that has a loss, it is 0; to compute the mean would be 0 / 0.
            loss = float(mean.compute()) if bool(mean.weight) else 0.0
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss of task '{task}' is {loss} in an evaluation. A smaller "
                    "`optimizer.lr`, or word vectors of smaller numbers, may help."
                )
            self.evaluated[task] = {"loss": loss, **scorer.compute()}
            mean.reset()
        self.scorers = {}

    def _loss(self, task: str) -> MeanMetric:
        mean = cast(MeanMetric, self.losses[_key(task)])
        # For sums of hundreds of thousands of words. Set each time: after Lightning has moved the
        # module to its device, torchmetrics would add up in float32 again.
        mean.set_dtype(torch.float64)
        return mean

    def tag(
        self, tasks: Sequence[str], split: EncodedSplit, scores: bool = False
    ) -> dict[str, Tagged]:
        """Return what is predicted of sentences, by task.

        Args:
            tasks: some of the tagger's.
            split: sentences, as its input encoded them.
            scores: whether the probabilities of the predictions are wanted.
        """
        count = len(split)
        tagged = {t: Tagged([None] * count, [None] * count if scores else None) for t in tasks}
        self.eval()
        for numbers in evaluation_batches(split):
            with torch.no_grad():
                batch = self.input.collate(tasks[0], split, numbers)
                states = self.states(batch)
                for task, (targets, probabilities) in tagged.items():
                    outputs = self.outputs(task, states, batch)
                    _fill(targets, numbers, self.head(task).decode(outputs, batch))
                    if probabilities is not None:
                        _fill(probabilities, numbers, self.head(task).scores(outputs, batch))
        return tagged

    def trained_weights(self) -> dict[str, Tensor]:
        """Return the parameters that train, by name; what is frozen is left out."""
        return {name: p.detach() for name, p in self.named_parameters() if p.requires_grad}

    def load_trained_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take over parameters, as `trained_weights` returned them."""
        own = dict(self.named_parameters())
        with torch.no_grad():
            for name, weight in weights.items():
                own[name].copy_(weight)

    test_step = validation_step
    on_test_epoch_end = on_validation_epoch_end

    def configure_optimizers(self) -> Optimizer:
        """Make the optimizer, for all parameters that train."""
        named = [(name, p) for name, p in self.named_parameters() if p.requires_grad]
        takes_names = getattr(called(self._make_optimizer), "takes_names", False)
        optimizer = self._make_optimizer(named if takes_names else [p for _, p in named])
        self._sparse = getattr(optimizer, "takes_sparse_gradients", False)
        return optimizer


def called(factory: Any) -> Any:
    """Return the class that a partial call makes."""
    return getattr(factory, "func", factory)


def _seed(seed: int, device: torch.device) -> None:
    """Seed what a step draws from.

    `torch.manual_seed` would format the stack for each kind of device that is not in use, which
    costs a twentieth of a step.
    """
    torch.default_generator.manual_seed(seed)
    of_device = getattr(getattr(torch, device.type, None), "manual_seed", None)  # CPUs have none
    if of_device:
        of_device(seed)


def _fill(results: list[Any], numbers: Ints, values: Sequence[Any]) -> None:
    """Put the values of a batch into the places of its sentences."""
    for number, value in zip(numbers.tolist(), values, strict=True):
        results[number] = value


def _key(task: str) -> str:
    return f"task_{task}"  # a bare name, such as "keys", may be a method of nn.ModuleDict


def _add_up_rows(parameters: Iterable[nn.Parameter]) -> None:
    """Add up what several backward passes left of each row of a sparse gradient."""
    for parameter in parameters:
        if parameter.grad is not None and parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
