"""`gvm install natron`: a PyPlug that forwards Natron's calls, and a script for batch renders."""

from __future__ import annotations

from pathlib import Path

from gvm_client.process import Exit
from gvm_nodes.natron.group import MODULE, PLUGIN_ID
from gvm_server.cli.install.host_folders import settings_folder
from gvm_server.cli.install.host_scripts import HostScripts, Script

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

# For `NatronRenderer -t`, which ends with 0 after whatever goes wrong here. It stands in a folder
# whose files an older Natron may import when it starts.
_RENDER = f"""
if __name__ == "__main__":
    try:
        from gvm_nodes.natron.batch import leave
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
        os._exit({Exit.SERVER.value})
    leave(app)
"""

RENDER = "GVMRender.py"
SCRIPTS = (Script(f"{MODULE}.py", _PYPLUG), Script(RENDER, _RENDER))


def _folder() -> Path:
    return settings_folder(linux=".Natron", mac="INRIA/Natron/Plugins", windows="INRIA/Natron")


HOST = HostScripts(
    scripts=SCRIPTS,
    folder=_folder,
    then=(
        "In Natron: the toolbar, GVM. Writes make their mattes after Set Up Writes Below.",
        f"On a farm, or where an exit code counts, with the path of {RENDER} above:",
        f"  GVM_NATRON_PROJECT=shot.ntp GVM_NATRON_FRAMES=1001-1100 NatronRenderer -t .../{RENDER}",
    ),
)
run, undo = HOST.run, HOST.undo
