"""Tagging with a fine-tuned encoder: sentences per second beside other tools.

    pip install --editable '.[transformers,peers]'
    python -m benchmarks.tagging <run folder> [--sentences 10000] [--rounds 3]

The run is one of `experiment=finetune`. All sides have its transformer on one thread and get the
training sentences of its main task, repeated as need be; the Hugging Face pipeline has the same
weights (docs/examples/to_hugging_face.py), flair's tagger a layer drawn at random, which takes as
long as a trained one. What is not installed is left out, and named.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

import mtl_bench
from benchmarks.timing import Row, in_turn, show
from mtl_bench.commands.shared.definitions import corpus_of, definitions

BATCH = 32


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    title, rows = measure(given.run, given.sentences, given.rounds)
    show(title, rows)
    for row in rows:
        print(f"  {row.name:44s} {1000 / row.milliseconds:9.1f} sentences a second")


def measure(run: Path, count: int, rounds: int) -> tuple[str, list[Row]]:
    """Return times of a sentence."""
    torch.set_num_threads(1)
    tagger = mtl_bench.load_tagger(run)
    task = tagger.main
    corpus = corpus_of(task, definitions([task])[task])
    words = (list(example.words) for example in itertools.cycle(corpus["train"]))
    sentences = list(itertools.islice(words, count))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _exporter()(run, task, folder)
        sides: dict[str, Callable[[], object]] = {
            "Hugging Face pipeline": pipeline(folder, sentences)
        }
        if importlib.util.find_spec("flair"):
            sides["flair"] = flair_tagger(folder, sentences)
        else:
            print("not installed, so left out: flair")
        sides["mtl_bench"] = lambda: tagger.tag(sentences)
        rows = in_turn(sides, rounds, count, warm_up=False)
    return f"Tagging: {count:,} sentences of {task}, 1 thread", rows


def _exporter() -> Callable[[Path, str, Path], None]:
    """Return the function of the example, which is no package."""
    path = Path(__file__).parent.parent / "docs" / "examples" / "to_hugging_face.py"
    spec = importlib.util.spec_from_file_location("to_hugging_face", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["to_hugging_face"] = module
    spec.loader.exec_module(module)
    export: Callable[[Path, str, Path], None] = module.export
    return export


def pipeline(folder: Path, sentences: Sequence[Sequence[str]]) -> Callable[[], object]:
    """Return a call of the pipeline on sentences as text, which is what it takes."""
    from transformers import pipeline as make

    tag: Any = make("token-classification", str(folder), tokenizer=str(folder), device=-1)
    texts = [" ".join(sentence) for sentence in sentences]
    return lambda: tag(texts, batch_size=BATCH)


def flair_tagger(folder: Path, sentences: Sequence[Sequence[str]]) -> Callable[[], object]:
    """Return a call of flair's tagger."""
    import flair
    from flair.data import Dictionary, Sentence
    from flair.embeddings import TransformerWordEmbeddings
    from flair.models import SequenceTagger
    from transformers import AutoConfig

    flair.device = torch.device("cpu")
    labels = Dictionary(add_unk=False)
    for name in AutoConfig.from_pretrained(folder).id2label.values():
        labels.add_item(name)
    embeddings = TransformerWordEmbeddings(str(folder), layers="-1", subtoken_pooling="first")
    tagger = SequenceTagger(
        embeddings, labels, "label", use_rnn=False, use_crf=False, reproject_embeddings=False
    )

    def tag() -> None:
        # Sentences keep what was embedded: each round makes its own, as a user would.
        own = [Sentence(list(sentence)) for sentence in sentences]
        tagger.predict(own, mini_batch_size=BATCH)

    return tag


if __name__ == "__main__":
    main()
