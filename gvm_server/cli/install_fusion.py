"""`gvm install fusion`: two entries in the Script menu of Fusion Studio."""

from __future__ import annotations

import argparse
from pathlib import Path

from gvm_server.cli.exits import Exit
from gvm_server.cli.host_scripts import Script, install, remove, settings_folder

_CALL = "from gvm_nodes.fusion.script import main\n\nmain([{what!r}], print, comp)\n"

SCRIPTS = (
    Script("Comp/GVM/Add GVM Matte.py", _CALL.format(what="tool")),
    Script("Comp/GVM/Load Alphas of Selected Loaders.py", _CALL.format(what="alphas")),
)


def run(parsed: argparse.Namespace) -> int:
    """Write the scripts.

    Raises:
        OutputError: a file that is not ours stands there, or the folder cannot be written.
    """
    for place in install(SCRIPTS, parsed.to or _folder()):
        print(place)
    print("In Fusion: Script menu, GVM. The tool itself comes with `gvm install ofx`.")
    return Exit.DONE


def undo(parsed: argparse.Namespace) -> int:
    """Delete the scripts.

    Raises:
        OutputError: one of them is not ours.
    """
    for place in remove(SCRIPTS, parsed.to or _folder()):
        print(f"Deleted {place}")
    return Exit.DONE


def _folder() -> Path:
    return settings_folder(
        linux=".fusion/BlackmagicDesign/Fusion/Scripts",
        mac="Blackmagic Design/Fusion/Scripts",
        windows="Blackmagic Design/Fusion/Scripts",
    )
