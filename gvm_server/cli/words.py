"""Numbers as people read them, and what programs read."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gvm_client.text import is_text, printable


def size_in_words(count: int) -> str:
    """Return bytes as MiB or GiB."""
    gib = count / 2**30
    return f"{gib:.1f} GiB" if gib >= 1 else f"{count / 2**20:.1f} MiB"


def duration_in_words(seconds: float) -> str:
    """Return seconds as days and hours, hours and minutes, or minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def as_json(value: object) -> str:
    """Return one line of JSON, of ASCII only; a name that is no text is escaped in its string."""
    return json.dumps(_with_texts(value))


def _with_texts(value: object) -> object:
    """Return a value whose texts are all UTF-8: a lone surrogate is no JSON that others read."""
    if isinstance(value, str):
        return value if is_text(value) else printable(value)
    if isinstance(value, Mapping):
        return {name: _with_texts(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_texts(item) for item in value]
    return value
