"""`mtl-bench check` on files of the formats that people have, good and damaged."""

import json

import pytest

from mtl_bench.__main__ import main

TEXT = "Ada Lovelace met Charles Babbage in London"
WORDS = [*TEXT.split(), "."]
LABELS = ["B-PER", "I-PER", "O", "B-PER", "I-PER", "O", "B-LOC", "O"]
SPANS = [[0, 12, "PER"], [17, 32, "PER"], [36, 42, "LOC"]]
NAMED = [{"start": start, "end": end, "label": label} for start, end, label in SPANS]
BIOES = {"B-PER": "B-PER", "I-PER": "E-PER", "B-LOC": "S-LOC", "O": "O"}
N = range(30)


def lines(items, tail=""):
    return "".join(json.dumps(item) + "\n" for item in items) + tail


def columns(*of_word, head=""):
    """Return a table of 30 sentences, each with a word of its own."""
    return head + "".join(
        "".join("\t".join(f(n, w, x) for f in of_word) + "\n" for w, x in zip(WORDS, LABELS, strict=True))
        + f"w{n}\t" + "\t".join(["O"] * (len(of_word) - 1)) + "\n\n"
        for n in N
    )  # fmt: skip


FILES = {
    "prodigy.jsonl": (lines({"text": f"{TEXT} {n}.", "spans": NAMED} for n in N), ["character offsets in 'spans'", "scheme BIO"]),
    "doccano.jsonl": (lines({"text": f"{TEXT} {n}.", "label": SPANS} for n in N), ["character offsets in 'label'", "scheme BIO"]),
    "studio.json": (
        json.dumps([{"data": {"text": f"{TEXT} {n}."}, "annotations": [{"result": [{"value": s} for s in NAMED]}]} for n in N], indent=1),
        ["character offsets", "scheme BIO"],
    ),
    "outside.jsonl": (lines([*({"text": TEXT, "spans": NAMED} for _ in N), {"text": "short", "spans": NAMED}]), ["line 31", "not inside the text, which has 5"]),
    "pairs.jsonl": (lines({"source": f"the dog {n} runs", "target": f"dog {n}"} for n in N), ["its type is seq2seq", "Outputs of 2 to 2 words"]),
    "empty.jsonl": (lines([*({"source": "a b", "target": "a"} for _ in N), {"source": "a", "target": " "}]), ["line 31", "'target' is empty"]),
    "ints.jsonl": (lines({"tokens": WORDS, "ner_tags": [1, 2, 0, 1, 2, 0, 3, 0]} for _ in N), ["has whole numbers", "classes: [O, B-PER"]),
    "classes.jsonl": (lines({"text": f"{TEXT} {n}.", "label": ["bad", "good"][n % 2]} for n in N), ["its type is classification", "2 classes"]),
    "cut.jsonl": (lines(({"tokens": WORDS, "labels": LABELS} for _ in N), '{"tokens": ["a"'), ["line 31", "is not JSON"]),
    "conll2003.tsv": (
        columns(lambda n, w, x: w, lambda n, w, x: "NNP", lambda n, w, x: x, head="-DOCSTART-\t-X-\tO\n\n"),
        ["document marks (-DOCSTART-) left out: 1", "column 3", "scheme BIO"],
    ),
    "bioes.tsv": (columns(lambda n, w, x: w, lambda n, w, x: BIOES[x]), ["scheme BIOES", "outside label 'O'"]),
    "io.tsv": (columns(lambda n, w, x: w, lambda n, w, x: x.rpartition("-")[2]), ["PER", "outside label 'O'"]),
    "damaged.tsv": (columns(lambda n, w, x: w, lambda n, w, x: x) + "alone\n", ["line 301", "1 column where at least 2"]),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_the_format_is_told_and_damage_is_named(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    content, expected = FILES[name]
    (tmp_path / name).write_text(content, "utf-8")
    code = main(["check", name])
    output = capsys.readouterr()
    shown = output.out + output.err
    for text in expected:
        assert text in shown, shown
    damaged = any("line" in text for text in expected) or name == "ints.jsonl"
    assert code == (2 if damaged else 0), shown
