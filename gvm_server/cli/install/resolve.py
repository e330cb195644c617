"""`gvm install resolve`: entries in Workspace, Scripts of DaVinci Resolve Studio.

Two of Fusion's come along, for Resolve's Fusion page.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gvm_server.cli.install.fusion import COMP_SCRIPTS, PYTHON_REMEDY
from gvm_server.cli.install.host_folders import settings_folder
from gvm_server.cli.install.host_scripts import HostScripts, Script, calling

_call = partial(calling, "gvm_nodes.resolve.script", remedy=PYTHON_REMEDY)

SCRIPTS = (
    Script("Utility/GVM/Matte Selected Clips.py", _call("selected")),
    Script("Utility/GVM/Matte Marked Range.py", _call("marked")),
    Script("Utility/GVM/Matte and Render Queue.py", _call("deliver")),
    *COMP_SCRIPTS,
)


def _folder() -> Path:
    return settings_folder(
        linux=".local/share/DaVinciResolve/Fusion/Scripts",
        mac="Blackmagic Design/DaVinci Resolve/Fusion/Scripts",
        windows="Blackmagic Design/DaVinci Resolve/Support/Fusion/Scripts",
    )


HOST = HostScripts(
    scripts=SCRIPTS,
    folder=_folder,
    then=("In Resolve Studio: Workspace, Scripts, GVM. It wants a Python from 3.10 on.",),
)
run, undo = HOST.run, HOST.undo
