"""`NatronRenderer -t SCRIPT` and `NatronRenderer PROJECT`, as a process with Natron's exit codes.

A project is a Python file here that builds its nodes by the global `app`, and `NAME.py` stands for
the project `NAME.ntp` beside it. As NatronRenderer does:

- a project's render ends with 0, whatever became of it;
- a script that raises is printed, and Natron goes on to read commands from its standard input;
- leaving in Python's ordinary way is a crash.
"""

from __future__ import annotations

import atexit
import os
import sys
import traceback
from pathlib import Path

from tests.fakes import natron
from tests.support import natron_session

CRASHED = 139


def main(words: list[str]) -> int:
    """Load the PyPlug and the project that is named, then do what the words say."""
    atexit.register(os._exit, CRASHED)
    project, *rest = words
    app = natron_session.start(Path(project).parent, background=True)
    exec(Path(project).read_text(), {"app": app})
    saved = Path(project).with_suffix(".ntp")
    saved.touch()
    natron.save(app, saved.as_posix())
    natron.close(app)
    natron_session.forget()
    if rest[:1] != ["-t"]:
        return _render(natron.load(saved.as_posix()))
    names = {"app": natron.new_project(), "__name__": "__main__"}
    natron.session().names.update(names)
    try:
        exec(Path(rest[1]).read_text(), natron.session().names)
    except Exception:  # noqa: BLE001 - as the host does
        traceback.print_exc()
    return 0  # there is no more on its standard input


def _render(app: natron.App) -> int:
    for node in app.getChildren():
        if node.isWriterNode():
            done = natron.render(app, node, range(app.bounds[0], app.bounds[1] + 1))
            sys.stderr.write(f"{done.failed}\n")
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
