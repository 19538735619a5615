"""Findings about a corpus, and the format that is guessed."""

import gzip
import json
from dataclasses import replace

import pytest

from mtl_bench.errors import UserError
from mtl_bench.tasks.checks.examine import examine
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example, Remark
from mtl_bench.tasks.format_guess.guess import guess
from mtl_bench.tasks.types.tagging import Tagging, guess_outside, guess_spans


def corpus(train, test=None, outside="O", spans=None, dev=()):
    def sentences(lines):
        return tuple(
            Example(*zip(*(p.split("/") for p in line.split()), strict=True)) for line in lines
        )

    splits = {
        "train": sentences(train),
        "dev": sentences(dev),
        "test": sentences(test or ["z/O y/X"]),
    }
    return Corpus("t", splits, Tagging(outside, spans))


def findings(corpus):
    return "\n".join(f"{finding.level}: {finding.text}" for finding in examine(corpus))


@pytest.mark.parametrize(
    ("content", "reader", "options"),
    [
        ("The\tDT\nold\tJJ\nman\tNN\nold\tJJ\n\nA\tDT\ndog\tNN\n", "ColumnReader", {"word": 1, "label": 2, "separator": "tab"}),
        ("1 The x B-NP\n2 cat y I-NP\n\n1 A z B-NP\n2 d y I-NP\n3 e x O\n4 f y O\n", "ColumnReader", {"word": 2, "label": 4, "separator": "blank"}),
        ("# id = 1\nDT\tThe\nNN\tcat\nNN\tdog\nDT\tA\n\n# id = 2\nNN\tmat\n", "ColumnReader", {"word": 2, "label": 1, "separator": "tab", "comment": "#"}),
        ("# # O\nNo NN B\n# # O\n1 CD I\nof IN O\nin IN O\n\nx NN O\n", "ColumnReader", {"word": 1, "label": 3, "separator": "blank"}),
        ("le  O\nquai\tO\nsuit O\nle\tB\n\nsuit O\nun B\n", "ColumnReader", {"word": 1, "label": 2, "separator": "blank"}),
        ("\tle X O\n\tquai X O\n\tsuit X B\n\t\n\tle X O\n\tun X B\n", "ColumnReader", {"word": 1, "label": 3, "separator": "blank"}),
        ("New York\tB\nis\tO\nfar\tO\n\nNew York\tB\nis far\tO\n", "ColumnReader", {"word": 1, "label": 2, "separator": "tab"}),
        ("".join(f"d{n}.{m}\t{n}:{m}\tw{n * m % 41}\t{'XY'[m % 2]}\ts{n}\n" + "\n" * (m == 3) for n in range(30) for m in range(4)), "ColumnReader", {"word": 3, "label": 4, "separator": "tab"}),
        ("a\tX\n\u00a0\tX\nb\tY\nc\tY\nd\tX\ne\tY\n", "ColumnReader", {"word": 1, "label": 2, "separator": "tab", "blank_word": "sentence_break"}),
        ("# text\n" + "".join(f"{n}\tw{n}\tl\t_\tNN\t_\t0\tobj\t_\t_\n" for n in (1, 2)), "ConlluReader", {"label": "xpos"}),
        (json.dumps({"id": 1, "tags": ["X"], "tokens": ["a"]}), "JsonLinesReader", {"words": "tokens", "labels": "tags"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("compressed", [False, True])
def test_the_format_is_guessed(tmp_path, content, reader, options, compressed):
    file = tmp_path / ("file.gz" if compressed else "file")
    file.write_bytes(gzip.compress(content.encode()) if compressed else content.encode())
    guessed = guess([file])
    target = guessed.reader.pop("_target_")
    assert target.endswith("." + reader)
    assert guessed.reader == options
    assert guessed.reasons


def test_what_the_user_knows_is_not_guessed(tmp_path):
    (tmp_path / "f").write_text("a X 1 p\nb X 2 q\nc Y 3 p\nd Y 3 q\n")
    assert guess([tmp_path / "f"], "4", "2").reader["word"] == 4
    assert guess([tmp_path / "f"], "4", "2").reader["label"] == 2
    assert guess([tmp_path / "f"], separator="blank").reader["separator"] == "blank"
    with pytest.raises(UserError, match="most lines have one column"):
        guess([tmp_path / "f"], separator="tab")
    with pytest.raises(UserError, match="--label X: columns are whole numbers"):
        guess([tmp_path / "f"], None, "X")
    (tmp_path / "j").write_text('{"tokens": ["a"], "labels": ["X"], "id": 5}\n')
    for word, label in ((None, "nothere"), (None, "id"), ("nothere", None)):
        with pytest.raises(UserError, match="Lists found: tokens, labels"):
            guess([tmp_path / "j"], word, label)
    (tmp_path / "s.csv").write_text("hello,greet\nbye,leave\n" * 9)
    assert guess([tmp_path / "s.csv"], "1", "2", "comma").type == "classification"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"one\ntwo\n", "most lines have one column"),
        ("é\tX\n".encode("utf-16"), "iconv -f utf-16"),
        ("é\tX\n".encode("latin1"), "line 1: byte 1 is not UTF-8"),
        (b"\n \n", "the file is empty"),
        (b'{"tokens": ["a"]}', "expected two lists"),
        (b"{no", "begins with a brace, but is not JSON"),
        (b'{"a":' * 5000, "begins with a brace, but is not JSON"),
        (b'[\n{"tokens": ["a"]}\n]', "looks like a JSON list"),
        (gzip.compress(b"a\tX\n", mtime=0), "is compressed .gzip."),
        (b"\xef\xbb\xbf", "has blank lines only"),
    ],
)
def test_a_file_that_is_none_of_the_formats_is_refused(tmp_path, content, message):
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(UserError, match=message):
        guess([tmp_path / "f"])


@pytest.mark.parametrize(
    ("labels", "outside", "spans"),
    [
        ("B-X I-X B-X I-X I-X O", "O", "bio"),
        ("N V V", None, None),
        ("o o k", "o", None),
        ("V V O O N V", None, None),  # O: pronouns of a tweet
        ("b i o o", "o", "bio"),
    ],
)
def test_outside_and_spans_are_guessed(labels, outside, spans):
    checked = corpus([" ".join(f"w/{label}" for label in labels.split())])
    assert (guess_outside(checked.splits), guess_spans(checked.splits)) == (outside, spans)


TRAIN = ["a/O b/X c/O", "d/X e/O", "f/O g/O"]


@pytest.mark.parametrize(
    ("checked", "expected"),
    [
        (corpus(TRAIN), "ok: Sizes: train 3 sentences with 7 words, test 1 sentence with 2 words."),
        (corpus(TRAIN), "ok: 2 labels in train: O 5, X 2."),
        (corpus(TRAIN), "ok: 71.4% of the words have the outside label 'O'."),
        (corpus(["a/O b/O c/O"]), "error: A single label leaves nothing to learn."),
        (corpus(["a/P b/Q c/R"]), "error: Every third word has a label of its own."),
        (corpus([*TRAIN, "word/label"]), "warning: 1 label of train with one occurrence: label (1)."),
        (corpus(["a/B-x b/E-x c/O"] * 3, ["z/S-x"], spans="bioes"), "ok: Labels mark spans by the scheme BIOES (B-x): span F1 is computed by it"),
        (corpus(["a/B-x b/E-x c/O"] * 3, ["z/S-x"]), "ok: Labels mark spans by the scheme BIOES (B-x): `spans: bioes` computes span F1 by it"),
        (corpus(["a/I-x b/O c/O"] * 3, ["z/I-x"], spans="io"), "IO (I-x) (as is IOB1 in which no two spans of a type touch)"),
        (corpus(["a/B-x b/I-x c/O"] * 10 + ["d/0"], ["z/O"], spans="bio"), "warning: Labels that do not follow the span scheme: 0 (1)."),
        (corpus(["a/B-x b/I-x c/O"], ["z/O"], spans="xml"), "error: task 't': spans is 'xml'; it is one of io, iob1, bio, bioes, bilou, bmes, or null."),
        (corpus(["a/B-x b/I-x c/B-y d/O"], ["z/O"], spans="io"), "error: task 't': spans is 'io', but its labels do not follow that scheme."),
        (corpus(["a/B-x b/L-x c/U-x d/O"], ["z/O"], spans="bio"), "error: task 't': spans is 'bio', but its labels do not follow that scheme: L-x, U-x."),
        (corpus(["a/B-x b/L-x c/U-x d/O"], ["z/O"], spans="bio"), "Set `spans: bilou` in the task's yaml."),
        (corpus([f"w{n}/O x/X" for n in range(40)], ["y/O"]), "warning: test: no word occurs in train."),
        (corpus([f"id{n}/O" if n % 9 else f"id{n}/X" for n in range(80)], ["y/O"]), "warning: 80 of the 80 words of train occur once: are they identifiers"),
        (corpus(TRAIN, ["z/O a/X"]), "ok: test: 1 of 2 words (50.0%) do not occur in train"),
        (corpus(TRAIN), "warning: Training draws 32 sentences a step, more than train has"),
        (corpus([*TRAIN, "h/x"]), "warning: Labels that differ in case only: X and x."),
        (corpus(TRAIN, outside="o"), "error: task 't': outside is 'o', which is none of the 2 labels"),
        (corpus(TRAIN, ["z/Y y/O"]), "warning: test has 1 label that train has not: Y (1)."),
        (corpus(TRAIN, ["z/P y/Q"]), "error: task 't': its train and test splits have no label in common."),
        (corpus(["a/O b/I-X c/I-X", "d/B-X e/I-Y"], spans="bio"), "warning: train: 2 labels inside a span that continue none, first in sentence 1: a/O b/I-X c/I-X."),
        (corpus([*TRAIN, "a/O b/X c/O"]), "warning: train: 1 of 4 sentences repeat an earlier one; most frequent (2 times) is 'a b c'."),
        (corpus(TRAIN, ["a/O b/X c/O", "z/O", "y/O"]), "warning: test: 1 of 3 sentences (33.3%) stand in train, too, such as 'a b c'."),
        (corpus(TRAIN, TRAIN), "error: test: 3 of 3 sentences (100.0%) stand in train"),
        (corpus(TRAIN, TRAIN), "Are they the same file?"),
        (corpus([" ".join(["a/O b/X"] * 60)]), "warning: 1 of 2 sentences have more than 100 words, the longest 120"),
        (corpus(["a/O", "b/X", "c/O"], ["d/O"]), "error: Every sentence has one word"),
        (corpus(["a\u200bb/O c\u00adb/X"]), "warning: Words with blanks, or with characters that are not visible: 2"),
        (corpus(["a\x93b/O c\x07/X"]), "warning: Words with control characters: 2, such as 'a\\x93b', 'c\\x07'."),
    ],
)  # fmt: skip
def test_a_finding_is_worded(checked, expected):
    assert expected in findings(checked)


def test_what_reading_left_out_is_a_finding():
    remarks = (Remark("f: comment lines left out", 3, "line 2", True), Remark("f: x", 1, "", False))
    checked = replace(corpus(TRAIN), remarks=remarks)
    assert "ok: f: comment lines left out: 3, first in line 2." in findings(checked)
    assert "warning: f: x: 1." in findings(checked)


def test_a_good_corpus_has_nothing_to_fix():
    checked = corpus([f"w{n}/O x/X" for n in range(40)], ["w3/O y/X"])
    assert {finding.level for finding in examine(checked)} == {"ok"}
