"""Mistakes in the arguments of a command line, found before Hydra composes anything."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override

from mtl_bench.config.mistakes.kinds import is_of_kind, kind_in_words, shown
from mtl_bench.config.mistakes.messages import no_such_task
from mtl_bench.config.schema import RENAMED, RunConfig
from mtl_bench.errors import UserError
from mtl_bench.tasks.definition import LANGUAGE_MODEL

SINGLE_CHOICE_GROUPS = (
    "data",
    "embeddings",
    "encoder",
    "model",
    "sampler",
    "optimizer",
    "trainer",
    "logger",
    "callbacks",
    "paths",
)
"""Groups of which one choice is always made."""

TASK_GROUPS = ("main", "aux")
LISTED = ("aux", "logger")
"""Groups of which several choices may be made, as a list."""


def check_overrides(arguments: Sequence[str], multirun: bool, tasks: Sequence[str]) -> None:
    """Raise an error at the first argument that cannot mean anything.

    Args:
        arguments: of the command line, without options such as `-m`.
        multirun: whether several values make a sweep.
        tasks: names of all tasks.

    Raises:
        UserError: names the key, what is allowed, and what to type.
        hydra.errors.OverrideParseException: an argument cannot be parsed.
    """
    parser = OverridesParser.create()
    earlier: dict[str, str] = {}
    for override in parser.parse_overrides(list(arguments)):
        text, key = str(override.input_line), override.key_or_group
        # Hydra itself takes the last of two values, and says nothing.
        if earlier.get(key, text) != text:
            raise UserError(f"{key} is given twice: {earlier[key]} and {text}. Leave one out.")
        earlier[key] = text
        if key in RENAMED:
            value = text.partition("=")[2]
            raise UserError(f"{key} is called {RENAMED[key]} now: {RENAMED[key]}={value}")
        if override.is_delete():
            _check_deletion(key, text)
            continue
        if override.is_sweep_override() and not multirun:
            raise UserError(_several_values(key, text, arguments))
        for value in _values(override):
            if key in (*TASK_GROUPS, *SINGLE_CHOICE_GROUPS):
                _check_choice(key, value, tasks)
            else:
                _check_value(key, value)


def _values(override: Override) -> Iterator[Any]:
    """Yield the values of an override; a range or glob has none that could be of a wrong kind."""
    value = override.value()
    if isinstance(value, ChoiceSweep):
        for each in value.list:
            # Hydra wraps quoted values in an object, which is no text to `is_of_kind`.
            text = getattr(each, "text", None)
            yield each if text is None else text
    elif not override.is_sweep_override():
        yield value


def _check_deletion(key: str, text: str) -> None:
    """Raise an error if every run needs a key."""
    if key in (*TASK_GROUPS, *SINGLE_CHOICE_GROUPS) or hint_of(key) is not None:
        raise UserError(
            f"{text}: every run needs `{key}`. Give it another value instead: {key}=..."
        )


def _check_choice(group: str, value: Any, tasks: Sequence[str]) -> None:
    """Raise an error if a group is given anything but the name of a choice."""
    names = value if isinstance(value, list) else [value]
    if group == "aux" and value is None:
        return
    for name in names:
        if isinstance(name, str) and name and group in TASK_GROUPS:
            if name.removeprefix(LANGUAGE_MODEL) not in tasks:
                raise UserError(f"{group}: {no_such_task(name, tasks)}")
        elif not isinstance(name, str) or not name or (names is value and group not in LISTED):
            own = f"\nIts values are set by their keys: {group}.<key>=..."
            raise UserError(
                f"{group}: {shown(value)} is not a name. Choose one: `python train.py --help` "
                f"lists what there is.{'' if group in TASK_GROUPS else own}"
                + ("\nFor a run of the main task alone, type aux=[]." if group == "aux" else "")
            )
        if isinstance(value, list) and names.count(name) > 1:
            raise UserError(f"{group}: names '{name}' twice. Name each once.")


def _check_value(key: str, value: Any) -> None:
    """Raise an error if a value is not of the kind that the schema gives a key."""
    hint = hint_of(key)
    is_interpolation = isinstance(value, str) and "${" in value
    if hint is None or is_interpolation or is_of_kind(hint, value):
        return
    raise UserError(f"{key}: {shown(value)} is not {kind_in_words(hint)}.")


def hint_of(key: str) -> Any:
    """Return the type that the schema gives a dotted key; None where it leaves that open.

    >>> hint_of("data.batch_size"), hint_of("optimizer.lr")
    (<class 'int'>, None)
    """
    hint: Any = RunConfig
    for part in key.split("."):
        if is_dataclass(hint):
            hint = get_type_hints(hint).get(part)
        else:
            parameters = get_args(hint)
            hint = parameters[1] if len(parameters) == 2 else None  # a map's values
        if hint is Any or hint is None:
            return None
    return None if is_dataclass(hint) else hint


def _several_values(key: str, text: str, arguments: Sequence[str]) -> str:
    """Return what to say of `seed=0,1` without `-m`."""
    lines = [f"'{text}' has several values. For a sweep over them, add -m:"]
    lines.append(f"  python train.py -m {shlex.join(arguments)}")
    if key == "aux":
        lines.append("For one run with all of them:")
        listed = [f"aux=[{text.partition('=')[2]}]" if each == text else each for each in arguments]
        lines.append(f"  python train.py {shlex.join(listed)}")
    return "\n".join(lines)
