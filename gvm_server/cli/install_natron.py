"""`gvm install natron`: a PyPlug that forwards what Natron calls to the package."""

from __future__ import annotations

from pathlib import Path

from gvm_nodes.natron.group import MODULE, PLUGIN_ID
from gvm_server.cli.host_scripts import HostScripts, Script, settings_folder

# Natron looks at the names of a callback's arguments, by a function that Python 3.11 has no more.
_PYPLUG = f"""
# Natron PyPlug
import inspect

if not hasattr(inspect, "getargspec"):
    inspect.getargspec = inspect.getfullargspec

from gvm_nodes.natron import callbacks


def getPluginID():
    return "{PLUGIN_ID}"


def getLabel():
    return "{MODULE}"


def getVersion():
    return 2


def getGrouping():
    return "GVM"


def createInstance(app, group):
    callbacks.create(app, group)


def node_created(thisNode, app, userEdited):
    callbacks.node_created(thisNode, app)


def param_changed(thisParam, thisNode, thisGroup, app, userEdited):
    callbacks.param_changed(thisParam, thisNode, app, by_artist=userEdited)


def input_changed(inputIndex, thisNode, thisGroup, app):
    callbacks.input_changed(inputIndex, thisNode, app)


def before_render(thisNode, app):
    callbacks.before_render(app)


def before_frame(frame, thisNode, app):
    callbacks.before_frame(frame, thisNode, app)


def after_render(aborted, thisNode, app):
    callbacks.after_render(aborted=aborted)
"""

SCRIPTS = (Script(f"{MODULE}.py", _PYPLUG),)


def _folder() -> Path:
    return settings_folder(linux=".Natron", mac="INRIA/Natron/Plugins", windows="INRIA/Natron")


_HOST = HostScripts(
    scripts=SCRIPTS,
    folder=_folder,
    then=(
        "In Natron: the toolbar, GVM. For renders that make their mattes, on the Write, Python:",
        f"  Before render        {MODULE}.before_render",
        f"  Before frame render  {MODULE}.before_frame",
        f"  After render         {MODULE}.after_render",
    ),
)
run, undo = _HOST.run, _HOST.undo
