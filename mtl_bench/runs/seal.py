"""JSON files that show when a byte has changed: their last key is a checksum of the rest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SEAL = "sha256"

DAMAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What comes of content that is no JSON, or other values than were written."""


def sealed(content: Mapping[str, Any]) -> str:
    """Return plain values as the text of a file."""
    whole = {**content, SEAL: _digest(content)}
    return json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def unsealed(text: str) -> dict[str, Any]:
    """Return the values of a text, without the checksum; files of earlier versions have none.

    Raises:
        ValueError: it is no JSON, no map, or not what was written.
    """
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("it is no map")
    seal = content.pop(SEAL, None)
    if seal is not None and seal != _digest(content):
        raise ValueError("its content does not have the checksum that was written with it")
    return content


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
