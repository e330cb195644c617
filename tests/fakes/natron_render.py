"""Renders of the fake Natron's Writes, and the calls of texts that name functions.

What they hold their users to, as Natron's sources and NatronRenderer 2.5 do:

- a callback is a text, an expression whose function's arguments' names are checked; what goes
  wrong in one is a line in the Script Editor;
- an error of a Write's callback, or of a Read, is the end of the render, and nobody is told: a
  render returns nothing, raises nothing, and NatronRenderer ends with 0;
- a *before frame render* that names what is not there is never called, and its frame never ends;
- a frame of a Read that knows no layers fails; of one that knows another content's its alpha is
  memory that nobody wrote;
- in the windows a render goes on while the main loop does, in batch the main thread waits.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.natron_nodes import CHOICES, READ, Effect, Node
from tests.fakes.natron_read import file_of, layers_of, shown_file
from tests.fakes.natron_session import pump, session

_ERROR = CHOICES["onMissingFrame"].index("error")


class NotThere(Exception):
    """A text names no function that can be called with what Natron gives."""


@dataclass
class Rendered:
    """What a render of a Write did.

    Attributes:
        frames: those that were finished.
        files: what each read.
        unwritten: those whose alpha is memory that nobody wrote.
        hangs: those that never end.
        failed: why it ended.
        aborted: whether it did not come to its end.
    """

    frames: list[int] = field(default_factory=list)
    files: dict[int, list[str]] = field(default_factory=dict)
    unwritten: list[int] = field(default_factory=list)
    hangs: list[int] = field(default_factory=list)
    failed: str = ""
    aborted: bool = False


def render(app: Any, write: Effect, frames: Iterable[int], *, threads: int = 1) -> Rendered:
    """Render a Write on threads of Natron's, while the main loop runs; in batch it waits."""
    done, left, lock = Rendered(), iter(frames), threading.Lock()

    def render_frames() -> None:
        session().rendering.add(threading.get_ident())
        while not (app.aborts or done.failed):
            with lock:
                frame = next(left, None)
            if frame is None:
                return
            _render_frame(app, write, frame, done)

    def run() -> None:
        session().rendering.add(threading.get_ident())
        _step(done, write, "beforeRender", thisNode=write, app=app)
        workers = [threading.Thread(target=render_frames) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        done.aborted, done.frames = app.aborts or bool(done.failed), sorted(done.frames)
        app.renders = False
        _step(Rendered(), write, "afterRender", aborted=done.aborted, thisNode=write, app=app)

    app.renders, app.aborts = True, False
    scheduler = threading.Thread(target=run)
    scheduler.start()
    if not session().background:
        pump(lambda: not scheduler.is_alive())
    scheduler.join()
    return done


def abort(app: Any) -> None:
    """Abort a render, as the artist does."""
    app.aborts = True


def _render_frame(app: Any, write: Effect, frame: int, done: Rendered) -> None:
    given = {"frame": frame, "thisNode": write, "app": app}
    _step(done, write, "beforeFrameRender", **given)
    if done.failed or frame in done.hangs:
        return
    files = []
    for read in _reads_above(write.node):
        file = shown_file(read, frame)
        known = read.params["outputLayer"].options
        if not file and read.params["onMissingFrame"].value == _ERROR:
            done.failed = f"{read.name}: Cannot load frame"
        elif file and not known:
            done.failed = f"{read.name}: Failure to find requested layer in file"
        elif file and known[0] != layers_of(Path(file)):
            done.unwritten.append(frame)
        if done.failed:
            return
        files.append(file)
    if name := write.node.params["filename"].value:
        Path(file_of(name, frame)).write_text("\n".join(files))
    done.files[frame] = files
    done.frames.append(frame)
    _step(done, write, "afterFrameRender", **given)


def _step(done: Rendered, write: Effect, param: str, **given: Any) -> None:
    try:
        call_by_text(write.node.params[param].value, given)
    except NotThere as error:
        session().script_editor.append(f"{param}: {error}")
        if param == "beforeFrameRender":
            done.hangs.append(given["frame"])
    except Exception as error:  # noqa: BLE001 - as the host does
        done.failed = done.failed or str(error)


def call_by_text(text: str, given: dict[str, Any]) -> None:
    """Call the function that an expression is, whose arguments must be called as Natron's are.

    Raises:
        NotThere: there is no such function.
    """
    if not text:
        return
    names = session().names
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python 3.10, that the function will go
            spec = eval(f"inspect.getargspec({text})", names)
    except Exception as error:
        raise NotThere(f"{text}: {error!r}") from error
    if spec[0] != list(given) or spec[1] is not None or spec[2] is not None:
        raise NotThere(f"{text}{spec[0]} must take {list(given)}")
    eval(f"{text}({', '.join(given)})", names, given)


def _reads_above(node: Node) -> Iterator[Node]:
    for above in (*node.inputs.values(), *node.children):
        if above.plugin == READ:
            yield above
        yield from _reads_above(above)
