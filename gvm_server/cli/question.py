"""A question to the person at the terminal."""

from __future__ import annotations

import sys


def can_ask() -> bool:
    """Return whether a person is there who can answer."""
    return sys.stdin.isatty()


def confirmed(question: str) -> bool:
    """Ask, and return whether the answer is yes; no answer is none."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
