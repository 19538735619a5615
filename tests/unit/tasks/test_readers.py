"""Every reader of a format: what is written is read, and hostile input is answered."""

import gzip
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.readers.columns import ColumnReader
from mtl_bench.tasks.readers.conllu import ConlluReader
from mtl_bench.tasks.readers.corpora.ccgbank import CcgbankReader
from mtl_bench.tasks.readers.corpora.compression import CompressionReader
from mtl_bench.tasks.readers.corpora.framenet import FrameNetReader
from mtl_bench.tasks.readers.corpora.naf import LEXICOGRAPHER_FILES, NafReader
from mtl_bench.tasks.readers.corpora.redwoods import LexicalTypeReader, LinkReader
from mtl_bench.tasks.readers.corpora.standoff import StandoffReader
from mtl_bench.tasks.readers.corpora.streusle import StreusleReader
from mtl_bench.tasks.readers.jsonl import JsonLinesReader

# Any letters, marks, numbers and signs; no white space, no control characters.
WORD = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Cf", "Cn", "Zs", "Zl", "Zp")), min_size=1
).filter(lambda word: not any(c.isspace() for c in word))
PLAIN = st.text(st.characters(categories=["Ll"]), min_size=1, max_size=8)
NAMES = st.sampled_from(["a", "b-x", "o", "i-x"])


def sentences(word, label=NAMES):
    pair = st.tuples(word, label)
    return st.lists(st.lists(pair, min_size=1, max_size=6), min_size=1, max_size=5)


def pairs(examples):
    return [list(zip(*each, strict=True)) for each in examples if isinstance(each, Example)]


def labels(examples):
    return [each.target for each in examples if isinstance(each, Example)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder that all examples of a test write to."""
    return tmp_path_factory.mktemp("formats")


@given(sentences(WORD))
def test_naf(folder, written):
    root = ElementTree.Element("NAF")
    text, terms = ElementTree.SubElement(root, "text"), ElementTree.SubElement(root, "terms")
    expected, number = [], 0
    for place, sentence in enumerate(written):
        expected.append([])
        for word, _ in sentence:
            number += 1
            form = ElementTree.SubElement(text, "wf", id=f"w{number}", sent=str(place))
            form.text = word
            sense = number % (len(LEXICOGRAPHER_FILES) + 1)  # the last: none
            expected[-1].append((word, [*LEXICOGRAPHER_FILES, "o"][sense]))
            if sense < len(LEXICOGRAPHER_FILES):
                term = ElementTree.SubElement(terms, "term", lemma="x")
                span = ElementTree.SubElement(term, "span")
                ElementTree.SubElement(span, "target", id=f"w{number}")
                ElementTree.SubElement(
                    term, "externalRef", reftype="lexical_key", reference=f"1:{sense:02d}:00::"
                )
    ElementTree.ElementTree(root).write(folder / "a.naf", encoding="utf-8")
    assert pairs(NafReader()(folder, None)) == expected


@given(sentences(WORD, st.sampled_from("to")))
def test_framenet(folder, written):
    space = "http://framenet.icsi.berkeley.edu"
    root = ElementTree.Element(f"{{{space}}}fullTextAnnotation")
    for sentence in written:
        element = ElementTree.SubElement(root, f"{{{space}}}sentence")
        text = ElementTree.SubElement(element, f"{{{space}}}text")
        text.text = " ".join(word for word, _ in sentence)
        tokens = ElementTree.SubElement(element, f"{{{space}}}annotationSet")
        layer = ElementTree.SubElement(tokens, f"{{{space}}}layer", name="PENN")
        start = 0
        for word, label in sentence:
            span = {"start": str(start), "end": str(start + len(word) - 1)}
            ElementTree.SubElement(layer, f"{{{space}}}label", span)
            if label == "t":
                frame = ElementTree.SubElement(
                    element, f"{{{space}}}annotationSet", frameName="Motion"
                )
                target = ElementTree.SubElement(frame, f"{{{space}}}layer", name="Target")
                ElementTree.SubElement(target, f"{{{space}}}label", span)
            start += len(word) + 1
    for name in ("tested", "other"):
        ElementTree.ElementTree(root).write(folder / f"{name}.xml", encoding="utf-8")
    reader = FrameNetReader(["tested"])
    assert pairs(reader(folder, "train")) == written
    assert pairs(reader(folder, "test")) == [s for s in written if ("t" in {x for _, x in s})]
    with pytest.raises(UserError, match="lacks the test documents absent"):
        list(FrameNetReader(["absent"])(folder, "test"))


@given(st.lists(st.tuples(PLAIN, st.booleans()), min_size=1, max_size=8))
def test_standoff(folder, written):
    place, spans = 0, []
    for number, (word, marked) in enumerate(written):
        if marked:
            spans.append(f"T{number}\tProcess {place} {place + len(word)}\t{word}")
        place += len(word) + 1
    (folder / "a.txt").write_text(" ".join(word for word, _ in written), encoding="utf-8")
    (folder / "a.ann").write_text("\n".join([*spans, "*\tSynonym-of T1 T2", ""]), encoding="utf-8")
    expected = [(word, "k" if marked else "o") for word, marked in written]
    assert pairs(StandoffReader("k")(folder, None)) == [expected]


def test_standoff_spans_may_have_parts_and_sentences_end_where_they_should(folder):
    (folder / "sub").mkdir()
    text = "See Fig. 2 for X-rays. It (e.g. A) costs 1.5 euros.\nNo? Yes."
    (folder / "sub" / "a.txt").write_text(text)
    (folder / "sub" / "a.ann").write_text("T1\tMaterial 4 10;15 21\tFig. 2 X-rays\n")
    examples = list(StandoffReader("k")(folder, "sub"))
    assert [" ".join(s.words) for s in examples] == [
        "See Fig . 2 for X-rays .", "It ( e . g . A ) costs 1.5 euros .", "No ?", "Yes ."
    ]  # fmt: skip
    assert examples[0].target == ("o", "k", "k", "k", "o", "k", "o")


@given(st.lists(st.tuples(PLAIN, st.booleans()), min_size=1, unique_by=lambda pair: pair[0]))
def test_compression(folder, written):
    (folder / "test_words.txt").write_text(" ".join(w for w, _ in written) + "\n", "utf-8")
    (folder / "test_labels.txt").write_text(" ".join(w for w, k in written if k) + " .\n", "utf-8")
    (folder / "test_dep.txt").write_text("dobj " * len(written) + "\n", "utf-8")
    kept = ["k" if keep else "o" for _, keep in written]
    assert labels(CompressionReader("kept_heads")(folder, None)) == [tuple(kept)]
    deleted = ["o" if keep else "del" for _, keep in written]
    assert labels(CompressionReader("deleted")(folder, None)) == [tuple(deleted)]


def test_files_of_a_compression_belong_together(folder):
    for name, text in (("words", "a b\nc\n"), ("labels", "a\nc\n"), ("dep", "det\nroot\n")):
        (folder / f"test_{name}.txt").write_text(text)
    with pytest.raises(UserError, match=r"test_dep\.txt, line 1: 1 arcs for 2 words"):
        list(CompressionReader("deleted")(folder, None))
    (folder / "test_dep.txt").write_text("det root")
    with pytest.raises(UserError, match="different numbers of lines"):
        list(CompressionReader("deleted")(folder, None))


@given(sentences(PLAIN, st.sampled_from(["dog_n1", "unknown_n1", "comma_pct", "of"])))
def test_lexical_types(folder, written):
    (folder / "lexicon.tdl").write_text("dog_n1 := n_-_c_le &\n [ X ].\nof := p_le &\n")
    (folder / "profile").mkdir(exist_ok=True)
    lines = []
    for number, sentence in enumerate(written):
        leaves = "".join(
            f'({n} {entry} 0.0 {n} {n + 1} ("{word}" 4 "token [ \\\\"x\\\\" ]"))'
            for n, (word, entry) in enumerate(sentence)
        )
        lines.append("@".join([str(number), *"0123456789"[1:], f"(root {leaves})", "mrs"]))
    with gzip.open(folder / "profile" / "result.gz", "wt", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    types = {"dog_n1": "n_-_c_le", "unknown_n1": "n_-_c_le", "of": "p_le"}
    expected = [[(word, types.get(entry, entry)) for word, entry in s] for s in written]
    reader = LexicalTypeReader(["profile"], ["lexicon.tdl"], 1000, 1, len(written) - 1)
    assert pairs(reader(folder, None)) == expected
    with pytest.raises(UserError, match="too few"):
        list(LexicalTypeReader(["profile"], ["lexicon.tdl"], 1000, 1, 10)(folder, None))


@given(st.lists(st.tuples(PLAIN, st.booleans()), min_size=1))
def test_links(folder, written):
    text = " ".join(f"⌊>{word}>⌋" if link else f"⌊/{word}/⌋" for word, link in written)
    (folder / "profile").mkdir(exist_ok=True)
    with gzip.open(folder / "profile" / "item.gz", "wt", encoding="utf-8") as stream:
        stream.write(f"1@u@f@n@1@S@{text}@@@@1\n2@u@f@n@1@S@no link here at all@@@@1\n")
    expected = [[(word, "l" if link else "o") for word, link in written]]
    examples = pairs(LinkReader(["profile"], 1)(folder, None))
    assert examples == (expected if any(link for _, link in written) else [])


@given(
    sentences(
        WORD.filter(lambda word: not set(word) & set("()<>")),
        st.sampled_from(["NP", r"(S\NP)/NP", "."]),
    )
)
def test_ccgbank(folder, written):
    (folder / "data/AUTO/02").mkdir(parents=True, exist_ok=True)
    lines = []
    for number, sentence in enumerate(written):
        leaves = " ".join(f"(<L {cat} NN NN {word} {cat}_1>)" for word, cat in sentence)
        lines += [f"ID=wsj_0201.{number} PARSER=GOLD NUMPARSE=1", f"(<T S[dcl] 0 2> {leaves} )"]
    (folder / "data/AUTO/02/wsj_0201.auto").write_text("\n".join(lines), encoding="utf-8")
    expected = [[(word, cat.lower()) for word, cat in sentence] for sentence in written]
    assert pairs(CcgbankReader()(folder / "data/AUTO", "02")) == expected


def test_sections_of_ccgbank(tmp_path):
    for section in ("02", "03", "23"):
        (tmp_path / section).mkdir()
        (tmp_path / section / "wsj.auto").write_text(f"ID=1\n(<L N NN NN w{section} N>)\n")
    assert [s.words for s in CcgbankReader()(tmp_path, "02-03")] == [("w02",), ("w03",)]
    for part, message in ((None, "names no sections"), ("04", "expected a folder")):
        with pytest.raises(UserError, match=message):
            list(CcgbankReader()(tmp_path, part))
    (tmp_path / "23" / "wsj.auto").write_text("ID=1\n(<T S 0 2> (<L N NN NN>) )\n")
    with pytest.raises(UserError, match=r"wsj\.auto, line 2: expected a derivation"):
        list(CcgbankReader()(tmp_path, "23"))


@given(sentences(WORD, WORD))
def test_conllu(folder, written):
    lines = []
    for sentence in written:
        lines += ["# sent_id = 1", "1-2\tdu" + "\t_" * 8]
        lines += [f"{n}\t{w}\tl\t{x}" + "\t_" * 6 for n, (w, x) in enumerate(sentence, start=1)]
        lines += ["1.1\tempty" + "\t_" * 8, ""]
    (folder / "a.conllu").write_text("\n".join(lines), encoding="utf-8")
    assert pairs(ConlluReader("upos")(folder / "a.conllu", None)) == written


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1\tw\tl", "3 fields, 10 are expected"),
        ("x\tw" + "\t_" * 8, "'x' is not the number of a word"),
    ],
)
def test_a_line_that_is_not_conllu_is_shown(tmp_path, line, message):
    (tmp_path / "a").write_text(f"# text\n{line}\n")
    with pytest.raises(UserError, match=f"line 2: {message}"):
        list(ConlluReader("upos")(tmp_path / "a", None))
    with pytest.raises(UserError, match="label: 'pos' is none of"):
        ConlluReader("pos")


@given(sentences(WORD, WORD))
def test_json_lines(folder, written):
    lines = [
        json.dumps({"tokens": [w for w, _ in s], "labels": [x for _, x in s]}) for s in written
    ]
    with gzip.open(folder / "a.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.write("\n\n".join(lines))
    assert pairs(JsonLinesReader()(folder / "a.jsonl.gz", None)) == written


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[", "is not JSON"),
        ("[1]", "expected an object"),
        ('{"tokens": ["a"]}', "key 'labels' holds no list. Keys: tokens"),
        ('{"tokens": ["a"], "labels": [1]}', "1 in 'labels' is not a string"),
        ('{"tokens": ["a"], "labels": []}', "1 words and 0 labels"),
        ('{"tokens": ["a", " "], "labels": ["x", "y"]}', "\" \" in 'tokens' is not a string, or"),
    ],
)
def test_a_line_that_is_no_labelled_sentence_is_shown(tmp_path, line, message):
    (tmp_path / "a").write_text(line)
    with pytest.raises(UserError, match=f"line 1: {message}"):
        list(JsonLinesReader()(tmp_path / "a", None))


@given(sentences(WORD, st.sampled_from(["B", "I", "O", "B-GROUP", "o-ACT"])))
def test_streusle(folder, written):
    rows = [[f"1\t{w}\tl\tN\t{x}\t0\t\t\tid" for w, x in sentence] for sentence in written]
    (folder / "tags").write_text("\n\n".join("\n".join(row) for row in rows), encoding="utf-8")
    expected = [[(word, label.lower()) for word, label in s] for s in written]
    assert pairs(StreusleReader("tag")(folder / "tags", None)) == expected


HOSTILE = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(str.encode),
    st.lists(
        st.sampled_from(
            ["<", ">", "</wf>", "<wf id='a'>", "<NAF>", "{", "[", '"', "@", "\t", "\n", "(", "T1",
             "\\", "⌊>", ">⌋", "<!ENTITY a '&b;'>", "ID=", "(<L ", "1", "-1", "\x00", "é", " "]
        ),
        max_size=60,
    ).map(lambda parts: "".join(parts).encode()),
)  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "names", "file", "part"),
    [
        (NafReader(), ["a.naf"], ".", None),
        (FrameNetReader([]), ["a.xml"], ".", "train"),
        (StandoffReader("k"), ["b.txt", "b.ann"], ".", None),
        (
            CompressionReader("deleted"),
            [f"test_{n}.txt" for n in ("words", "labels", "dep")],
            ".",
            None,
        ),
        (LexicalTypeReader(["."], ["l.tdl"], 2, 1, 1), ["result.gz", "l.tdl"], ".", None),
        (LinkReader(["."], 1), ["item.gz"], ".", None),
        (CcgbankReader(), ["02/w.auto"], ".", "02"),
        (ConlluReader("upos"), ["c"], "c", None),
        (JsonLinesReader(), ["j.xz"], "j.xz", None),
        (ColumnReader(1, 2), ["a.bz2"], "a.bz2", None),
        (ColumnReader(1, 2), ["a.zip"], "a.zip", "member"),
        (StreusleReader("tag"), ["s"], "s", None),
    ],
    ids=lambda value: type(value).__name__ if callable(value) else None,
)
@given(content=HOSTILE, compressed=st.booleans())
def test_hostile_input_is_read_or_refused(
    tmp_path_factory, reader, names, file, part, content, compressed
):
    folder = tmp_path_factory.getbasetemp() / type(reader).__name__
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        data = gzip.compress(content) if compressed and Path(name).suffix == ".gz" else content
        (folder / name).write_bytes(data)
    try:
        examples = list(reader(folder / file, part))
    except UserError as error:
        assert str(folder) in str(error)
    else:
        read = [each for each in examples if isinstance(each, Example)]
        assert all(len(words) == len(labels) > 0 for words, labels in read)
