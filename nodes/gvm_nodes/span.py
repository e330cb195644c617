"""Consecutive frames by their numbers, as a host counts them."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """Both ends are included."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"
