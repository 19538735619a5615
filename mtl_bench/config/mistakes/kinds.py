"""Whether a value of the command line is of the kind that a key or an option declares."""

from __future__ import annotations

import math
import types
from typing import Any, Union, get_args, get_origin

PLAIN: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a map",
    types.NoneType: "null",
}
"""The kinds of values that YAML has, in words."""


def is_of_kind(hint: Any, value: object) -> bool:
    """Return whether a value fits a type hint; what is no plain type is not judged.

    >>> is_of_kind(int, True), is_of_kind(float, 3), is_of_kind(int | None, None)
    (False, True, True)
    """
    kinds = _kinds(hint)
    if not set(kinds) <= set(PLAIN):
        return not _is_text_for_number(kinds, value)
    # Before int: to Python, True is a whole number, and `seed=true` would pass.
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, int):
        # YAML reads `sweep_name=2017` as a number, though the key holds text.
        return bool({int, float, str} & set(kinds))
    if isinstance(value, float):
        return str in kinds or (float in kinds and math.isfinite(value))
    return type(value) in kinds


def kind_in_words(hint: Any) -> str:
    """Return what a type hint allows.

    >>> kind_in_words(int | None)
    'a whole number or null'
    """
    return " or ".join(PLAIN[kind] for kind in _kinds(hint) if kind in PLAIN)


def shown(value: object) -> str:
    """Return a value as a message shows it.

    >>> shown(""), shown("ten"), shown(None)
    ('nothing', "'ten'", "'null'")
    """
    if value == "":
        return "nothing"
    if value is None or isinstance(value, bool):
        return f"'{str(value).lower()}'" if value is not None else "'null'"
    return f"'{value}'"


def _kinds(hint: Any) -> tuple[Any, ...]:
    """Return the types that a hint names, without their parameters."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(kind for each in get_args(hint) for kind in _kinds(each))
    return (get_origin(hint) or hint,)


def _is_text_for_number(kinds: tuple[Any, ...], value: object) -> bool:
    """Return whether text stands where a hint names numbers and other types, but no text."""
    numbers = {int, float} & set(kinds)
    return bool(numbers) and isinstance(value, str | types.NoneType) and str not in kinds
