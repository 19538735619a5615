"""How times are written, for messages and pages."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Return a time as people say it.

    >>> duration(42), duration(179.7), duration(9000)
    ('42 s', '3 min 0 s', '2 h 30 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
