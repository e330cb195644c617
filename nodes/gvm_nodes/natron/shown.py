"""What a group shows: its status, its colour, and its mattes through the Read inside.

Laws:
1. Everything that sets something runs on the main thread. Only the Read inside renders anew.
2. What the Read shows is kept on the group besides: copies and projects may bring the group back
   without what was inside.
3. Setting a Read's file, and reading it anew, sets its frames to those on disk: ours come after.
4. A Read learns its layers from its first frame's file, and only when it is told to read: one that
   was told before that file stood has no alpha.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields

from gvm_client.frames import parse_frames
from gvm_client.protocol.messages import FileOutput, FilePlate, Matte
from gvm_nodes.natron.api import Effect, chosen, is_background, quietly, set_if_other
from gvm_nodes.natron.group import mattes_read
from gvm_nodes.natron.knobs import COLOUR, MISSING, SHOWN, STATUS, keep, text
from gvm_nodes.natron.plate import Placed
from gvm_nodes.outputs import frame_path

RED = (0.75, 0.19, 0.19)
FAILED = "GVM failed: see its status"
_LABEL = "userTextArea"  # the text below a node's name
_LAYERS = "outputLayer"  # a menu of what the decoder found; a decoder without layers has none


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """The mattes that the Read inside shows, and at which times; as `Placed`."""

    file: str
    first: int
    last: int
    shift: int
    before: str
    after: str

    def to_text(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, line: str) -> Shown | None:
        """Return what `to_text` wrote; None for anything else, as for nothing."""
        try:
            return cls(**json.loads(line))
        except (ValueError, TypeError):
            return None

    @classmethod
    def beside(cls, plate: Placed, file: str) -> Shown:
        """Return mattes as they stand at the times of their plate."""
        return cls(
            file=file,
            first=plate.first,
            last=plate.last,
            shift=plate.shift,
            before=plate.before,
            after=plate.after,
        )

    @classmethod
    def now(cls, group: Effect) -> Shown:
        """Return what the Read inside says; any thread may ask.

        Raises:
            InputError: it was deleted.
        """
        read = mattes_read(group)
        return cls(**{field: chosen(read.getParam(name)) for field, name in _PARAMS.items()})


_PARAMS = {
    "file": "filename",
    "first": "firstFrame",
    "last": "lastFrame",
    "shift": "timeOffset",
    "before": "before",
    "after": "after",
}
assert list(_PARAMS) == [field.name for field in fields(Shown)]  # noqa: S101 - and the order of use


def status(group: Effect, sentence: str, *, failed: bool = False) -> None:
    """Show a sentence on a group; a failure is red until the next sentence."""
    keep(group, STATUS, sentence)
    label = group.getParam(_LABEL)
    with quietly():
        if chosen(label) in ("", FAILED):  # else it is the artist's
            set_if_other(label, FAILED if failed else "")
    if not is_background():
        _colour(group, failed=failed)


def mattes(group: Effect, made: Matte, plate: Placed | None) -> None:
    """Let the Read inside show a job's mattes, and read anew those that it showed already.

    Args:
        group: ours.
        made: what the job was asked for.
        plate: the plate as it stands in time now; None where it is not connected any more.
    """
    assert isinstance(made.plate, FilePlate)  # noqa: S101 - the node asks for nothing else
    assert isinstance(made.output, FileOutput)  # noqa: S101
    wanted = _of_job(group, made.plate, made.output.path, plate)
    showed_them = chosen(mattes_read(group).getParam(_PARAMS["file"])) == wanted.file
    apply(group, wanted)
    if showed_them or not is_open(group):
        frames = parse_frames(made.frames) if made.frames else range(wanted.first, wanted.last + 1)
        read_anew(group, wanted, standing(wanted, frames))


def is_open(group: Effect) -> bool:
    """Whether the Read inside knows the layers of some matte; any thread may ask.

    Raises:
        InputError: it was deleted.
    """
    layers = mattes_read(group).getParam(_LAYERS)
    return layers is None or bool(layers.getOptions())


def standing(wanted: Shown, frames: Iterable[int]) -> int | None:
    """Return the first of the frames whose matte stands, or None."""
    return next((one for one in frames if frame_path(wanted.file, one).is_file()), None)


def read_anew(group: Effect, wanted: Shown, frame: int | None) -> None:
    """Have the Read inside read its files anew, and learn its layers from one of them.

    Args:
        group: ours.
        wanted: what the Read shows, before and after.
        frame: one whose matte stands; None where none is known to.

    Raises:
        InputError: it was deleted.
    """
    read = mattes_read(group)
    file, first = (read.getParam(_PARAMS[name]) for name in ("file", "first"))
    for _ in range(2):  # files that are others than before set the frames, once, and maybe wrongly
        if frame is not None:
            set_if_other(first, frame)
        file.reloadFile()
        if frame is None or standing(wanted, (int(first.get()),)) is not None:
            break
    apply(group, wanted)


def apply(group: Effect, wanted: Shown) -> None:
    """Let the Read inside show these mattes; where it does already, nothing is rendered."""
    read = mattes_read(group)
    for field, name in _PARAMS.items():  # the file first, for it sets the frames
        set_if_other(read.getParam(name), getattr(wanted, field))
    set_if_other(read.getParam("frameMode"), "timeOffset")
    # For an artist's hand this follows from the others; Natron asks it for the clip's extent.
    set_if_other(read.getParam("startingTime"), wanted.first + wanted.shift)
    # What a Read finds out by itself when its first file stands, and these need not stand yet.
    set_if_other(read.getParam("outputComponents"), "Alpha")
    missing(group)
    if text(group, SHOWN) != wanted.to_text():
        keep(group, SHOWN, wanted.to_text())


def missing(group: Effect) -> None:
    """Let the Read inside do what the group says about mattes that do not exist."""
    set_if_other(mattes_read(group).getParam("onMissingFrame"), chosen(group.getParam(MISSING)))


def _of_job(group: Effect, clip: FilePlate, file: str, plate: Placed | None) -> Shown:
    if plate is not None:
        return Shown.beside(plate, file)
    now = Shown.now(group)
    assert clip.first is not None  # noqa: S101 - a node names its clip
    assert clip.last is not None  # noqa: S101
    return Shown(
        file=file,
        first=clip.first,
        last=clip.last,
        shift=now.shift,
        before=now.before,
        after=now.after,
    )


def _colour(group: Effect, *, failed: bool) -> None:
    before = text(group, COLOUR)
    if failed and not before:
        keep(group, COLOUR, json.dumps(list(group.getColor())))
        group.setColor(*RED)
    elif before and not failed:
        with suppress(ValueError, TypeError):  # a damaged one is not put back
            group.setColor(*json.loads(before))
        keep(group, COLOUR, "")
