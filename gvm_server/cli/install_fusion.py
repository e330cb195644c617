"""`gvm install fusion`: entries in the Script menu of Fusion Studio."""

from __future__ import annotations

from pathlib import Path

from gvm_server.cli.host_scripts import HostScripts, Script, settings_folder

_CALL = "from gvm_nodes.fusion.script import main\n\nmain([{what!r}], print, globals())\n"

COMP_SCRIPTS = (  # these Resolve's Fusion page can run too
    Script("Comp/GVM/Add GVM Matte.py", _CALL.format(what="tool")),
    Script("Comp/GVM/Load Alphas of Selected Loaders.py", _CALL.format(what="alphas")),
)
SCRIPTS = (
    *COMP_SCRIPTS,
    Script("Comp/GVM/Render with Mattes.py", _CALL.format(what="render")),
    Script("Comp/GVM/Queue with Mattes.py", _CALL.format(what="queue")),
)


def _folder() -> Path:
    return settings_folder(
        linux=".fusion/BlackmagicDesign/Fusion/Scripts",
        mac="Blackmagic Design/Fusion/Scripts",
        windows="Blackmagic Design/Fusion/Scripts",
    )


_HOST = HostScripts(
    scripts=SCRIPTS,
    folder=_folder,
    then=("In Fusion: Script menu, GVM. The tool itself comes with `gvm install ofx`.",),
)
run, undo = _HOST.run, _HOST.undo
