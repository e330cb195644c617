"""`gvm install natron`: a PyPlug that loads the group from the package."""

from __future__ import annotations

import argparse
from pathlib import Path

from gvm_nodes.natron.group import MODULE, PLUGIN_ID
from gvm_server.cli.exits import Exit
from gvm_server.cli.host_scripts import Script, install, remove, settings_folder

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


def run(parsed: argparse.Namespace) -> int:
    """Write the PyPlug.

    Raises:
        OutputError: a file that is not ours stands there, or the folder cannot be written.
    """
    for place in install(SCRIPTS, parsed.to or _folder()):
        print(place)
    print(f"On the Write, Python: Before render {MODULE}.before_render,")
    print(f"Before frame render {MODULE}.before_frame.")
    return Exit.DONE


def undo(parsed: argparse.Namespace) -> int:
    """Delete the PyPlug.

    Raises:
        OutputError: it is not ours.
    """
    for place in remove(SCRIPTS, parsed.to or _folder()):
        print(f"Deleted {place}")
    return Exit.DONE


def _folder() -> Path:
    return settings_folder(linux=".Natron", mac="INRIA/Natron/Plugins", windows="INRIA/Natron")
