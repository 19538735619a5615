"""Profiles of the LinGO Redwoods treebank: lexical types of words, and words inside links.

A profile is a folder of [incr tsdb()] relations (Oepen and Flickinger, 1998): lines whose fields
stand between `@`. Field 11 of `result.gz` is a derivation, whose leaves name lexical entries of
the English Resource Grammar; field 7 of `item.gz` is the text with its markup.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example, Note
from mtl_bench.tasks.readers.files import Lines

DERIVATION, TEXT = 10, 6  # fields, counted from 0
# An edge right above a leaf: (edge entry score start end ("form" token ...
LEAF = re.compile(r'\((?:\d+ )?(\S+) \S+ \d+ \d+ \("((?:[^"\\]|\\.)*)" ')
ESCAPED = re.compile(r"\\+(.)")  # the relation escapes a backslash, and so does the derivation
ENTRY = re.compile(r"^(\S+)\s*:=\s*([^\s&]+)")
SUFFIX = re.compile(r"_[a-z]+\d+$")
# Brackets of markup, the bar before what a template does not show, and tokens: numbers, clitics,
# words with inner hyphens, punctuation marks.
MARKUP_OR_TOKEN = re.compile(r"⌊\S|\S⌋|[⌊⌋¦]|\d+(?:[.,]\d+)*|['\u2019]\w+|\w+(?:-\w+)*|[^\w\s]")


class LexicalTypeReader:
    """Reads words and the lexical type of the entry that each belongs to: HPSG supertags.

    Every `test_every`th sentence comes first, `test_size` of them; then `train_size` sentences
    evenly spaced among the others. The yaml cuts the splits at that border.
    """

    def __init__(
        self,
        profiles: Sequence[str],
        lexicons: Sequence[str],
        test_every: int,
        test_size: int,
        train_size: int,
    ) -> None:
        """Name profiles (folders) and lexicons (`.tdl` files), in the order to read them."""
        self.profiles = profiles
        self.lexicons = lexicons
        self.test_every = test_every
        self.test_size = test_size
        self.train_size = train_size

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:  # noqa: ARG002
        """Yield the sentences of the profiles in a folder, test first."""
        if file is None or not file.is_dir():
            raise UserError(f"{file or 'file'}: expected a folder with profiles and lexicons.")
        types = _types([file / name for name in self.lexicons])
        sentences = [
            sentence
            for profile in self.profiles
            for sentence in _supertagged(file / profile / "result.gz", types)
        ]
        test = range(0, len(sentences), self.test_every)[: self.test_size]
        others = [n for n in range(len(sentences)) if n % self.test_every or n >= test.stop]
        if len(test) < self.test_size or len(others) < self.train_size:
            raise UserError(
                f"{file}: has {len(sentences)} sentences, too few for {self.train_size} to train "
                f"and {self.test_size} to test on."
            )
        if unused := len(others) - self.train_size:
            yield Note("sentences beyond the number asked for, left out", "", unused, expected=True)
        yield from (sentences[n] for n in test)
        for n in range(self.train_size):
            yield sentences[others[n * len(others) // self.train_size]]


def _types(lexicons: Sequence[Path]) -> Mapping[str, str]:
    """Return the lexical type by entry; of an entry unknown, that of most with its suffix."""
    types: dict[str, str] = {}
    for lexicon in lexicons:
        for _, line in Lines(lexicon):
            if match := ENTRY.match(line):
                types.setdefault(match[1], match[2].lower())
    by_suffix: dict[str, Counter[str]] = defaultdict(Counter)
    for entry, type_ in types.items():
        if suffix := SUFFIX.search(entry):
            by_suffix[suffix[0]][type_] += 1
    usual = {suffix: counts.most_common(1)[0][0] for suffix, counts in by_suffix.items()}
    return _Types(types, usual)


class _Types(dict[str, str]):
    def __init__(self, types: Mapping[str, str], usual: Mapping[str, str]) -> None:
        super().__init__(types)
        self.usual = usual

    def __missing__(self, entry: str) -> str:
        suffix = SUFFIX.search(entry)
        self[entry] = self.usual.get(suffix[0], entry) if suffix else entry
        return self[entry]


def _supertagged(file: Path, types: Mapping[str, str]) -> Iterator[Example]:
    """Yield the words of a profile with the types of their entries."""
    lines = Lines(file)
    for number, line in lines:
        if not line:
            continue
        fields = line.split("@")
        leaves = LEAF.findall(fields[DERIVATION]) if len(fields) > DERIVATION else []
        pairs = [  # an entry of several words gives each of them its type
            (word, types[entry])
            for entry, form in leaves
            for word in ESCAPED.sub(r"\1", form).split()
        ]
        if not pairs:
            lines.fail(number, line, f"field {DERIVATION + 1} is no derivation.")
        yield Example(*zip(*pairs, strict=True))


class LinkReader:
    """Reads words and `l` (inside a hyperlink) or `o`, of sentences that have a link.

    Sentences of fewer than `min_words` words are left out.
    """

    def __init__(self, profiles: Sequence[str], min_words: int) -> None:
        """Name profiles (folders) in the order to read them."""
        self.profiles = profiles
        self.min_words = min_words

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example | Note]:  # noqa: ARG002
        """Yield the sentences of the profiles in a folder."""
        if file is None or not file.is_dir():
            raise UserError(f"{file or 'file'}: expected a folder with profiles.")
        for profile in self.profiles:
            lines = Lines(file / profile / "item.gz")
            for number, line in lines:
                if not line:
                    continue
                fields = line.split("@")
                if len(fields) <= TEXT:
                    lines.fail(number, line, f"{len(fields)} fields, field {TEXT + 1} is the text.")
                sentence = linked(fields[TEXT])
                if "l" in sentence.target and len(sentence.words) >= self.min_words:
                    yield sentence
                else:
                    text = f"sentences without a link or of fewer than {self.min_words} words"
                    yield Note(f"{text}, left out", f"{profile}, line {number}", expected=True)


def linked(text: str) -> Example:
    """Return the words that a text with markup shows, those inside links labelled `l`.

    `⌊x` and `x⌋` enclose what has markup of kind x, `>` for a hyperlink; behind a bar stand
    arguments of a template, which are not shown.

    >>> linked("The ⌊>verb phrase>⌋ ⌊λser¦es¦Langλ⌋ .")
    Example(words=('The', 'verb', 'phrase', 'ser', '.'), target=('o', 'l', 'l', 'o', 'o'))
    """
    enclosing: list[str] = []  # kinds of markup, a bar once what follows is not shown
    words, labels = [], []
    for piece in MARKUP_OR_TOKEN.findall(text):
        if piece[0] == "⌊":
            enclosing.append(piece[1:])
        elif piece[-1] == "⌋":
            if enclosing:
                enclosing.pop()
        elif piece == "¦":
            if enclosing:
                enclosing[-1] = piece
        elif "¦" not in enclosing:
            words.append(piece)
            labels.append("l" if ">" in enclosing else "o")
    return Example(tuple(words), tuple(labels))
