"""What a command prints where the terminal's encoding lacks a sign."""

import io
import sys


def replace_what_cannot_be_printed() -> None:
    """Print `?` for a sign that an encoding lacks, such as one of a task's name in Latin-1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
