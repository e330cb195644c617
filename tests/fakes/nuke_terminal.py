"""`nuke -x [--cont] [-F RANGE] SCRIPT` and `nuke -t SCRIPT`, as a process with Nuke's exit codes.

A script is Python here that builds its nodes by the global `nuke`; with `-x` every Write that is
not disabled is executed. Nuke's documented codes: 0 is done, 1 a render that failed.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from tests.fakes import nuke
from tests.support.plates import moving_disc, write_exr

RENDER_FAILED = 1


def main(words: list[str]) -> int:
    """Run a script and return the exit code."""
    from gvm_nodes.nuke import callbacks  # noqa: PLC0415 - after `nuke` is there, as init.py does

    nuke.start(gui=False, args=["nuke", *words])
    callbacks.register()
    nuke.renderer = _write
    script = Path(words[-1]).absolute()
    nuke.root()["name"].setValue(script.with_suffix(".nk").as_posix())
    try:
        runpy.run_path(str(script), {"nuke": nuke})
        nuke.session().call("onScriptLoad", nuke.root())
        if "-x" in words:
            _execute_writes(words)
    except Exception as error:  # noqa: BLE001 - Nuke prints it and ends with its code
        sys.stderr.write(f"{error}\n")
        return RENDER_FAILED
    return 0


def _write(write: nuke.Node, frame: int, path: Path) -> None:
    if path.suffix == ".exr":
        write_exr(path, moving_disc(frame, 48, 32))
    else:
        nuke.write_number(write, frame, path)


def _execute_writes(words: list[str]) -> None:
    given = words[words.index("-F") + 1] if "-F" in words else ""
    first, _, last = given.partition("-")
    root = nuke.root()
    for write in nuke.allNodes("Write"):
        if write.group is None and not write["disable"].value():
            nuke.execute(
                write,
                int(first or root["first_frame"].value()),
                int(last or first or root["last_frame"].value()),
                continueOnError="--cont" in words,
            )


if __name__ == "__main__":
    sys.modules["nuke"] = nuke
    sys.exit(main(sys.argv[1:]))
