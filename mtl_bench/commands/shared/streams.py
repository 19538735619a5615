"""What a command prints where the terminal's encoding lacks a character."""

import io
import sys


def replace_what_cannot_be_printed() -> None:
    """Print `?` for a character that the encoding of the output lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # errors escape them, as Python does
        sys.stdout.reconfigure(errors="replace")
