"""The Read inside a group, which shows its mattes.

What sets something runs on the main thread. Only this Read renders anew. What it shows is kept on
the group besides: copies and projects may bring the group back without what was inside.

Setting a Read's file, and reloading it, sets its frames to those on disk: ours are set after. A
Read learns its layers from its first frame's file, and only when it is told to read: one that was
told before that file existed has no alpha.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from gvm_client.frames import parse_frames
from gvm_client.protocol.messages import FileOutput, FilePlate, Matte
from gvm_nodes.core.clips import frame_path
from gvm_nodes.natron.group import mattes_read
from gvm_nodes.natron.parameters import READ_STATE, keep_text, kept_text, missing_mattes
from gvm_nodes.natron.plate import TimedPlate
from gvm_nodes.natron.program import Effect, param_value, set_if_changed

_LAYERS = "outputLayer"  # a menu of what the decoder found; a decoder without layers has none


@dataclass(frozen=True, kw_only=True, slots=True)
class MatteReadState:
    """The mattes that the Read inside shows, and at which times; as `TimedPlate`."""

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
    def from_text(cls, line: str) -> MatteReadState | None:
        """Return what `to_text` wrote; None for anything else, as for nothing."""
        try:
            return cls(**json.loads(line))
        except (ValueError, TypeError):
            return None

    @classmethod
    def beside(cls, plate: TimedPlate, file: str) -> MatteReadState:
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
    def now(cls, group: Effect) -> MatteReadState:
        """Return what the Read inside says; any thread may ask.

        Raises:
            InputError: it was deleted.
        """
        read = mattes_read(group)
        return cls(**{field: param_value(read.getParam(name)) for field, name in _PARAMS.items()})


_PARAMS = {
    "file": "filename",
    "first": "firstFrame",
    "last": "lastFrame",
    "shift": "timeOffset",
    "before": "before",
    "after": "after",
}
assert list(_PARAMS) == [field.name for field in fields(MatteReadState)]  # noqa: S101 - and the order of use


def kept_state(group: Effect) -> MatteReadState | None:
    """Return what the Read inside should show, as the group keeps it; None for nothing yet."""
    return MatteReadState.from_text(kept_text(group, READ_STATE))


def show_mattes(group: Effect, made: Matte, plate: TimedPlate | None) -> None:
    """Let the Read inside show a job's mattes, and read anew those that it showed already.

    Args:
        group: ours.
        made: what the job was asked for.
        plate: the plate as it stands in time now; None where it is not connected any more.
    """
    assert isinstance(made.plate, FilePlate)  # noqa: S101 - the node asks for nothing else
    assert isinstance(made.output, FileOutput)  # noqa: S101
    wanted = _of_job(group, made.plate, made.output.path, plate)
    showed_them = param_value(mattes_read(group).getParam(_PARAMS["file"])) == wanted.file
    apply_state(group, wanted)
    if showed_them or not is_open(group):
        frames = parse_frames(made.frames) if made.frames else range(wanted.first, wanted.last + 1)
        reread(group, wanted, first_existing(wanted, frames))


def is_open(group: Effect) -> bool:
    """Whether the Read inside knows the layers of some matte; any thread may ask.

    Raises:
        InputError: it was deleted.
    """
    layers = mattes_read(group).getParam(_LAYERS)
    return layers is None or bool(layers.getOptions())


def first_existing(wanted: MatteReadState, frames: Iterable[int]) -> int | None:
    """Return the first of the frames whose matte stands, or None."""
    return next((one for one in frames if frame_path(wanted.file, one).is_file()), None)


def reread(group: Effect, wanted: MatteReadState, frame: int | None) -> None:
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
            set_if_changed(first, frame)
        file.reloadFile()
        if frame is None or first_existing(wanted, (int(first.get()),)) is not None:
            break
    apply_state(group, wanted)


def apply_state(group: Effect, wanted: MatteReadState) -> None:
    """Let the Read inside show these mattes; where it does already, nothing is rendered."""
    read = mattes_read(group)
    for field, name in _PARAMS.items():  # the file first, for it sets the frames
        set_if_changed(read.getParam(name), getattr(wanted, field))
    set_if_changed(read.getParam("frameMode"), "timeOffset")
    # For an artist's hand this follows from the others; Natron asks it for the clip's extent.
    set_if_changed(read.getParam("startingTime"), wanted.first + wanted.shift)
    # What a Read finds out by itself when its first file stands, and these need not stand yet.
    set_if_changed(read.getParam("outputComponents"), "Alpha")
    apply_missing(group)
    if kept_text(group, READ_STATE) != wanted.to_text():
        keep_text(group, READ_STATE, wanted.to_text())


def apply_missing(group: Effect) -> None:
    """Let the Read inside do what the group says about mattes that do not exist."""
    set_if_changed(mattes_read(group).getParam("onMissingFrame"), missing_mattes(group))


def _of_job(group: Effect, clip: FilePlate, file: str, plate: TimedPlate | None) -> MatteReadState:
    if plate is not None:
        return MatteReadState.beside(plate, file)
    now = MatteReadState.now(group)
    assert clip.first is not None  # noqa: S101 - a node names its clip
    assert clip.last is not None  # noqa: S101
    return MatteReadState(
        file=file,
        first=clip.first,
        last=clip.last,
        shift=now.shift,
        before=now.before,
        after=now.after,
    )
