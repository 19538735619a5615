"""Training steps of other tools on the same sentences: tokens per second of one processor.

    pip install --editable '.[peers]'
    python -m benchmarks.peers [--task chu] [--rounds 7] [--batches 20]

All have word vectors of 100 numbers that are trained, a biLSTM of 100 units a direction and a
softmax. Peers get their batches ready made; our own steps draw theirs. What is not installed is
left out, and named.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import PackedSequence

from benchmarks.step import prepared, whole_steps
from benchmarks.timing import Row, in_turn, options
from mtl_bench.models.inputs.batches import Batch

DIM = HIDDEN = 100


@dataclass(frozen=True)
class Padded:
    """A batch as most tools want it.

    Attributes:
        words: [B, T] ids, 0 behind the end of a sentence; real words from 1.
        labels: [B, T].
        lengths: [B].
    """

    words: NDArray[np.int64]
    labels: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, batch: Batch, steps: int) -> Padded:
        """Return a flat batch, padded to a number of steps."""
        lengths = batch.lengths.numpy()
        words, labels = (np.zeros((len(lengths), steps), dtype=np.int64) for _ in range(2))
        inside = np.arange(steps) < lengths[:, None]
        words[inside] = batch.rows[batch.words][batch.order].numpy() + 1
        labels[inside] = batch.targets[batch.order].numpy()
        return cls(words, labels, lengths)


Step = Callable[[Padded], object]


def packed(vocabulary: int, labels: int) -> Callable[[Batch], object]:
    """Return a step as PyTorch's tutorials write it: nn.LSTM, dense gradients, Adadelta."""
    table = torch.nn.Embedding(vocabulary, DIM)
    lstm = torch.nn.LSTM(DIM, HIDDEN, bidirectional=True)
    head = torch.nn.Linear(2 * HIDDEN, labels)
    optimizer = torch.optim.Adadelta(torch.nn.ModuleList([table, lstm, head]).parameters())

    def step(batch: Batch) -> None:
        optimizer.zero_grad()
        inputs = table(batch.rows[batch.words])
        states = lstm(PackedSequence(inputs, batch.sizes))[0].data
        torch.nn.functional.cross_entropy(head(states), batch.targets).backward()
        optimizer.step()

    return step


def tensorflow_graph(vocabulary: int, labels: int) -> Step:
    """Return a step in the style of the paper's code: a TensorFlow 1 graph, run in a session.

    `bidirectional_dynamic_rnn` over cells whose input and state share one product; Adadelta with
    sparse updates of the word vectors.
    """
    import tensorflow

    tf = tensorflow.compat.v1

    class Cell:
        """The cell of TensorFlow 1, which Keras 3 took out of the package."""

        state_size = (HIDDEN, HIDDEN)
        output_size = HIDDEN

        def __init__(self, name: str) -> None:
            self.kernel = tf.get_variable(f"{name}_kernel", [DIM + HIDDEN, 4 * HIDDEN])
            self.bias = tf.get_variable(f"{name}_bias", [4 * HIDDEN])

        def get_initial_state(self, batch_size: Any, dtype: Any, **_: Any) -> Any:
            return tuple(tf.zeros([batch_size, HIDDEN], dtype) for _ in range(2))

        def __call__(self, inputs: Any, state: Any, **_: Any) -> Any:
            cell, hidden = state
            gates = tf.matmul(tf.concat([inputs, hidden], 1), self.kernel) + self.bias
            i, g, f, o = tf.split(gates, 4, 1)
            cell = cell * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(g)
            hidden = tf.tanh(cell) * tf.sigmoid(o)
            return hidden, (cell, hidden)

    with tf.Graph().as_default():
        words = tf.placeholder(tf.int64, [None, None])
        gold = tf.placeholder(tf.int64, [None, None])
        lengths = tf.placeholder(tf.int64, [None])
        table = tf.get_variable("table", [vocabulary, DIM])
        states, _ = tf.nn.bidirectional_dynamic_rnn(
            Cell("ahead"),
            Cell("back"),
            tf.nn.embedding_lookup(table, words),
            sequence_length=lengths,
            dtype=tf.float32,
        )
        weights = tf.get_variable("weights", [2 * HIDDEN, labels])
        bias = tf.get_variable("bias", [labels])
        logits = tf.einsum("bth,hc->btc", tf.concat(states, 2), weights) + bias
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=gold, logits=logits)
        loss = tf.reduce_mean(tf.boolean_mask(losses, tf.sequence_mask(lengths)))
        update = tf.train.AdadeltaOptimizer(1.0).minimize(loss)
        session = tf.Session()
        session.run(tf.global_variables_initializer())

    def step(batch: Padded) -> None:
        longest = batch.lengths.max()
        feed = {words: batch.words[:, :longest], gold: batch.targets[:, :longest]}
        session.run(update, {**feed, lengths: batch.lengths})

    return step


def keras_model(vocabulary: int, labels: int) -> Step:
    """Return a step of a Keras model, written as its guides do."""
    import keras

    model = keras.Sequential(
        [
            keras.layers.Embedding(vocabulary, DIM, mask_zero=True),
            keras.layers.Bidirectional(keras.layers.LSTM(HIDDEN, return_sequences=True)),
            keras.layers.Dense(labels, activation="softmax"),
        ]
    )
    model.compile(optimizer="adadelta", loss="sparse_categorical_crossentropy")
    return lambda batch: model.train_on_batch(batch.words, batch.targets)


def flair_tagger(vocabulary: int, labels: int) -> Callable[[Any], object]:
    """Return a step of flair's tagger without a CRF, on what `flair_sentences` makes."""
    import flair
    from flair.data import Dictionary
    from flair.embeddings import OneHotEmbeddings
    from flair.models import SequenceTagger

    flair.device = torch.device("cpu")
    logging.getLogger("flair").setLevel(logging.WARNING)  # else it prints every word
    words, tags = Dictionary(), Dictionary(add_unk=False)
    for number in range(1, vocabulary):
        words.add_item(f"w{number}")
    for label in range(labels):
        tags.add_item(f"c{label}")
    tagger = SequenceTagger(
        OneHotEmbeddings(words, embedding_length=DIM),
        tags,
        tag_type="label",
        hidden_size=HIDDEN,
        use_crf=False,
        reproject_embeddings=False,
        word_dropout=0.0,
        locked_dropout=0.0,
    )
    tagger.train()
    optimizer = torch.optim.SGD(tagger.parameters(), lr=0.1)  # flair's own choice, a cheap one

    def step(sentences: Any) -> None:
        optimizer.zero_grad()
        loss, _ = tagger.forward_loss(sentences)
        loss.backward()
        optimizer.step()
        for sentence in sentences:
            sentence.clear_embeddings()

    return step


def flair_sentences(batch: Padded) -> Any:
    """Return a batch as flair's sentences."""
    from flair.data import Sentence

    sentences = []
    for words, labels, length in zip(batch.words, batch.targets, batch.lengths, strict=True):
        sentence = Sentence([f"w{word}" for word in words[:length]])
        for token, label in zip(sentence, labels, strict=False):
            token.add_label("label", f"c{label}")
        sentences.append(sentence)
    return sentences


def over(step: Callable[[Any], object], batches: list[Any]) -> Callable[[], None]:
    """Return a function that takes a step on each batch."""

    def act() -> None:
        for batch in batches:
            step(batch)

    return act


def measure(task: str, rounds: int = 7, count: int = 20) -> tuple[str, list[Row], float]:
    """Return what was measured, the rows (processor time of a step), and tokens a step."""
    name, data, tagger = prepared(task)
    batches = [data.draw(step) for step in range(count)]
    longest = max(int(batch.lengths.max()) for batch in batches)
    padded = [Padded.of(batch, longest) for batch in batches]
    vocabulary = max(int(batch.rows.max()) for batch in batches) + 2
    labels = len(tagger.tasks[name].targets)
    sides: dict[str, Callable[[], object]] = {
        f"mtl_bench, {kind}": steps.take for kind, steps in whole_steps(name, count).items()
    }
    sides["nn.LSTM, torch.optim.Adadelta"] = over(packed(vocabulary, labels), batches)
    if _there("tensorflow"):
        import tensorflow

        tensorflow.get_logger().setLevel("ERROR")
        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        version = tensorflow.__version__
        sides[f"TensorFlow {version}, graph"] = over(tensorflow_graph(vocabulary, labels), padded)
        sides["Keras"] = over(keras_model(vocabulary, labels), padded)
    if _there("flair"):
        import flair

        sentences = [flair_sentences(batch) for batch in padded]
        sides[f"flair {flair.__version__}"] = over(flair_tagger(vocabulary, labels), sentences)
    tokens = sum(map(len, batches)) / count
    title = (
        f"Peers: {name}, {labels} labels, batches of 32 sentences, {tokens:.0f} tokens, 1 thread"
    )
    return title, in_turn(sides, rounds, count, time.process_time), tokens


def _there(package: str) -> bool:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    found = importlib.util.find_spec(package) is not None
    if not found:
        print(
            f"{package} is not installed (pip install --editable '.[peers]'): left out",
            file=sys.stderr,
        )
    return found


def show(title: str, rows: list[Row], tokens: float) -> None:
    """Print tokens per second, and how many times as long as ours a step takes."""
    print(f"\n{title}")
    for row in rows:
        print(
            f"  {row.name:44s} {1000 * tokens / row.milliseconds:9.0f} tokens per CPU second   "
            f"time {row.ratio:6.2f} ({row.low:.2f} to {row.high:.2f})"
        )


def main() -> None:
    """Measure and print."""
    given = options(__doc__, rounds=7)
    show(*measure(given.task, given.rounds, given.batches))


if __name__ == "__main__":
    main()
