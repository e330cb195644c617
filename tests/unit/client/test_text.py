"""Text for a terminal: no name steers it, and every name is shown."""

from __future__ import annotations

import os

import pytest

from gvm_client.text import counted, is_text, one_line, printable


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plate.%04d.exr", "plate.%04d.exr"),
        ("grün 緑 😀", "grün 緑 😀"),
        ("\x1b[2J\x1b]0;owned\x07", "\\x1b[2J\\x1b]0;owned\\x07"),
        ("a\rb\x08c\x7fd\x9be", "a\\x0db\\x08c\\x7fd\\x9be"),
        ("exr.\u202egpj", "exr.\\u202egpj"),
        ("one\u2028two", "one\\u2028two"),
        (os.fsdecode(b"caf\xe9"), "caf\\xe9"),
        ("lone \ud800", "lone \\ud800"),
    ],
)
def test_what_would_steer_a_terminal_is_escaped(name: str, shown: str):
    """Letters of every language stay; what is shown can be encoded."""
    assert printable(name) == one_line(name) == shown
    assert is_text(shown)


def test_a_line_break_in_a_name_begins_no_line():
    """Messages of several lines keep them."""
    assert printable("a\nb\tc") == "a\nb\tc"
    assert one_line("a\nb\tc") == "a\\x0ab\\x09c"


def test_what_is_no_text_is_known():
    """A file's name in Latin-1."""
    assert is_text("café")
    assert not is_text(os.fsdecode(b"caf\xe9"))


def test_counts_take_their_noun_s_number():
    """One is one; none and many are many."""
    assert [counted(count, "frame") for count in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]
