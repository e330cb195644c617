"""Whether the mattes that a node shows are those that its knobs and its plate would make today.

Law: it looks at knobs, and at files' times where it is told to; it contacts nobody.
"""

from __future__ import annotations

import json

from gvm_client.protocol.messages import FileOutput, FilePlate, Matte
from gvm_nodes.naming import digest
from gvm_nodes.outputs import newest

OUT_OF_DATE = "Out of date: the plate or a knob has changed since these mattes were made."
UP_TO_DATE = "The mattes fit the plate and the knobs."


def made_text(made: Matte) -> str:
    """Return what a node keeps of the mattes that it shows, as one line."""
    assert isinstance(made.output, FileOutput)  # noqa: S101 - a node asks for nothing else
    return json.dumps({"digest": digest(made), "out": made.output.path})


def is_out_of_date(made: str, wanted: Matte) -> bool:
    """Whether mattes are shown that today's knobs would not make.

    Args:
        made: what `made_text` returned; "" where nothing is shown.
        wanted: what the node would ask for now.
    """
    return bool(made) and json.loads(made)["digest"] != digest(wanted)


def is_plate_newer(made: str, wanted: Matte) -> bool:
    """Whether a file of the plate is newer than every matte that is shown; looks at each file."""
    plate = wanted.plate
    assert isinstance(plate, FilePlate)  # noqa: S101 - a node asks for nothing else
    if not made or plate.first is None or plate.last is None:
        return False
    clip = range(plate.first, plate.last + 1)
    shown = newest(json.loads(made)["out"], clip)
    return 0.0 < shown < newest(plate.path, clip)
