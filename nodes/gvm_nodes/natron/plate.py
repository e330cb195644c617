"""The plate that comes into the group: a Read's files, and where they are in time.

Frame numbers are the files'. A Read shows file `time - shift` at a time of the timeline. Only a
Read can be a plate, also through Dots: Natron writes no other tree while it calls us.
"""

from __future__ import annotations

from dataclasses import dataclass

from gvm_client.errors import ErrorCode, InputError
from gvm_client.regions import HostRectangle
from gvm_nodes.core.clips import AS_FILE, percent_pattern, read_colourspace
from gvm_nodes.natron.program import DOT, App, Effect, param_value

_HOLD, _LOOP, _BOUNCE = "hold", "loop", "bounce"
_OPENFX = "Connect the Read itself; for any other tree there is the OpenFX node GVM Matte."


@dataclass(frozen=True, kw_only=True, slots=True)
class TimedPlate:
    """A Read's clip in time.

    Attributes:
        path: absolute: a movie, or the pattern of a sequence.
        first: the first file that is shown; a movie's frames count from 1.
        last: the last file that is shown.
        shift: what is added to a file's number to have its time.
        before: what is shown before the first: hold, loop, bounce, black or error.
        after: what is shown after the last.
        colourspace: what the Read takes its files for.
    """

    path: str
    first: int
    last: int
    shift: int
    before: str
    after: str
    colourspace: str = AS_FILE

    def number(self, time: int) -> int | None:
        """Return the file that is shown at a time, or None where none is."""
        number, count = time - self.shift, self.last - self.first + 1
        if self.first <= number <= self.last:
            return number
        beyond = self.before if number < self.first else self.after
        if beyond == _HOLD:
            return min(max(number, self.first), self.last)
        if beyond == _LOOP:
            return self.first + (number - self.first) % count
        if beyond == _BOUNCE:
            turn = max(2 * count - 2, 1)
            step = (number - self.first) % turn
            return self.first + min(step, turn - step)
        return None


def plate_of(app: App, group: Effect) -> TimedPlate:
    """Return the group's plate.

    Raises:
        InputError: nothing is connected, or something else than a Read of files.
    """
    read = _connected_read(group)
    path = str(read.getParam("filename").get())
    if not path or "%v" in path.lower():
        raise InputError(
            f"The Read {read.getScriptName()} {'has views' if path else 'has no file'}.",
            remedy="Choose the files of one view.",
            code=ErrorCode.PLATE_MISSING,
        )
    return TimedPlate(
        path=percent_pattern(absolute_path(app, path)),
        first=int(read.getParam("firstFrame").get()),
        last=int(read.getParam("lastFrame").get()),
        shift=int(read.getParam("timeOffset").get()),
        before=param_value(read.getParam("before")),
        after=param_value(read.getParam("after")),
        colourspace=_space_of(read),
    )


def display_window(group: Effect) -> tuple[HostRectangle, float]:
    """Return the format of the group's plate, in pixels, and its pixel aspect.

    Raises:
        InputError: nothing is connected, or something else than a Read of files.
    """
    read = _connected_read(group)
    form = read.getOutputFormat()
    window = HostRectangle(
        left=form.left(), bottom=form.bottom(), right=form.right(), top=form.top()
    )
    return window, float(read.getPixelAspectRatio())


def _space_of(read: Effect) -> str:
    """Return what a Read takes its files for; a name that is not ours is the server's to know."""
    param = read.getParam("ocioInputSpace")
    named = str(param.get()) if param is not None else ""
    return read_colourspace(named) or named


def absolute_path(app: App, path: str) -> str:
    """Return a path without the project's variables, and from the root.

    Raises:
        InputError: the project was never saved, or Natron has not said its folder yet.
    """
    for name, folder in app.getProjectParam("projectPaths").getTable():
        if path.startswith(f"[{name}]"):
            path = f"{folder.rstrip('/')}/{path[len(name) + 2 :].lstrip('/')}"
            break
    if path.startswith(("/", "\\")) or path[1:2] == ":":
        return path
    home = project_folder(app)
    if not home:
        raise InputError(
            f"{path} counts from the project's folder, and the project was never saved.",
            remedy="Save the project, or name the file from the root.",
            code=ErrorCode.PLATE_MISSING,
            path=path,
        )
    return f"{home}/{path.removeprefix('[Project]').lstrip('/')}"


def project_folder(app: App) -> str:
    """Return the project's folder; "" for one that was never saved."""
    return str(app.getProjectParam("projectPath").get()).rstrip("/")


def _connected_read(group: Effect) -> Effect:
    """Return the Read that is connected, Dots read through."""
    above = group.getInput(0)
    while above is not None and above.getPluginID() == DOT:
        above = above.getInput(0)
    if above is None:
        raise InputError(
            f"{group.getScriptName()} has no plate.",
            remedy="Connect a Read.",
            code=ErrorCode.PLATE_MISSING,
        )
    if not above.isReaderNode() or above.getParam("disableNode").get():
        raise InputError(
            f"{above.getScriptName()} is no Read that shows its files; only such a one can be the"
            f" plate of {group.getScriptName()}.",
            remedy=_OPENFX,
        )
    return above
