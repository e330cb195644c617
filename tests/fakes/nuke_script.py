"""A .nk script as the fake Nuke writes it: Nuke's stack language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from tests.fakes.nuke_session import DO_NOT_WRITE

_NO_VALUE = (20, 22)  # tabs and buttons, by their kinds' numbers


def script_lines(nodes: Iterable[Any]) -> Iterator[str]:
    """Yield a .nk script: Nuke's stack language."""
    for node in nodes:
        for above in reversed(node.sources):
            yield f"push $N{id(above):x}\n" if above else "push 0\n"
        yield f"{node.Class()} {{\n inputs {len(node.sources)}\n"
        for knob in node.all.values():
            yield from _knob_lines(knob, user=knob.name() not in node.native)
        yield "}\n"
        if hasattr(node, "children"):
            yield from script_lines(node.children)
            yield "end_group\n"
        yield f"set N{id(node):x} [stack 0]\n"


def _knob_lines(knob: Any, *, user: bool) -> Iterator[str]:
    if user:
        yield f' addUserKnob {{{knob.number} {knob.name()} l "{knob.label_text}"}}\n'
    if knob.flags & DO_NOT_WRITE or knob.number in _NO_VALUE:
        return
    text = f"{{{{{knob.expression}}}}}" if knob.expression else knob.value()
    if isinstance(text, list):
        text = "{" + " ".join(f"{{{one}}}" for one in text) + "}"
    if isinstance(text, str) and not knob.expression:
        escaped = re.sub(r'([\\"\[$])', r"\\\1", text)
        text = f'"{escaped}"' if escaped else '""'
    yield f" {knob.name()} {str(text).lower() if isinstance(text, bool) else text}\n"
