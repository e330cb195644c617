"""Counts as people read them."""

from __future__ import annotations

ARE = ("is", "are")
WERE = ("was", "were")


def counted(count: int, noun: str, verb: tuple[str, str] | None = None) -> str:
    """Return a count with its noun and verb, such as `1 frame is` or `2 frames are`.

    Args:
        count: how many.
        noun: for one; more take a plain `s`.
        verb: for one and for more; none by default.
    """
    words = [str(count), noun if count == 1 else f"{noun}s"]
    if verb is not None:
        words.append(verb[count != 1])
    return " ".join(words)
