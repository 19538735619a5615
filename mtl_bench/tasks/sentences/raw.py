"""Running text, cut into sentences and words by spaCy's rules (an optional package)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mtl_bench.errors import UserError
from mtl_bench.tasks.readers.lines import LONGEST
from mtl_bench.tasks.sentences.formats import NumberedLines, Words
from mtl_bench.tasks.sentences.stream import StreamLines

MOST_CHARACTERS = 100_000
"""Of a paragraph that are cut at once; longer ones are cut in pieces."""


def raw(lines: NumberedLines, source: StreamLines, language: str = "en") -> Iterator[Words]:
    """Yield the sentences of paragraphs, which blank lines part; a line may hold part of one.

    Args:
        lines: numbered.
        source: of the lines, for errors.
        language: whose rules cut words, as spaCy calls it.

    Raises:
        UserError: spaCy is not installed, or does not know the language.
    """
    cut = _pipeline(language)
    paragraph: list[str] = []
    size = number = 0
    for number, line in lines:
        if line.strip():
            paragraph.append(line)
            size += len(line)
            if size > MOST_CHARACTERS:
                *whole, last = cut(" ".join(paragraph)).sents
                yield from _words(whole or [last], number, source)
                # The last sentence may go on in the next line, unless it is all there is.
                paragraph = [last.text] if whole else []
                size = sum(map(len, paragraph))
        elif paragraph:
            yield from _words(cut(" ".join(paragraph)).sents, number, source)
            paragraph, size = [], 0
    if paragraph:
        yield from _words(cut(" ".join(paragraph)).sents, number, source)


def _words(sentences: Iterable[Any], number: int, source: StreamLines) -> Iterator[Words]:
    """Yield the words of the sentences that have some; `number` is of the line that ends them."""
    for sentence in sentences:
        if words := tuple(token.text for token in sentence if not token.is_space):
            yield source.check_words(number, words)


def _pipeline(language: str) -> Any:
    """Return spaCy's rules for words and ends of sentences of a language; no model is needed."""
    try:
        import spacy  # seconds, and not needed for words that are cut already
    except ImportError:
        raise UserError(
            "raw text is cut into words by spaCy, which is not installed. Type `pip install "
            "'mtl-bench[raw]'`, or cut the words yourself: `--input plain` takes a sentence a "
            "line, with blanks between words."
        ) from None
    try:
        pipeline = spacy.blank(language)
    except ImportError as error:  # an unknown language, or one whose rules are another package
        reason = str(error).splitlines()[0]
        raise UserError(
            f"--language {language}: {reason}\nLanguages are those of spaCy, such as en, de, es, "
            "fr; `xx` is any."
        ) from None
    pipeline.add_pipe("sentencizer")
    pipeline.max_length = 2 * (LONGEST + MOST_CHARACTERS)
    return pipeline
