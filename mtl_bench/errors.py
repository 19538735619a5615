"""The one error type that is meant for the person at the keyboard, and how texts are shown."""

import re

UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that steer a terminal, reorder text, or cannot be written."""


def visible(text: str) -> str:
    r"""Return a text in which what would steer a terminal or reorder the text is spelled out.

    >>> visible("a\x1b[31mb\u202ec")
    'a\\x1b[31mb\\u202ec'
    """
    return UNSAFE.sub(lambda match: ascii(match[0])[1:-1], text)


class UserError(Exception):
    """A mistake that the user can fix: says what was seen, what is allowed, and what to do.

    The command line shows its text without a traceback.
    """

    def __str__(self) -> str:
        """Return the text; names from files cannot change how it is shown."""
        return visible(super().__str__())
