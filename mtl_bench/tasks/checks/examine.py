"""What may be wrong with a corpus, whatever its type: findings that people can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from mtl_bench.errors import UserError
from mtl_bench.tasks.checks.findings import Finding, counted, shortened
from mtl_bench.tasks.checks.words import check_words
from mtl_bench.tasks.corpus import Corpus
from mtl_bench.tasks.examples import Example, SplitName
from mtl_bench.tasks.format_guess.column import ENOUGH, UNIQUE

BATCH = 32  # sentences, by default
DEV_FRACTION = 0.1  # of train, by default


def small_batch(corpus: Corpus) -> int | None:
    """Return a batch size for a corpus that is too small for the default; else None."""
    size = len(corpus["train"])
    return max(1, size // 2) if size < BATCH else None


def examine(corpus: Corpus) -> Iterator[Finding]:
    """Yield what is to be said of a corpus."""
    sizes = ", ".join(
        f"{split} {counted(sentences, 'sentence')} with {_total(sentences)} words"
        for split, sentences in corpus.splits.items()
        if sentences
    )
    yield Finding("ok", f"Sizes: {sizes}.")
    try:
        for split in ("dev", "test"):
            if corpus.splits[split]:
                corpus.refuse_unusable(split)
    except UserError as error:
        yield Finding("error", str(error))
    if size := small_batch(corpus):
        yield Finding(
            "warning",
            f"Training draws {BATCH} sentences a step, more than train has: type "
            f"`data.batch_size={size}`.",
        )
    # A corpus without dev gets one at its first run: better to hear of it now.
    try:
        corpus.with_dev(DEV_FRACTION, seed=0)
    except UserError as error:
        columns = "\nIn files of columns, a blank line ends a sentence."
        yield Finding("error", f"{error}{columns if corpus.type.level == 'word' else ''}")
    for remark in corpus.remarks:
        yield Finding("ok" if remark.expected else "warning", f"{remark}.")
    yield from corpus.type.check(corpus.splits)
    yield from _repetitions(corpus)
    yield from _coverage(corpus)
    yield from check_words(corpus)


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
                f"most frequent ({times} times) is {shortened(most)}.",
            )
    pairs: list[tuple[SplitName, SplitName]]
    pairs = [("test", "train"), ("dev", "train"), ("test", "dev")]
    for one, other in pairs:
        overlap = {sentence: n for sentence, n in words[one].items() if sentence in words[other]}
        if not overlap:
            continue
        count = sum(overlap.values())
        share = count / words[one].total()
        advice = "Are they the same file?" if share > 0.5 else "There a score shows memory only."
        yield Finding(
            "error" if share > 0.5 else "warning",
            f"{one}: {count:,} of {words[one].total():,} sentences ({share:.1%}) stand in {other}, "
            f"too, such as {shortened(max(overlap, key=len))}. {advice}",
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


def _total(sentences: Sequence[Example]) -> str:
    return f"{sum(len(sentence.words) for sentence in sentences):,}"
