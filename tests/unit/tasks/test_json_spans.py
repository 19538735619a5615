"""Texts with spans by character offsets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.json_spans import JsonSpanReader

TEXT = "Ada Lovelace met C. Babbage."
WORDS = ("Ada", "Lovelace", "met", "C", ".", "Babbage", ".")
LABELS = ("B-PER", "I-PER", "O", "B-PER", "I-PER", "I-PER", "O")
PRODIGY = {
    "text": TEXT,
    "spans": [{"start": 0, "end": 12, "label": "PER"}, {"start": 17, "end": 27, "label": "PER"}],
}
DOCCANO = {"text": TEXT, "label": [[17, 27, "PER"], [0, 12, "PER"]]}
OFFSETS = {
    "text": TEXT,
    "entities": [
        {"id": 1, "start_offset": 0, "end_offset": 12, "label": "PER"},
        {"id": 2, "start_offset": 17, "end_offset": 27, "label": "PER"},
    ],
}
SHORT = {
    "text": TEXT,
    "label": [
        {"start": 0, "end": 12, "text": "Ada Lovelace", "labels": ["PER"]},
        {"start": 17, "end": 27, "text": "C. Babbage", "labels": ["PER"]},
    ],
}
LONG = {
    "data": {"text": TEXT},
    "annotations": [
        {"result": [{"value": {"start": 0, "end": 12, "labels": ["PER"]}},
                    {"value": {"choices": ["news"]}},
                    {"value": {"start": 17, "end": 27, "labels": ["PER"]}}]}
    ],
}  # fmt: skip


def read(tmp_path, content, spans="spans"):
    file = tmp_path / "spans.jsonl"
    file.write_text(content, "utf-8")
    return list(JsonSpanReader(spans=spans)(file, None))


@pytest.mark.parametrize(
    ("content", "spans"),
    [(PRODIGY, "spans"), (DOCCANO, "label"), (OFFSETS, "entities"), (SHORT, "label"), (LONG, "x")],
)
def test_each_format_is_read_alike(tmp_path, content, spans):
    expected = [Example(WORDS, LABELS)]
    assert read(tmp_path, json.dumps(content) + "\n", spans) == expected
    assert read(tmp_path, json.dumps([content, content], indent=1), spans) == expected * 2


def test_what_is_not_whole_words_is_said(tmp_path):
    content = {
        "text": "unhappily married",
        "spans": [[2, 7, "X"], [10, 12, "Y"], [3, 5, "Z"], [9, 10, "W"]],
    }
    example, notes = None, []
    for each in read(tmp_path, json.dumps(content)):
        if isinstance(each, Note):
            notes.append(each.text)
        else:
            example = each
    assert example == Example(("unhappily", "married"), ("B-X", "B-Y"))
    assert sorted(notes) == [
        "spans that cut a word, taken with all of it",
        "spans that cut a word, taken with all of it",
        "spans that overlap an earlier one left out",
        "spans without words left out",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"text": "a b", "spans": [[0, 9, "X"]]}', "from 0 to 9 is not inside the text, which"),
        ('{"text": "a b", "spans": [[2, 1, "X"]]}', "from 2 to 1 is not inside"),
        ('{"text": "a b", "spans": [[-1, 1, "X"]]}', "from -1 to 1 is not inside"),
        ('{"text": "a b", "spans": [[0, 1]]}', "is no span. Expected"),
        ('{"text": "a b", "spans": [[0, 1, " "]]}', "is no span. Expected"),
        ('{"text": "a b", "spans": [{"start": true, "end": 2, "label": "X"}]}', "is no span"),
        ('{"text": "a b", "spans": "X"}', "'spans' is no list of spans"),
        ('{"text": 3, "spans": []}', "'text' is no text"),
        ('{"txt": "a"}', "has no key 'text'. Keys: txt"),
        ('{"text": "a', "is not JSON"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, expected):
    with pytest.raises(UserError) as error:
        read(tmp_path, f'{{"text": "a", "spans": []}}\n{line}\n')
    assert expected in str(error.value) and "line 2" in str(error.value)


@given(
    st.lists(st.sampled_from(["Ada", "met", "C.", "x-y", "42"]), min_size=1, max_size=8),
    st.data(),
)
def test_spans_of_whole_words_come_back(tmp_path_factory, words, data):
    text = " ".join(words)
    starts = [sum(len(w) + 1 for w in words[:n]) for n in range(len(words))]
    marked = data.draw(st.sets(st.integers(0, len(words) - 1)))
    spans = [[starts[n], starts[n] + len(words[n]), "X"] for n in sorted(marked)]
    content = json.dumps({"text": text, "spans": spans})
    (example,) = read(tmp_path_factory.mktemp("spans"), content)
    assert example.target.count("B-X") == len(marked)
    assert "".join(example.words) == "".join(words)
