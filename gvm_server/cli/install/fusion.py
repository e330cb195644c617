"""`gvm install fusion`: entries in the Script menu of Fusion Studio."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gvm_server.cli.install.host_folders import settings_folder
from gvm_server.cli.install.host_scripts import HostScripts, Script, calling

PYTHON_REMEDY = (
    "Install one from python.org and name its folder in FUSION_PYTHON3_HOME; Resolve 21.1 and later"
    " bring one of their own."
)
_call = partial(calling, "gvm_nodes.fusion.script", remedy=PYTHON_REMEDY)

COMP_SCRIPTS = (  # these Resolve's Fusion page can run too
    Script("Comp/GVM/Add GVM Matte.py", _call("tool")),
    Script("Comp/GVM/Load Alphas of Selected Loaders.py", _call("alphas")),
)
SCRIPTS = (
    *COMP_SCRIPTS,
    Script("Comp/GVM/Render with Mattes.py", _call("render")),
    Script("Comp/GVM/Queue with Mattes.py", _call("queue")),
)


def _folder() -> Path:
    return settings_folder(
        linux=".fusion/BlackmagicDesign/Fusion/Scripts",
        mac="Blackmagic Design/Fusion/Scripts",
        windows="Blackmagic Design/Fusion/Scripts",
    )


HOST = HostScripts(
    scripts=SCRIPTS,
    folder=_folder,
    then=("In Fusion: Script menu, GVM. The tool itself comes with `gvm install ofx`.",),
)
run, undo = HOST.run, HOST.undo
