"""Sentences to tag, read from files and pipes: what was written is read, and mistakes have a place."""

import gzip
import io
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.tasks.readers import lines
from mtl_bench.tasks.sentences import stream
from mtl_bench.tasks.sentences.formats import conll, plain
from mtl_bench.tasks.sentences.guess import guess_format
from mtl_bench.tasks.sentences.read import Format, chunks, sentences
from mtl_bench.tasks.sentences.stream import StreamLines, open_lines

# Words of any signs but blanks and line ends, NUL, halves of characters, and byte order marks.
SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r \0\ufeff")
WORDS = st.text(SIGNS, min_size=1, max_size=8).filter(lambda word: word.strip())
SENTENCES = st.lists(st.lists(WORDS, min_size=1, max_size=6).map(tuple), max_size=6)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def lines_of(content):
    content = content if isinstance(content, bytes) else content.encode()
    return StreamLines(io.BytesIO(content), "some.txt")


def read(content, name=None, **options):
    return list(sentences(lines_of(content), Format(name, **options)))


@given(SENTENCES, ENDS, st.booleans(), st.booleans())
def test_plain_sentences_come_back(written, end, with_mark, ended):
    text = end.join("  ".join(words) for words in written) + end * (ended and bool(written))
    content = "\ufeff" * with_mark + text
    assert read(content, "plain") == written


@given(SENTENCES, ENDS, st.sampled_from(["\tNN\tB-NP", "\t", ""]))
def test_words_in_columns_come_back(written, end, behind):
    # A word that looks like a comment of CoNLL-U or the start of a document is none.
    words = [tuple(f"x{word}" for word in sentence) for sentence in written]
    text = "".join("".join(f"{word}{behind}{end}" for word in s) + end for s in words)
    assert read(text, "conll") == words


@given(SENTENCES, st.sampled_from(["words", "tokens", None]), st.booleans())
def test_json_lines_come_back(written, key, ascii_only):
    objects = [{"id": 1, key: words} if key else words for words in written]
    text = "".join(json.dumps(each, ensure_ascii=ascii_only) + "\n" for each in objects)
    assert read(text, "jsonl") == written
    assert read(text) == written or not written


@given(st.binary(max_size=200), st.sampled_from(["plain", "conll", "jsonl", None]))
def test_any_bytes_are_read_or_refused_with_their_place(content, name):
    try:
        read(content, name)
    except UserError as error:
        assert str(error).startswith("some.txt")


def test_a_blank_line_is_a_sentence_without_words_in_plain_text_only():
    assert read("a b\n\n \t\nc\n", "plain") == [("a", "b"), (), (), ("c",)]
    assert read("\n\na\nb\n\n\n\nc\n", "conll") == [("a", "b"), ("c",)]
    assert read('["a"]\n\n[]\n', "jsonl") == [("a",), ()]
    assert read("", "plain") == read("", "conll") == read("", "jsonl") == read("") == []


def test_blanks_of_other_kinds_are_parts_of_words():
    assert read("a\u00a0b c\u2028d\n", "plain") == [("a\u00a0b", "c\u2028d")]
    assert read("New York\tB-LOC\nis\tO\n", "conll") == [("New York", "is")]


CONLLU = """# sent_id = 1
# text = Vámonos #
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\t_\t0\t_\t_\t_
2\tnos\t_\tPRON\t_\t_\t1\t_\t_\t_
2.1\tx\t_\tPRON\t_\t_\t1\t_\t_\t_
3\t#\t_\tSYM\t_\t_\t1\t_\t_\t_

# newpar
1\ta\t_\tX\t_\t_\t0\t_\t_\t_
"""


def test_conll_u_is_read_by_its_second_column():
    assert read(CONLLU) == [("Vamos", "nos", "#"), ("a",)]
    assert read(CONLLU, "conll", word="3") == [("_", "ir", "_", "_", "_"), ("_",)]


def test_marks_of_documents_and_lines_of_blanks_end_sentences():
    text = "-DOCSTART- -X- O\n\nEU NNP\n \t\n# NN\n# text\tNN\nrejects VBZ\n"
    assert read(text, "conll") == [("EU",), ("#", "# text", "rejects")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("The cat sat .\nIt slept .\n", "plain"),
        ("The cat sat .", "plain"),
        ("Hello\n", "plain"),
        ("[ 1 ] The cat\n{ braces }\n", "plain"),
        ("\n\n", "plain"),
        ("The\ncat\n", "conll"),
        ("The\n\ncat\n", "conll"),
        ("The\tDT\ncat\tNN\n", "conll"),
        ("The DT\ncat NN\n\nIt PRP\n", "conll"),
        ("The DT B-NP\n" * 9, "plain"),
        ("He ran away .\n" * 9, "plain"),
        ("The DT\ncat NN\n", "plain"),
        ("-DOCSTART- -X- O\n\nThe DT B\ncat NN I\n\nIt X O\n", "plain"),
        (CONLLU, "conll"),
        ('{"words": ["a"]}\n', "jsonl"),
        ('["a", "b"]\n', "jsonl"),
        ('\n{"words": ["a"\n', "jsonl"),
    ],
)
def test_a_format_is_guessed_and_no_line_is_lost(content, expected):
    numbered = list(lines_of(content))
    guess, lines = guess_format("some.txt", iter(numbered))
    assert list(lines) == numbered
    assert guess.format == ("conll" if content.startswith("-DOC") else expected)
    assert guess.reason or not content.strip()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.jsonl", "jsonl"), ("a.conllu.gz", "conll"), ("a.b.tsv", "conll"), ("a.json.xz", "jsonl")],
)
def test_the_name_of_a_file_says_its_format(name, expected):
    assert guess_format(name, iter([(1, "some text of words")]))[0] == (expected, "")


@pytest.mark.parametrize(
    ("content", "format_", "expected"),
    [
        (b"a\ncaf\xe9 b\n", "plain", "line 2: byte 4 is not UTF-8.*iconv -f latin1"),
        (b"\xff\xfea\0b\0", None, "line 1: byte 1 is not UTF-8.*iconv -f utf-16 "),
        ("a b\n".encode("utf-16-le"), None, "line 1: every other byte is 0.*utf-16le"),
        (gzip.compress(b"a b\n", mtime=0), None, r": is compressed \(gzip\)"),
        (b"PK\x03\x04", None, r"is compressed \(zip\)"),
        ("a\tX\n\tX\n", "conll", r"line 2: the word \(column 1\) is blank.*'\\tX'"),
        ('{"tokens": ["a"]}\n{"token": ["a"]}', None, "line 2: .*'words' or 'tokens'.*Keys: token"),
        ('"a b"\n', "jsonl", "line 1: expected a list of words"),
        ('["a", 3]\n', None, "line 1: 3 is no word"),
        ('["a", " "]\n', None, 'line 1: " " is no word'),
        ('["a", null]\n', None, "line 1: null is no word"),
        ('["a", "\\ud800"]\n', None, "line 1: .* is half a character"),
        ('["a"]\n["a"\n', None, "line 2: is not JSON: "),
        ("[" * 5000, "jsonl", "line 1: is not JSON: "),
    ],
)
def test_mistakes_have_a_place_and_a_remedy(content, format_, expected):
    with pytest.raises(UserError, match=f"(?s)some.txt.*{expected}"):
        read(content, format_)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"name": "conll", "word": "3"},
            r"line 1: 2 columns, but words are in column 3 \(--word\)",
        ),
        ({"name": "conll", "word": "x"}, "--word x: columns of conll are whole numbers, from 1"),
        ({"name": "conll", "word": "0"}, "--word 0: columns"),
        ({"name": "plain", "word": "1"}, "--word 1: goes with conll and jsonl, not with plain"),
        ({"name": "plain", "language": "de"}, "--language de: goes with --raw"),
    ],
)
def test_options_that_do_not_fit_are_named(options, expected):
    with pytest.raises(UserError, match=expected):
        read("a\tX\n", **options)


def test_a_key_of_ones_own_is_read():
    assert read('{"words": ["a"], "mine": ["b"]}', "jsonl", word="mine") == [("b",)]
    with pytest.raises(UserError, match="an object with one as 'mine'"):
        read('{"words": ["a"]}', "jsonl", word="mine")


def test_what_would_fill_the_memory_is_refused(monkeypatch):
    for module in (stream, sys.modules[conll.__module__]):
        monkeypatch.setattr(module, "MOST_WORDS", 5)
    monkeypatch.setattr(lines, "LONGEST", 30)
    for content, name in (("a " * 6, "plain"), ("a\n" * 6, "conll"), ('["a"%s]' % (', "a"' * 5), "jsonl")):  # fmt: skip
        with pytest.raises(UserError, match="the sentence has 6 words; at most 5 are tagged"):
            read(content, name)
    with pytest.raises(UserError, match="line 2: has more than 30 characters"):
        read("a\n" + "b" * 31 + "\n", "plain")
    assert read("a\n" + "b" * 30 + "\n", "plain") == [("a",), ("b" * 30,)]


def test_lines_are_read_as_they_come():
    class Pipe(io.RawIOBase):
        """Gives a line at a time, and counts those that were asked for."""

        given = 0

        def readable(self):
            return True

        def readinto(self, buffer):
            self.given += 1
            line = f"line {self.given}\n".encode()
            buffer[: len(line)] = line
            return len(line)

    pipe = Pipe()
    source = StreamLines(io.BufferedReader(pipe), "pipe")
    reading = plain(iter(source), source)
    assert [next(reading), next(reading)] == [("line", "1"), ("line", "2")]
    assert pipe.given == 2
    parts = chunks(reading, 3)
    assert next(parts) == [("line", "3"), ("line", "4"), ("line", "5")]
    assert pipe.given == 5


def test_a_chunk_ends_after_many_words(monkeypatch):
    monkeypatch.setattr("mtl_bench.tasks.sentences.read.MOST_CHUNK_WORDS", 4)
    sizes = [len(part) for part in chunks([("a",)] * 5 + [("a",) * 9] * 2, 10)]
    assert sizes == [4, 2, 1]


def test_files_are_opened_by_their_suffix(tmp_path, monkeypatch):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"a b\n" * 50))
    with open_lines(tmp_path / "a.txt.gz") as source:
        assert list(sentences(source, Format("plain"))) == [("a", "b")] * 50
    content = (tmp_path / "a.txt.gz").read_bytes()
    (tmp_path / "cut.gz").write_bytes(content[:-9])
    with (
        open_lines(tmp_path / "cut.gz") as source,
        pytest.raises(UserError, match=r"cut\.gz: its compression is damaged"),
    ):
        list(source)
    for name, expected in (("none.txt", "there is no such file"), (".", "is a folder")):
        with pytest.raises(UserError, match=expected), open_lines(tmp_path / name):
            pass
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a b\n"), "ascii"))
    with open_lines(None) as source:
        assert list(source) == [(1, "a b")]
    assert not sys.stdin.buffer.closed


def test_raw_text_needs_a_package_and_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(UserError, match=r"(?s)pip install 'mtl-bench\[raw\]'.*--input plain"):
        read("Some text.", "raw")


class TestRaw:
    """With spaCy, which is an optional package."""

    @pytest.fixture(autouse=True)
    def spacy(self):
        pytest.importorskip("spacy")

    def test_sentences_end_at_signs_and_blank_lines_but_not_at_line_ends(self):
        text = "Mr. Smith isn't in\nthe U.S. now. He left!\n\nNo full stop\n\n\nEnd"
        assert read(text, "raw") == [
            ("Mr.", "Smith", "is", "n't", "in", "the", "U.S.", "now", "."),
            ("He", "left", "!"),
            ("No", "full", "stop"),
            ("End",),
        ]

    def test_a_long_paragraph_is_cut_in_pieces_between_sentences(self, monkeypatch):
        text = "".join(f"Sentence {n} is\nhere.\n" for n in range(40)) + "word " * 50
        whole = read(text, "raw")
        assert len(whole) == 41
        for size in (20, 50, 100, 333):
            monkeypatch.setattr("mtl_bench.tasks.sentences.raw.MOST_CHARACTERS", size)
            assert read(text, "raw")[:40] == whole[:40]

    def test_rules_are_those_of_the_language(self):
        assert read("Das ist z.B. gut.", "raw", language="de")[0][2] == "z.B."
        with pytest.raises(UserError, match="--language nope: "):
            read("a", "raw", language="nope")

    @settings(max_examples=15)  # spaCy's rules are made for each
    @given(SENTENCES)
    def test_no_sign_is_lost(self, written):
        text = " ".join(" ".join(words) for words in written)
        found = "".join(word for words in read(text, "raw") for word in words)
        assert "".join(found.split()) == "".join(text.split())
