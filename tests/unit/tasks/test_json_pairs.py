"""JSON Lines of a text and what it is turned into."""

import json

import pytest

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.json_pairs import JsonPairReader


def read(tmp_path, *lines):
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return list(JsonPairReader()(file, None))


def test_texts_and_lists_of_words_are_read(tmp_path):
    pairs = [
        {"source": "It's late, isn't it?", "target": "It's late"},
        {"source": ["New York", "sleeps"], "target": ["York"]},
        {"source": " ", "target": "x"},
    ]
    assert read(tmp_path, *map(json.dumps, pairs)) == [
        Example(("It's", "late", ",", "isn't", "it", "?"), ["It's", "late"]),
        Example(("New York", "sleeps"), ["York"]),
        Note("texts without words left out", "line 3"),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"source": "a b", "target": ""}', "'target' is empty"),
        ('{"source": "a b", "target": []}', "'target' is empty"),
        ('{"source": "a b"}', "has no key 'target'. Keys: source"),
        ('{"source": 3, "target": "a"}', "'source' is neither a text nor a list of words"),
        ('{"source": "\\ud800", "target": "a"}', "half a character"),
        ('{"source": "a"', "is not JSON"),
        ('["a", "b"]', "line 2"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, expected):
    with pytest.raises(UserError) as error:
        read(tmp_path, '{"source": "a", "target": "b"}', line)
    assert expected in str(error.value) and "2" in str(error.value)
