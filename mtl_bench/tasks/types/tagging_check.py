"""What may be wrong with the labels of a tagging task: findings that people can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mtl_bench.tasks.checks.findings import Finding, counted, most_common
from mtl_bench.tasks.examples import SPLITS, Example, Splits
from mtl_bench.tasks.types.labels import label_counts, train_labels, unseen_labels
from mtl_bench.tasks.types.spans import SCHEMES, SpanScheme, named_scheme, recognise

CLOSED = ("bioes", "bilou", "bmes")
"""Schemes in which the last word of a span has a letter of its own."""


def check_labels(splits: Splits, outside: str | None) -> Iterator[Finding]:
    """Yield what is to be said of the labels, and of those that only evaluated splits have."""
    counts = label_counts(splits)
    total = counts.total()
    examples = ", ".join(f"{label} {n:,}" for label, n in counts.most_common(12))
    more = f", and {len(counts) - 12} more" if len(counts) > 12 else ""
    yield Finding("ok", f"{counted(counts, 'label')} in train: {examples}{more}.")
    if len(counts) < 2:
        yield Finding("error", "A single label leaves nothing to learn. Is it the right column?")
    if len(counts) > total / 3:
        yield Finding("error", "Every third word has a label of its own. Is it the right column?")
    once = Counter({label: n for label, n in counts.items() if n == 1})
    if once and len(counts) > 1:
        yield Finding(
            "warning",
            f"{counted(once, 'label')} of train with one occurrence: {most_common(once)}. A header "
            "line, or a slip of annotation?",
        )
    spellings: dict[str, list[str]] = {}
    for label in counts:
        spellings.setdefault(label.lower(), []).append(label)
    variants = [" and ".join(group) for group in spellings.values() if len(group) > 1]
    if variants:
        yield Finding(
            "warning",
            f"Labels that differ in case only: {', '.join(variants[:5])}. They count as different; "
            "`lowercase_labels: true` of the column reader folds them.",
        )
    if outside is None:
        yield Finding("ok", "No outside label: F1 counts every label, and so equals accuracy.")
    elif outside in counts:  # else it was refused above
        share = counts[outside] / total
        yield Finding(
            "warning" if share > 0.98 else "ok",
            f"{share:.1%} of the words have the outside label {outside!r}"
            + (": so few others make F1 noisy." if share > 0.98 else "."),
        )
    for split in ("dev", "test"):
        labels = Counter(x for example in splits[split] for x in example.target)
        if set(labels) == {outside}:
            yield Finding(
                "warning",
                f"{split} has the outside label {outside!r} only: F1 is 0 whatever a model "
                "predicts.",
            )
        unseen = Counter({label: n for label, n in labels.items() if label not in counts})
        if unseen and len(unseen) < len(labels):  # else it was refused above
            yield Finding(
                "warning",
                f"{split} has {counted(unseen, 'label')} that train has not: {most_common(unseen)}."
                " No model can find them; they count as misses.",
            )


def check_spans(splits: Splits, outside: str | None, spans: str | None) -> Iterator[Finding]:
    """Say which scheme the labels follow, and what does not follow it."""
    scheme = recognise([example.target for example in splits["train"]])
    if spans in SCHEMES:
        every = (*train_labels(splits), *unseen_labels(splits))
        scheme = named_scheme(spans, every, outside)
    if scheme is None:
        yield from _no_scheme(splits, outside)
        return
    also = " (as is IOB1 in which no two spans of a type touch)" if scheme.name == "io" else ""
    use = (
        f"span F1 is computed by it (`spans: {scheme.name}`; null computes none)"
        if spans
        else f"`spans: {scheme.name}` computes span F1 by it; `spans: null` computes none"
    )
    yield Finding("ok", f"Labels mark spans by the scheme {scheme.describe()}{also}: {use}.")
    stray = scheme.stray(
        Counter(x for split in splits.values() for example in split for x in example.target)
    )
    if stray:
        yield Finding(
            "warning",
            f"Labels that do not follow the span scheme: {most_common(stray)}. They count as "
            "outside of spans; are they slips of annotation?",
        )
    if scheme.name not in ("io", "iob1"):
        yield from _broken_spans(splits, scheme)


def _no_scheme(splits: Splits, outside: str | None) -> Iterator[Finding]:
    """Say why there is no span F1, where labels look as if there should be one."""
    counts = label_counts(splits)
    with_prefix = [x for x in counts if len(x) > 2 and x[0].upper() in "BIESLUM" and x[1] in "-_:"]
    with_brackets = [label for label in counts if "(" in label or label in ("*", "*)")]
    with_quotes = [label for label in counts if len(label) > 1 and label[0] == label[-1] == '"']
    for some, what, advice in (
        (
            with_prefix,
            "begin like those of a span scheme",
            "Write all of them in one way, such as B-x.",
        ),
        (
            with_brackets,
            "are brackets as of CoNLL-2012",
            "Convert them to BIO, such as B-x, I-x, O.",
        ),
        (with_quotes, "are in quotes", "Remove the quotes from words and labels."),
    ):
        if some:
            yield Finding(
                "warning",
                f"{len(some)} of {counted(counts, 'label')} {what} ({', '.join(some[:5])}), but no "
                f"scheme explains the labels, so there is no span F1. {advice}",
            )
            return
    if outside is not None:
        yield Finding(
            "ok",
            "No span scheme in the labels, so no span F1 (`spans: null`). If runs of one label "
            "are spans, set `spans: io`.",
        )


def _broken_spans(splits: Splits, scheme: SpanScheme) -> Iterator[Finding]:
    """Look for labels that should continue a span, and continue none."""
    for split in SPLITS:
        wrong: list[tuple[int, Example, int]] = []
        unclosed = 0
        for number, sentence in enumerate(splits[split], start=1):
            before = ("O", "")
            # One more O, so that a span which the end of a sentence cuts is noticed.
            for place, label in enumerate((*sentence.target, "O")):
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
                f"{split}: {counted(wrong, 'label')} inside a span that continue none, first in "
                f"sentence {number}: {context}. They count as beginnings. Many of them mean that "
                "the corpus has another scheme, or that its sentences are cut in the wrong places.",
            )
