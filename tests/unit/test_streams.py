"""What is printed where an encoding lacks a character."""

import io
import sys

from mtl_bench.commands.shared.streams import replace_what_cannot_be_printed


def test_a_character_that_an_encoding_lacks_is_replaced(monkeypatch):
    buffer = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="latin-1"))
    replace_what_cannot_be_printed()
    print("\u2713 Grüße", flush=True)
    assert buffer.getvalue() == "? Grüße\n".encode("latin-1")
