"""Span schemes: recognised in the labels of a corpus, whichever way they are written."""

from collections import Counter

import pytest

from mtl_bench.tasks.types.spans import SpanScheme, named_scheme, recognise


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["O I-P I-P O I-L"], SpanScheme("io")),
        (["O I-P B-P I-P O", "I-L O"], SpanScheme("iob1")),
        (["B-P I-P B-P O"], SpanScheme("bio")),
        (["B-P O B-L O"], SpanScheme("bio")),  # no span of two words
        (["b-p i-p o"], SpanScheme("bio")),
        (["b i o b"], SpanScheme("bio")),
        (["B-P E-P O S-L"], SpanScheme("bioes")),
        (["B-P I-P L-P O U-L"], SpanScheme("bilou")),
        (["B-P M-P E-P O S-L"], SpanScheme("bmes")),
        (["B M E S S B E"], SpanScheme("bmes")),  # words of Chinese
        (["B_P I_P O"], SpanScheme("bio", "_")),
        (["P-B P-I O"], SpanScheme("bio", "-", True)),
        (["P_B P_L O P_U"], SpanScheme("bilou", "_", True)),
        (["B-NP-SBJ I-NP-SBJ O"], SpanScheme("bio")),
        ([*["B-P I-P O"] * 10, "0"], SpanScheme("bio")),  # a slip
        (["N V O O N V"], None),  # O: pronouns of a tweet
        (["P P O L"], None),
        (["b-x o-y o-z i-x o"], None),
        (["O O"], None),
        (["B-P I-P _ _ _"], SpanScheme("bio", outside="_")),
        (["OTHER B-P E-P OTHER OTHER S-L"], SpanScheme("bioes", outside="OTHER")),
        (["B-P B_P I_P I-P B_L B-L"], None),
    ],
)
def test_schemes_are_recognised(labels, expected):
    assert recognise([line.split() for line in labels]) == expected


def test_a_named_scheme_is_read_in_the_way_that_most_labels_have():
    assert named_scheme("bio", ["P_B", "P_I", "O", "0"], "O") == SpanScheme(
        "bio", "_", True, outside="O"
    )
    assert named_scheme("io", ["P", "L", "O"], None) == SpanScheme("io", plain=True)
    assert SpanScheme("io", plain=True).parse("P") == ("I", "P")


def test_labels_that_follow_no_scheme_are_counted():
    scheme = SpanScheme("bio")
    counts = Counter({"O": 50, "B-P": 10, "0": 2, "L-P": 1})
    assert scheme.stray(counts) == {"0": 2, "L-P": 1}
    assert not scheme.fits(counts)
    assert scheme.fits(counts + Counter({"B-P": 20}))
    assert not scheme.fits(Counter({"O": 3}))
