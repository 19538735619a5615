"""CCGbank (LDC2005T13): words and their lexical categories.

Hockenmaier and Steedman (2007), *CCGbank*. The derivations lie in `<section>/wsj_*.auto`, two lines
each: `ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1`, then a tree whose leaves are
`(<L category POS original_POS word predicate_argument_category>)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mtl_bench.errors import UserError
from mtl_bench.tasks.examples import Example
from mtl_bench.tasks.readers.files import Lines, documents

LEAF = re.compile(r"\(<L (\S+) \S+ \S+ (\S+) \S+>\)")
SECTIONS = re.compile(r"(\d\d)(?:-(\d\d))?")


class CcgbankReader:
    """Reads words and lexical categories; its parts are sections, `23` or `02-21`."""

    def __call__(self, file: Path | None, part: str | None) -> Iterator[Example]:
        """Yield the sentences of some sections of the folder with the sections."""
        match = SECTIONS.fullmatch(part or "")
        if not match or file is None:
            raise UserError(
                f"part: {part!r} names no sections. Write '23', or '02-21' for several."
            )
        first, last = int(match[1]), int(match[2] or match[1])
        for section in range(first, last + 1):
            for document in documents(file / f"{section:02d}", "*.auto"):
                yield from _sentences(document)


def _sentences(document: Path) -> Iterator[Example]:
    lines = Lines(document)
    for number, line in lines:
        if line.startswith("ID=") or not line.strip():
            continue
        leaves = LEAF.findall(line)
        # A leaf that LEAF does not match would else vanish from its sentence unseen.
        if not leaves or len(leaves) != line.count("(<L "):
            lines.fail(
                number,
                line,
                "expected a derivation with leaves `(<L category POS POS word category>)`.",
            )
        yield Example(
            tuple(word for _, word in leaves), tuple(category.lower() for category, _ in leaves)
        )
