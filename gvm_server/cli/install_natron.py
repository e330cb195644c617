"""`gvm install natron`: a PyPlug that loads the group from the package."""

from __future__ import annotations

from pathlib import Path

from gvm_nodes.natron.group import MODULE, PLUGIN_ID
from gvm_server.cli.host_scripts import HostScripts, Script, settings_folder

_PYPLUG = f"""
# Natron PyPlug
from gvm_nodes.make import maker
from gvm_nodes.natron.callbacks import Mattes, changed
from gvm_nodes.natron.group import create

_mattes = Mattes(maker(print))


def getPluginID():
    return "{PLUGIN_ID}"


def getLabel():
    return "GVMMatteFiles"


def getVersion():
    return 1


def getGrouping():
    return "GVM"


def createInstance(app, group):
    create(app, group)


def param_changed(thisParam, thisNode, thisGroup, app, userEdited):
    changed(thisNode)


def input_changed(inputIndex, thisNode, thisGroup, app):
    changed(thisNode)


def before_render(frame, thisNode, app):
    _mattes.before_render()


def before_frame(frame, thisNode, app):
    _mattes.before_frame(frame, app)
"""

SCRIPTS = (Script(f"{MODULE}.py", _PYPLUG),)


def _folder() -> Path:
    return settings_folder(linux=".Natron", mac="INRIA/Natron/Plugins", windows="INRIA/Natron")


_HOST = HostScripts(
    scripts=SCRIPTS,
    folder=_folder,
    then=(
        f"On the Write, Python: Before render {MODULE}.before_render,",
        f"Before frame render {MODULE}.before_frame.",
    ),
)
run, undo = _HOST.run, _HOST.undo
