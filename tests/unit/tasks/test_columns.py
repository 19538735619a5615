"""The column reader: what it accepts, and how it answers what it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.columns import ColumnReader

WORD = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=8
).filter(lambda word: word.strip() == word and not word.startswith("\ufeff"))
SENTENCES = st.lists(
    st.lists(st.tuples(WORD, WORD), min_size=1, max_size=6), min_size=1, max_size=6
)


def read(tmp_path, content, **options):
    file = tmp_path / "file.tsv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    examples = ColumnReader(**{"word": 1, "label": 2, **options})(file, None)
    return [each for each in examples if isinstance(each, Example)]


def notes(tmp_path, content, **options):
    file = tmp_path / "file.tsv"
    file.write_text(content, "utf-8")
    examples = ColumnReader(**{"word": 1, "label": 2, **options})(file, None)
    return [(each.text, each.where) for each in examples if isinstance(each, Note)]


@given(SENTENCES, st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\ufeff"]))
def test_what_is_written_is_read(tmp_path_factory, sentences, newline, bom):
    lines = [[f"{word}\t{label}" for word, label in sentence] for sentence in sentences]
    text = bom + (newline * 2).join(newline.join(sentence) for sentence in lines)
    examples = read(tmp_path_factory.mktemp("round"), text)
    assert [list(zip(s.words, s.target, strict=True)) for s in examples] == sentences


@given(st.binary(max_size=200))
def test_hostile_input_is_read_or_refused_with_its_place(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("hostile")
    try:
        sentences = read(folder, content)
    except UserError as error:
        assert "file.tsv" in str(error)
    else:
        assert all(len(words) == len(labels) > 0 for words, labels in sentences)


def test_blanks_comments_and_other_columns(tmp_path):
    text = "# a longer title\nThe  DT B-NP\n# inside\ncat  NN I-NP\n\n\n\n# end\nsat  VBD O"
    examples = read(tmp_path, text, label=3, separator="blank", comment="#")
    assert examples == [(("The", "cat"), ("B-NP", "I-NP")), (("sat",), ("O",))]


def test_unicode_line_separators_are_part_of_words(tmp_path):
    assert read(tmp_path, "a\x85b\tX\n")[0].words == ("a\x85b",)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("The\tDT\ncat\n", ["line 2", "1 column where at least 2", "'cat'"]),
        ("The\tDT\ncat\t \n", ["line 2", "label (column 2) is missing", "'cat\\t '"]),
        ("The\tDT\n \tNN\n", ["line 2", "word (column 1) is blank"]),
        (b"The\tDT\ncaf\xe9\tNN\n", ["line 2", "byte 4 is not UTF-8", "iconv", "caf\\\\xe9"]),
        ("", ["the file is empty"]),
        ("\n \n", ["the file is empty"]),
    ],
)
def test_a_malformed_line_is_shown_with_its_number(tmp_path, content, expected):
    with pytest.raises(UserError) as error:
        read(tmp_path, content)
    for part in [*expected, "file.tsv"]:
        assert part in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        list(ColumnReader(1, 2)(tmp_path / "absent.tsv", None))


def test_labels_outside_the_map_are_refused(tmp_path):
    assert read(tmp_path, "a\tN\n", label_map={"N": "noun"})[0].target == ("noun",)
    with pytest.raises(UserError, match="label 'V' is none of the expected: N"):
        read(tmp_path, "a\tV\n", label_map={"N": "noun"})


@pytest.mark.parametrize(
    "options",
    [
        {"separator": ","},
        {"blank_word": "skip"},
        {"word": 0},
        {"label": 1},
        {"word": True},
        {"comment": 3},
        {"lowercase_labels": "maybe"},
        {"label_map": ["A"]},
        {"label_map": {"A": None}},
        {"label_map": {"A": False}},
    ],
)
def test_impossible_options_are_refused(options):
    with pytest.raises(UserError):
        ColumnReader(**{"word": 1, "label": 2, **options})


def test_a_comment_has_not_the_columns_of_a_word(tmp_path):
    text = "# id 3\nhi\tO\n#oda\tB-PER\n#\tO\n\n# id 4\n# user\n#nils\tB-PER\n"
    examples = read(tmp_path, text, comment="#")
    assert [s.words for s in examples] == [("hi", "#oda", "#"), ("#nils",)]
    left_out = "comment lines (#) left out"
    as_words = "lines that begin with # and have 2 columns, read as words"
    assert notes(tmp_path, text, comment="#") == [
        (left_out, "line 1"),
        (as_words, "line 3"),
        (as_words, "line 4"),
        (left_out, "line 6"),
        (left_out, "line 7"),
        (as_words, "line 8"),
    ]


@pytest.mark.parametrize("character", ["\u00a0", "\u2028", "\x0c", "\u3000", "\x85"])
@pytest.mark.parametrize(
    ("separator", "written"), [("tab", "\t"), ("blank", " "), ("blank", " \t ")]
)
def test_only_tabs_and_spaces_part_columns(tmp_path, character, separator, written):
    word = f"a{character}b"
    examples = read(tmp_path, f"{word}{written}X\nc{written}Y\n", separator=separator)
    assert examples == [((word, "c"), ("X", "Y"))]
    assert read(tmp_path, f"x New{written}X\n" * 2, separator="tab" if written == "\t" else "blank")


def test_lines_of_another_length_are_counted(tmp_path):
    text = "le O\nquai sud2 O\nsuit O\n"
    assert notes(tmp_path, text, separator="blank") == [
        ("lines with 3 columns where most have 2 (is there a blank inside a word?)", "line 2")
    ]


def test_marks_of_documents_end_sentences_and_are_left_out(tmp_path):
    text = "-DOCSTART- -X- O\nle X O\n-DOCSTART-\n\nun X O\n"
    examples = read(tmp_path, text, separator="blank", label=3)
    assert [s.words for s in examples] == [("le",), ("un",)]
    assert [text for text, _ in notes(tmp_path, text, separator="blank", label=3)] == [
        "document marks (-DOCSTART-) left out"
    ] * 2


def test_a_line_with_white_space_of_other_kinds_ends_a_sentence(tmp_path):
    assert len(read(tmp_path, "a\tX\n\u00a0\nb\tX\n")) == 2
    assert notes(tmp_path, "a\tX\n\u00a0\nb\tX\n")[0][1] == "line 2"


def test_leading_tabs_are_none_of_the_blanks_columns(tmp_path):
    assert read(tmp_path, "\tle X O\n\t\n\tun X B\n", separator="blank", label=3) == [
        (("le",), ("O",)),
        (("un",), ("B",)),
    ]
    with pytest.raises(UserError, match="With `separator: blank` it has 3"):
        read(tmp_path, "\tle X O\n", label=3)


def test_old_macs_and_joined_files(tmp_path):
    assert read(tmp_path, "a\tX\r\rb\tY\r") == [(("a",), ("X",)), (("b",), ("Y",))]
    assert read(tmp_path, "\ufeffa\tX\n\n\ufeffb\tY\n")[1].words == ("b",)


def test_the_advice_names_the_likely_encoding(tmp_path):
    with pytest.raises(UserError, match="iconv -f latin1"):
        read(tmp_path, b"caf\xe9\tX\n")
    with pytest.raises(UserError, match="iconv -f windows-1252"):
        read(tmp_path, b"caf\xe9\tX\n\x93hi\x94\tX\n")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "我 S\n们 S\n".encode("gbk"),
            "once you know what it is now, with `iconv -f <its encoding>",
        ),
        ("Анна B-PER\n".encode("cp1251"), "once you know what it is now"),
        ("a\tX\nb\tY\n".encode("utf-16-le"), "iconv -f utf-16le"),
        (b"x" * 257 + b"ustar", "is a tar archive"),
        (b"a\tX\n// s1\nb\tY\n", "If this is a comment, set `comment: '//'`"),
    ],
)
def test_what_is_no_text_in_utf_8_gets_its_advice(tmp_path, content, expected):
    with pytest.raises(UserError) as error:
        read(tmp_path, content)
    assert expected in str(error.value)
