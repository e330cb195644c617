"""A client at the other end of a job's line."""

from __future__ import annotations

import threading
from typing import TypeVar

from gvm_client.protocol.messages import JobEvent

_Event = TypeVar("_Event", bound=JobEvent)


class Listener:
    """Keeps what it hears; one that is slow is waited for, one that is deaf in vain.

    Attributes:
        heard: every event that was sent.
        waited_for: set as soon as somebody waits for a slow one.
    """

    def __init__(self, *, deaf: bool = False, slow: bool = False) -> None:
        self.heard: list[JobEvent] = []
        self.waited_for = threading.Event()
        self._deaf = deaf
        self._has_room = threading.Event()
        if not slow:
            self._has_room.set()

    def send(self, event: JobEvent) -> None:
        """Hear something."""
        self.heard.append(event)

    def wait_for_room(self) -> bool:
        """Return whether it listens, as soon as it has room."""
        self.waited_for.set()
        return self._has_room.wait(5) and not self._deaf

    def catch_up(self) -> None:
        """Be slow no more."""
        self._has_room.set()

    def all_of(self, kind: type[_Event]) -> list[_Event]:
        """Return the events of one type that it heard."""
        return [event for event in self.heard if isinstance(event, kind)]
