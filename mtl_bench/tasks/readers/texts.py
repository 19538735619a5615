"""What readers of texts with a class share: words of a text, and the names of classes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mtl_bench.errors import UserError

WORD = re.compile(r"\w+(?:[\'\N{RIGHT SINGLE QUOTATION MARK}]\w+)*|[^\w\s]")
"""A run of letters and digits, apostrophes inside included; or another character by itself."""


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a running text.

    >>> words_of("Don't panic: it's 42!")
    ("Don't", 'panic', ':', "it's", '42', '!')
    """
    return tuple(WORD.findall(text))


def class_of(label: str | int, names: Sequence[str] | None) -> str:
    """Return the name of a class.

    Args:
        label: as the file has it: a name, or a number where there are names.
        names: of the classes 0, 1, 2, ...; None: the file has names.

    Raises:
        ValueError: it is none of them, with what is allowed.

    >>> class_of("1", ["bad", "good"]), class_of("fair", None)
    ('good', 'fair')
    """
    text = str(label).strip()
    if not text:
        raise ValueError("the class is missing.")
    if names is None or text in names:
        return text
    if text.isdecimal() and int(text) < len(names):
        return names[int(text)]
    raise ValueError(
        f"class {text!r} is none of {', '.join(names)}, nor a number from 0 to {len(names) - 1}."
    )


def checked_names(names: Sequence[object] | None) -> list[str] | None:
    """Return the names of classes that a yaml gives.

    Raises:
        UserError: they are not a list of different texts.
    """
    if names is None:
        return None
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise UserError(f"classes: {names!r} is not a list, such as [bad, good].")
    texts = [each for each in names if isinstance(each, str)]
    if len(set(texts)) != len(names) or not texts:
        raise UserError(
            f"classes: {list(names)!r} is not a list of different names. YAML reads yes, no, null "
            "and their kin as values: put them in quotes."
        )
    return texts
