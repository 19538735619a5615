"""What may be wrong with a corpus: findings that people can act on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Literal

from mtl_bench.errors import UserError
from mtl_bench.tasks.corpus import SPLITS, Corpus, Sentence, SplitName

Level = Literal["fine", "look", "mend"]
BATCH = 32  # sentences, by default
LONG = 100
"""Words beyond which a sentence is probably several, or a list."""

# White space, control characters, and characters of no width: zero-width spaces and joiners, soft
# hyphens, marks of direction, byte order marks.
ODD_CHARACTER = re.compile("[\\s\\x00-\\x1f\\x7f\u00ad\u200b-\u200f\u2060\ufeff]")
DOCUMENT_START = "-DOCSTART-"
NOBODY = {"o", "_", "none", "null", "0", "outside"}
SPAN = re.compile(r"[BI](?:-.+)?|O", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """One observation: `fine`, worth a `look`, or something that one must `mend`."""

    level: Level
    text: str


def guess_spans(corpus: Corpus) -> str | None:
    """Return `bio` if the labels mark spans so, else None."""
    labels = [label.upper() for label in corpus.labels()]
    if all(SPAN.fullmatch(label) for label in labels) and any(x[0] == "B" for x in labels):
        return "bio"
    return None


def guess_outside(corpus: Corpus) -> str | None:
    """Return the label of words that are nothing in particular, or None."""
    counts = label_counts(corpus)
    if guess_spans(corpus):  # here it need not be the most frequent
        return next((label for label in counts if label.upper() == "O"), None)
    return next((label for label, _ in counts.most_common(1) if label.lower() in NOBODY), None)


def label_counts(corpus: Corpus) -> Counter[str]:
    """Return how often training has each label."""
    return Counter(label for sentence in corpus["train"] for label in sentence.labels)


def refuse_unusable(corpus: Corpus, split: SplitName) -> None:
    """Raise an error if a split cannot be evaluated with the labels of train.

    Raises:
        UserError: labels do not fit one another, or their description in the task's yaml.
    """
    task, labels = corpus.task, corpus.labels()
    shown = ", ".join(labels[:20]) + (", ..." if len(labels) > 20 else "")
    if not corpus[split]:
        raise UserError(
            f"task '{task}' has no {split} split to evaluate on.\nGive it one, or set a share of "
            "train aside with `data.dev_share=0.1`."
        )
    if corpus.outside is not None and corpus.outside not in labels:
        raise UserError(
            f"task '{task}': outside is '{corpus.outside}', which is none of the {len(labels)} "
            f"labels of its training split: {shown}.\nMend `outside` in the task's yaml; `outside: "
            "null` counts every label."
        )
    if corpus.spans not in (None, "bio"):
        raise UserError(f"task '{task}': spans is '{corpus.spans}'; it is 'bio' or null.")
    if corpus.spans == "bio":
        odd = [
            x
            for x in labels
            if x.upper() not in ("B", "I", "O") and x[:2].upper() not in ("B-", "I-")
        ]
        if odd:
            raise UserError(
                f"task '{task}': spans is 'bio', but these labels are not B, I or O, nor begin "
                f"with B- or I-: {', '.join(odd[:10])}.\nSet `spans: null` in the task's yaml."
            )
    found = {label for sentence in corpus[split] for label in sentence.labels}
    if not found & set(labels):
        raise UserError(
            f"task '{task}': its train and {split} splits have no label in common.\n"
            f"  train: {shown}\n  {split}: {', '.join(sorted(found)[:20])}\n"
            "Check the label column, and whether the files belong together."
        )


def examine(corpus: Corpus) -> Iterator[Finding]:
    """Yield what is to be said of a corpus."""
    sizes = ", ".join(
        f"{split} {_count(sentences, 'sentence')} with {_total(sentences)} words"
        for split, sentences in corpus.splits.items()
        if sentences
    )
    yield Finding("fine", f"Sizes: {sizes}.")
    try:
        for split in ("dev", "test"):
            if corpus.splits[split]:
                refuse_unusable(corpus, split)
    except UserError as error:
        yield Finding("mend", str(error))
    if len(corpus["train"]) < BATCH:
        yield Finding(
            "look",
            f"Training draws {BATCH} sentences a step, more than train has: type "
            f"`data.batch_size={max(1, len(corpus['train']) // 2)}`.",
        )
    yield from _labels(corpus)
    if corpus.spans == "bio":
        yield from _spans(corpus)
    yield from _repetitions(corpus)
    yield from _words(corpus)


def _labels(corpus: Corpus) -> Iterator[Finding]:
    counts = label_counts(corpus)
    total = counts.total()
    shown = ", ".join(f"{label} {n:,}" for label, n in counts.most_common(12))
    more = f", and {len(counts) - 12} more" if len(counts) > 12 else ""
    yield Finding("fine", f"{_count(counts, 'label')} in train: {shown}{more}.")
    if len(counts) < 2:
        yield Finding("mend", "A single label leaves nothing to learn. Is it the right column?")
    if len(counts) > total / 3:
        yield Finding("mend", "Every third word has a label of its own. Is it the right column?")
    once = Counter({label: n for label, n in counts.items() if n == 1})
    if once and len(counts) > 1:
        yield Finding(
            "look",
            f"{_count(once, 'label')} of train with one occurrence: {_some(once)}. A header line, "
            "or a slip of annotation?",
        )
    ends = [label for label in counts if label[:2] in ("E-", "S-")]
    if ends:
        yield Finding(
            "look",
            f"Labels such as {ends[0]} are of the BIOES scheme. Span F1 knows BIO only: turn E- "
            "into I- and S- into B-, for example by `label_map`.",
        )
    folded: dict[str, list[str]] = {}
    for label in counts:
        folded.setdefault(label.lower(), []).append(label)
    variants = [" and ".join(same) for same in folded.values() if len(same) > 1]
    if variants:
        yield Finding(
            "look",
            f"Labels that differ in case only: {', '.join(variants[:5])}. They count as different; "
            "`lowercase_labels: true` of the column reader folds them.",
        )
    if corpus.outside is None:
        yield Finding("fine", "No outside label: F1 counts every label, and so equals accuracy.")
    elif corpus.outside in counts:  # else it was refused above
        share = counts[corpus.outside] / total
        yield Finding(
            "look" if share > 0.98 else "fine",
            f"{share:.1%} of the words have the outside label {corpus.outside!r}"
            + (": so few others make F1 noisy." if share > 0.98 else "."),
        )
    for split in ("dev", "test"):
        labels = Counter(x for s in corpus.splits[split] for x in s.labels)
        unseen = Counter({label: n for label, n in labels.items() if label not in counts})
        if unseen and len(unseen) < len(labels):  # else it was refused above
            yield Finding(
                "look",
                f"{split} has {_count(unseen, 'label')} that train has not: {_some(unseen)}. No "
                "model can find them; they count as misses.",
            )


def _spans(corpus: Corpus) -> Iterator[Finding]:
    """Look for I-x that continues nothing."""
    for split in SPLITS:
        wrong: list[tuple[int, Sentence, int]] = []
        for number, sentence in enumerate(corpus[split], start=1):
            before = "O"
            for place, label in enumerate(sentence.labels):
                inside = label[:1].upper() == "I"
                if inside and (before[:1].upper() == "O" or before[1:] != label[1:]):
                    wrong.append((number, sentence, place))
                before = label
        if wrong:
            number, sentence, place = wrong[0]
            context = " ".join(
                f"{word}/{label}"
                for word, label in list(zip(*sentence, strict=True))[max(0, place - 1) : place + 2]
            )
            yield Finding(
                "look",
                f"{split}: {_count(wrong, 'label')} I-... that continue no span, first in sentence "
                f"{number}: {context}. They count as beginnings. Many of them mean that the corpus "
                "has the IOB1 scheme, or that its sentences are cut in the wrong places.",
            )


def _repetitions(corpus: Corpus) -> Iterator[Finding]:
    words = {
        split: Counter(s.words for s in found if not s.words[0].upper().startswith(DOCUMENT_START))
        for split, found in corpus.splits.items()
    }
    for split, counts in words.items():
        again = counts.total() - len(counts)
        if again:
            most, times = counts.most_common(1)[0]
            yield Finding(
                "look" if again > counts.total() / 20 else "fine",
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
            "mend" if share > 0.5 else "look",
            f"{one}: {count:,} of {words[one].total():,} sentences ({share:.1%}) stand in {other}, "
            f"too, such as {_shown(max(shared, key=len))}. {advice}",
        )


def _words(corpus: Corpus) -> Iterator[Finding]:
    every = [(split, s) for split in SPLITS for s in corpus[split]]
    longest = max((s for _, s in every), key=lambda s: len(s.words))
    long = sum(len(s.words) > LONG for _, s in every)
    if long:
        yield Finding(
            "look",
            f"{long:,} of {_count(every, 'sentence')} have more than {LONG} words, the longest "
            f"{len(longest.words):,}: {_shown(longest.words)}. Is a blank line missing? "
            "`max_length` cuts them in training.",
        )
    if all(len(s.words) == 1 for _, s in every):
        yield Finding("mend", "Every sentence has one word: is there a blank line after each line?")
    odd = Counter(w for _, s in every for w in s.words if ODD_CHARACTER.search(w))
    if odd:
        shown = ", ".join(f"{word!r}" for word, _ in odd.most_common(5))
        yield Finding(
            "look",
            f"Words with blanks, or with characters that nobody sees: {odd.total():,}, such as "
            f"{shown}. Blanks inside a word become _.",
        )
    marks = [s for _, s in every if s.words[0].upper().startswith(DOCUMENT_START)]
    if marks:
        yield Finding("look", f"{_count(marks, 'sentence')} mark a document's start: remove them.")


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
