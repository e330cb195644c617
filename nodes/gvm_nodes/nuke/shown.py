"""What a node shows: its status line, its colour, and its mattes through the Read inside.

Laws:
1. Everything here runs on the main thread.
2. Showing neither marks the script as modified nor enters its undo, but for a matte's new path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import nuke

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import FileOutput, FilePlate, Matte
from gvm_nodes.nuke.group import MATTE, part
from gvm_nodes.outputs import newest
from gvm_nodes.recipe import digest

RED, NO_COLOUR = 0xC03030FF, 0
OUT_OF_DATE = "Out of date: the plate or a knob has changed since these mattes were made."


def status(node: nuke.Node, sentence: str, *, failed: bool = False) -> None:
    """Show a sentence on the node; a failure is red until the next sentence."""
    with _quietly():
        node["status"].setValue(sentence)
        node["tile_color"].setValue(RED if failed else NO_COLOUR)
        node["label"].setValue("GVM failed: see its status" if failed else "")


def failure(node: nuke.Node, error: GvmError) -> None:
    """Show an error: one sentence with its remedy."""
    status(node, str(error), failed=True)


def mattes(node: nuke.Group, made: Matte) -> None:
    """Let the Read inside show a job's mattes, and read anew those that it knows."""
    plate, output = made.plate, made.output
    assert isinstance(plate, FilePlate)  # noqa: S101 - the node asks for nothing else
    assert isinstance(output, FileOutput)  # noqa: S101
    read = part(node, MATTE)
    with _unrecorded():
        if read["file"].value() != output.path:
            read["file"].setValue(output.path)
        for name, frame in (("first", plate.first), ("last", plate.last)):
            read[name].setValue(frame)
            read["orig" + name].setValue(frame)
        node["gvm_made"].setValue(json.dumps({"digest": digest(made), "out": output.path}))
    with _quietly():
        cast("nuke.Script_Knob", read["reload"]).execute()


def is_out_of_date(node: nuke.Node, wanted: Matte) -> bool:
    """Whether mattes are shown that today's knobs would not make."""
    text = str(node["gvm_made"].value())
    return bool(text) and json.loads(text)["digest"] != digest(wanted)


def is_plate_newer(node: nuke.Node, wanted: Matte) -> bool:
    """Whether a file of the plate is newer than every matte that is shown; looks at each file."""
    text, plate = str(node["gvm_made"].value()), wanted.plate
    assert isinstance(plate, FilePlate)  # noqa: S101 - the node asks for nothing else
    assert plate.first is not None  # noqa: S101
    assert plate.last is not None  # noqa: S101
    if not text:
        return False
    clip = range(plate.first, plate.last + 1)
    made = newest(json.loads(text)["out"], clip)
    return 0.0 < made < newest(plate.path, clip)


@contextmanager
def _unrecorded() -> Iterator[None]:
    nuke.Undo.disable()
    try:
        yield
    finally:
        nuke.Undo.enable()


@contextmanager
def _quietly() -> Iterator[None]:
    modified = nuke.modified()
    with _unrecorded():
        yield
    nuke.modified(modified)
