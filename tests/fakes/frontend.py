"""A frontend that makes nothing and notes what is asked of it."""

from __future__ import annotations

from collections.abc import Callable

from gvm_client.errors import ErrorCode, JobFailed
from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import AlphaSpec


class FakeFrontend:
    """As a terminal or a window, but quicker.

    Attributes:
        made: the plates, frames and priorities that were made.
        specs: how, one for each of `made`.
        said: the sentences.
        fails: the plates whose matte fails; "" is every one.
        at_pause: called instead of waiting.
    """

    def __init__(self, *, fails: str | None = None) -> None:
        self.made: list[tuple[str, str, Priority]] = []
        self.specs: list[AlphaSpec] = []
        self.said: list[str] = []
        self.fails = fails
        self.at_pause: Callable[[], None] = lambda: None

    def say(self, sentence: str) -> None:
        """Note it."""
        self.said.append(sentence)

    def make(self, spec: AlphaSpec, frames: str, priority: Priority) -> None:
        """Note it, or fail."""
        if self.fails is not None and self.fails in spec.plate:
            raise JobFailed("Out of memory.", code=ErrorCode.OUT_OF_MEMORY)
        self.made.append((spec.plate, frames, priority))
        self.specs.append(spec)

    def pause(self, seconds: float) -> None:
        """Do what a test wants meanwhile."""
        self.at_pause()
