"""What may be wrong with a corpus: findings that people can act on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Literal

from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import SPLITS, Corpus, Sentence, SplitName
from mtl_bench.tasks.file_format import ENOUGH, UNIQUE
from mtl_bench.tasks.spans import SCHEMES, SpanScheme, named_scheme, recognise
from mtl_bench.tasks.usable import label_counts, refuse_unusable

Level = Literal["ok", "warning", "error"]
BATCH = 32  # sentences, by default
DEV_SHARE = 0.1  # of train, by default
CLOSED = ("bioes", "bilou", "bmes")
"""Schemes in which the last word of a span has a letter of its own."""

LONG = 100
"""Words beyond which a sentence is probably several, or a list."""

# White space, and characters of no width: zero-width spaces and joiners, soft hyphens, marks of
# direction, byte order marks.
ODD_CHARACTER = re.compile("[\\s\u00ad\u200b-\u200f\u2060\ufeff]")
CONTROL_CHARACTER = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")


@dataclass(frozen=True)
class Finding:
    """One observation: `ok`, a `warning`, or an `error` that must be fixed before training."""

    level: Level
    text: str


def small_batch(corpus: Corpus) -> int | None:
    """Return a batch size for a corpus that is too small for the default; else None."""
    size = len(corpus["train"])
    return max(1, size // 2) if size < BATCH else None


def examine(corpus: Corpus) -> Iterator[Finding]:
    """Yield what is to be said of a corpus."""
    sizes = ", ".join(
        f"{split} {_count(sentences, 'sentence')} with {_total(sentences)} words"
        for split, sentences in corpus.splits.items()
        if sentences
    )
    yield Finding("ok", f"Sizes: {sizes}.")
    try:
        for split in ("dev", "test"):
            if corpus.splits[split]:
                refuse_unusable(corpus, split)
    except UserError as error:
        yield Finding("error", str(error))
    if size := small_batch(corpus):
        yield Finding(
            "warning",
            f"Training draws {BATCH} sentences a step, more than train has: type "
            f"`data.batch_size={size}`.",
        )
    try:
        corpus.with_dev(DEV_SHARE, seed=0)
    except UserError as error:
        yield Finding("error", f"{error}\nIs there a blank line after each sentence?")
    for remark in corpus.remarks:
        yield Finding("ok" if remark.expected else "warning", f"{remark}.")
    yield from _labels(corpus)
    yield from _spans(corpus)
    yield from _repetitions(corpus)
    yield from _coverage(corpus)
    yield from _words(corpus)


def _labels(corpus: Corpus) -> Iterator[Finding]:
    counts = label_counts(corpus)
    total = counts.total()
    shown = ", ".join(f"{label} {n:,}" for label, n in counts.most_common(12))
    more = f", and {len(counts) - 12} more" if len(counts) > 12 else ""
    yield Finding("ok", f"{_count(counts, 'label')} in train: {shown}{more}.")
    if len(counts) < 2:
        yield Finding("error", "A single label leaves nothing to learn. Is it the right column?")
    if len(counts) > total / 3:
        yield Finding("error", "Every third word has a label of its own. Is it the right column?")
    once = Counter({label: n for label, n in counts.items() if n == 1})
    if once and len(counts) > 1:
        yield Finding(
            "warning",
            f"{_count(once, 'label')} of train with one occurrence: {_some(once)}. A header line, "
            "or a slip of annotation?",
        )
    folded: dict[str, list[str]] = {}
    for label in counts:
        folded.setdefault(label.lower(), []).append(label)
    variants = [" and ".join(same) for same in folded.values() if len(same) > 1]
    if variants:
        yield Finding(
            "warning",
            f"Labels that differ in case only: {', '.join(variants[:5])}. They count as different; "
            "`lowercase_labels: true` of the column reader folds them.",
        )
    if corpus.outside is None:
        yield Finding("ok", "No outside label: F1 counts every label, and so equals accuracy.")
    elif corpus.outside in counts:  # else it was refused above
        share = counts[corpus.outside] / total
        yield Finding(
            "warning" if share > 0.98 else "ok",
            f"{share:.1%} of the words have the outside label {corpus.outside!r}"
            + (": so few others make F1 noisy." if share > 0.98 else "."),
        )
    for split in ("dev", "test"):
        labels = Counter(x for s in corpus.splits[split] for x in s.labels)
        if set(labels) == {corpus.outside}:
            yield Finding(
                "warning",
                f"{split} has the outside label {corpus.outside!r} only: F1 is 0 whatever a model "
                "predicts.",
            )
        unseen = Counter({label: n for label, n in labels.items() if label not in counts})
        if unseen and len(unseen) < len(labels):  # else it was refused above
            yield Finding(
                "warning",
                f"{split} has {_count(unseen, 'label')} that train has not: {_some(unseen)}. No "
                "model can find them; they count as misses.",
            )


def _spans(corpus: Corpus) -> Iterator[Finding]:
    """Say which scheme the labels follow, and what does not follow it."""
    scheme = recognise([sentence.labels for sentence in corpus["train"]])
    if corpus.spans in SCHEMES:
        every = (*corpus.labels(), *corpus.unseen_labels())
        scheme = named_scheme(corpus.spans, every, corpus.outside)
    if scheme is None:
        yield from _no_scheme(corpus)
        return
    also = " (as is IOB1 in which no two spans of a type touch)" if scheme.name == "io" else ""
    used = (
        f"span F1 is computed by it (`spans: {scheme.name}`; null computes none)"
        if corpus.spans
        else f"`spans: {scheme.name}` computes span F1 by it; `spans: null` computes none"
    )
    yield Finding("ok", f"Labels mark spans by the scheme {scheme.describe()}{also}: {used}.")
    stray = scheme.stray(
        Counter(x for sentences in corpus.splits.values() for s in sentences for x in s.labels)
    )
    if stray:
        yield Finding(
            "warning",
            f"Labels that do not follow the span scheme: {_some(stray)}. They count as outside "
            "of spans; are they slips of annotation?",
        )
    if scheme.name not in ("io", "iob1"):
        yield from _broken_spans(corpus, scheme)


def _no_scheme(corpus: Corpus) -> Iterator[Finding]:
    """Say why there is no span F1, where labels look as if there should be one."""
    counts = label_counts(corpus)
    marked = [x for x in counts if len(x) > 2 and x[0].upper() in "BIESLUM" and x[1] in "-_:"]
    bracketed = [label for label in counts if "(" in label or label in ("*", "*)")]
    quoted = [label for label in counts if len(label) > 1 and label[0] == label[-1] == '"']
    for some, what, advice in (
        (marked, "begin like those of a span scheme", "Write all of them in one way, such as B-x."),
        (bracketed, "are brackets as of CoNLL-2012", "Convert them to BIO, such as B-x, I-x, O."),
        (quoted, "are in quotes", "Remove the quotes from words and labels."),
    ):
        if some:
            yield Finding(
                "warning",
                f"{len(some)} of {_count(counts, 'label')} {what} ({', '.join(some[:5])}), but no "
                f"scheme explains the labels, so there is no span F1. {advice}",
            )
            return
    if corpus.outside is not None:
        yield Finding(
            "ok",
            "No span scheme in the labels, so no span F1 (`spans: null`). If runs of one label "
            "are spans, set `spans: io`.",
        )


def _broken_spans(corpus: Corpus, scheme: SpanScheme) -> Iterator[Finding]:
    """Look for labels that should continue a span, and continue none."""
    for split in SPLITS:
        wrong: list[tuple[int, Sentence, int]] = []
        unclosed = 0
        for number, sentence in enumerate(corpus[split], start=1):
            before = ("O", "")
            for place, label in enumerate((*sentence.labels, "O")):
                now = scheme.parse(label) or ("O", "")
                continues = now[0] in "IE" and before[0] in "BI" and before[1] == now[1]
                if now[0] in "IE" and not continues:
                    wrong.append((number, sentence, place))
                unclosed += scheme.name in CLOSED and before[0] in "BI" and not continues
                before = now
        if unclosed:
            yield Finding(
                "warning",
                f"{split}: spans of the scheme {scheme.describe()} that no last label closes: "
                f"{unclosed:,}. Are sentences cut in the wrong places, or is it another scheme?",
            )
        if wrong:
            number, sentence, place = wrong[0]
            context = " ".join(
                f"{word}/{label}"
                for word, label in list(zip(*sentence, strict=True))[max(0, place - 1) : place + 2]
            )
            yield Finding(
                "warning",
                f"{split}: {_count(wrong, 'label')} inside a span that continue none, first in "
                f"sentence {number}: {context}. They count as beginnings. Many of them mean that "
                "the corpus has another scheme, or that its sentences are cut in the wrong places.",
            )


def _repetitions(corpus: Corpus) -> Iterator[Finding]:
    words = {
        split: Counter(sentence.words for sentence in sentences)
        for split, sentences in corpus.splits.items()
    }
    for split, counts in words.items():
        again = counts.total() - len(counts)
        if again:
            most, times = counts.most_common(1)[0]
            yield Finding(
                "warning" if again > counts.total() / 20 else "ok",
                f"{split}: {again:,} of {counts.total():,} sentences repeat an earlier one; "
                f"most frequent ({times} times) is {_shown(most)}.",
            )
    pairs: list[tuple[SplitName, SplitName]]
    pairs = [("test", "train"), ("dev", "train"), ("test", "dev")]
    for one, other in pairs:
        shared = {sentence: n for sentence, n in words[one].items() if sentence in words[other]}
        if not shared:
            continue
        count = sum(shared.values())
        share = count / words[one].total()
        advice = "Are they the same file?" if share > 0.5 else "There a score shows memory only."
        yield Finding(
            "error" if share > 0.5 else "warning",
            f"{one}: {count:,} of {words[one].total():,} sentences ({share:.1%}) stand in {other}, "
            f"too, such as {_shown(max(shared, key=len))}. {advice}",
        )


def _coverage(corpus: Corpus) -> Iterator[Finding]:
    """Say how far train tells the words of other splits, and whether words look like words."""
    counts = Counter(word for sentence in corpus["train"] for word in sentence.words)
    once = sum(n == 1 for n in counts.values())
    if counts.total() >= ENOUGH and once > UNIQUE * counts.total():
        yield Finding(
            "warning",
            f"{once:,} of the {counts.total():,} words of train occur once: are they identifiers "
            "or offsets rather than words? `--word N` names another column.",
        )
    for split in ("dev", "test"):
        words = [word for sentence in corpus.splits[split] for word in sentence.words]
        unseen = sum(word not in counts for word in words)
        if words and unseen == len(words):
            yield Finding(
                "warning",
                f"{split}: no word occurs in train. Is it the right column, and the same language?",
            )
        elif unseen:
            yield Finding(
                "ok",
                f"{split}: {unseen:,} of {len(words):,} words ({unseen / len(words):.1%}) do not "
                "occur in train; with random vectors they share that of unknown words.",
            )


def _words(corpus: Corpus) -> Iterator[Finding]:
    every = [(split, s) for split in SPLITS for s in corpus[split]]
    longest = max((s for _, s in every), key=lambda s: len(s.words))
    long = sum(len(s.words) > LONG for _, s in every)
    if long:
        yield Finding(
            "warning",
            f"{long:,} of {_count(every, 'sentence')} have more than {LONG} words, the longest "
            f"{len(longest.words):,}: {_shown(longest.words)}. Is a blank line missing? "
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
            f"{_quoted(odd)}. Blanks inside a word become _.",
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
            f"Words with control characters: {control.total():,}, such as {_quoted(control)}."
            + (advice if latin1 else ""),
        )
    lost = Counter(w for _, s in every for w in s.words if "\ufffd" in w)
    if lost:
        yield Finding(
            "warning",
            f"Words with U+FFFD, which stands for characters that a conversion lost: "
            f"{lost.total():,}, such as {_quoted(lost)}. Convert the original file anew.",
        )


def _quoted(counts: Counter[str]) -> str:
    return ", ".join(f"{word!r}" for word, _ in counts.most_common(5))


def _count(things: Sized, name: str) -> str:
    """Return a number with its noun: `1 label`, `2,000 labels`."""
    return f"{len(things):,} {name}{'s' * (len(things) != 1)}"


def _total(sentences: Sequence[Sentence]) -> str:
    return f"{sum(len(sentence.words) for sentence in sentences):,}"


def _some(counts: Counter[str]) -> str:
    shown = ", ".join(f"{label} ({n})" for label, n in counts.most_common(8))
    return shown + (", ..." if len(counts) > 8 else "")


def _shown(words: tuple[str, ...]) -> str:
    text = " ".join(words)
    return repr(text if len(text) <= 60 else text[:60] + "...")
