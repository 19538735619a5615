"""The programs of docs/examples, as a user starts them."""

import subprocess
import sys
from pathlib import Path

import torch

import mtl_bench
from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "docs" / "examples"


def test_a_fine_tuned_task_is_loaded_by_transformers_and_gives_the_same_labels(
    pretrained_folder, command
):
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    code, _, err = command(
        "main=syn_pos", "aux=syn_key", "encoder=transformer", "optimizer=adamw",
        "optimizer.lr=0.01", f"embeddings.model={pretrained_folder()}", "steps_per_task=30",
        "data.batch_size=8", "sweep_name=export",
    )  # fmt: skip
    assert code == 0, err
    (record,) = Path("multirun_outputs/export").rglob("record.json")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "to_hugging_face.py"), str(record.parent), "syn_key", "hf"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    model = AutoModelForTokenClassification.from_pretrained("hf")
    tokenizer = AutoTokenizer.from_pretrained("hf")
    sentences = [["Baker", "sold", "cats", "to", "the", "unseen", "words", "."], ["one"]]
    for sentence, labels in zip(
        sentences, mtl_bench.load_tagger(record.parent).tag(sentences, "syn_key"), strict=True
    ):
        encoding = tokenizer(sentence, is_split_into_words=True, return_tensors="pt")
        first = {}
        for place, word in enumerate(encoding.word_ids()):
            first.setdefault(word, place)
        inputs = {name: encoding[name] for name in ("input_ids", "attention_mask")}
        with torch.no_grad():
            best = model(**inputs).logits[0].argmax(1).tolist()
        assert [model.config.id2label[best[first[n]]] for n in range(len(sentence))] == labels
