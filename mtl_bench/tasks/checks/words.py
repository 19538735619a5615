"""What may be wrong with the words of a corpus: length, characters, encoding."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from mtl_bench.tasks.checks.findings import Finding, counted, quoted, shortened
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import SPLITS

LONG = 100
"""Words beyond which a sentence is probably several, or a list."""

# White space, and characters of no width: zero-width spaces and joiners, soft hyphens, marks of
# direction, byte order marks.
ODD_CHARACTER = re.compile("[\\s\u00ad\u200b-\u200f\u2060\ufeff]")
CONTROL_CHARACTER = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")


def check_words(corpus: Corpus) -> Iterator[Finding]:
    """Yield what is to be said of sentences and their words."""
    every = [(split, s) for split in SPLITS for s in corpus[split]]
    longest = max((s for _, s in every), key=lambda s: len(s.words))
    long = sum(len(s.words) > LONG for _, s in every)
    if long:
        yield Finding(
            "warning",
            f"{long:,} of {counted(every, 'sentence')} have more than {LONG} words, the longest "
            f"{len(longest.words):,}: {shortened(longest.words)}. Is a blank line missing? "
            "`max_length` cuts them in training.",
        )
    if all(len(s.words) == 1 for _, s in every):
        yield Finding(
            "error", "Every sentence has one word: is there a blank line after each line?"
        )
    odd = Counter(w for _, s in every for w in s.words if ODD_CHARACTER.search(w))
    if odd:
        yield Finding(
            "warning",
            f"Words with blanks, or with characters that are not visible: {odd.total():,}, such as "
            f"{quoted(odd)}. Blanks inside a word become _.",
        )
    control = Counter(w for _, s in every for w in s.words if CONTROL_CHARACTER.search(w))
    if control:
        latin1 = any("\x80" <= character <= "\x9f" for word in control for character in word)
        advice = (
            " Those from U+0080 to U+009F are mostly letters and quotes of windows-1252 read as "
            "latin1: convert the original file with `iconv -f windows-1252 -t utf-8`."
        )
        yield Finding(
            "warning",
            f"Words with control characters: {control.total():,}, such as {quoted(control)}."
            + (advice if latin1 else ""),
        )
    lost = Counter(w for _, s in every for w in s.words if "\ufffd" in w)
    if lost:
        yield Finding(
            "warning",
            f"Words with U+FFFD, which stands for characters that a conversion lost: "
            f"{lost.total():,}, such as {quoted(lost)}. Convert the original file anew.",
        )
