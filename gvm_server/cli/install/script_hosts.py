"""`gvm install natron`, `fusion` and `resolve`: the scripts that each host gets.

- Natron: a PyPlug that forwards Natron's calls, and a script for batch renders.
- Fusion Studio: entries in its Script menu.
- Resolve Studio: entries in Workspace, Scripts; two of Fusion's come along, for its Fusion page.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gvm_client.process import Exit
from gvm_nodes.natron.group import MODULE, PLUGIN_ID
from gvm_server.cli.install.scripts import HostScripts, Script, calling, settings_folder

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
NATRON_SCRIPTS = (Script(f"{MODULE}.py", _PYPLUG), Script(RENDER, _RENDER))

PYTHON_REMEDY = (
    "Install one from python.org and name its folder in FUSION_PYTHON3_HOME; Resolve 21.1 and later"
    " bring one of their own."
)
_fusion = partial(calling, "gvm_nodes.fusion.script", remedy=PYTHON_REMEDY)

COMP_SCRIPTS = (  # these Resolve's Fusion page can run too
    Script("Comp/GVM/Add GVM Matte.py", _fusion("tool")),
    Script("Comp/GVM/Load Alphas of Selected Loaders.py", _fusion("alphas")),
)
FUSION_SCRIPTS = (
    *COMP_SCRIPTS,
    Script("Comp/GVM/Render with Mattes.py", _fusion("render")),
    Script("Comp/GVM/Queue with Mattes.py", _fusion("queue")),
)

_resolve = partial(calling, "gvm_nodes.resolve.script", remedy=PYTHON_REMEDY)

RESOLVE_SCRIPTS = (
    Script("Utility/GVM/Matte Selected Clips.py", _resolve("selected")),
    Script("Utility/GVM/Matte Marked Range.py", _resolve("marked")),
    Script("Utility/GVM/Matte and Render Queue.py", _resolve("deliver")),
    *COMP_SCRIPTS,
)


def _natron_folder() -> Path:
    return settings_folder(linux=".Natron", mac="INRIA/Natron/Plugins", windows="INRIA/Natron")


NATRON = HostScripts(
    scripts=NATRON_SCRIPTS,
    folder=_natron_folder,
    then=(
        "In Natron: the toolbar, GVM. Writes make their mattes after Set Up Writes Below.",
        f"On a farm, or where an exit code counts, with the path of {RENDER} above:",
        f"  GVM_NATRON_PROJECT=shot.ntp GVM_NATRON_FRAMES=1001-1100 NatronRenderer -t .../{RENDER}",
    ),
)


def _fusion_folder() -> Path:
    return settings_folder(
        linux=".fusion/BlackmagicDesign/Fusion/Scripts",
        mac="Blackmagic Design/Fusion/Scripts",
        windows="Blackmagic Design/Fusion/Scripts",
    )


FUSION = HostScripts(
    scripts=FUSION_SCRIPTS,
    folder=_fusion_folder,
    then=("In Fusion: Script menu, GVM. The tool itself comes with `gvm install ofx`.",),
)


def _resolve_folder() -> Path:
    return settings_folder(
        linux=".local/share/DaVinciResolve/Fusion/Scripts",
        mac="Blackmagic Design/DaVinci Resolve/Fusion/Scripts",
        windows="Blackmagic Design/DaVinci Resolve/Support/Fusion/Scripts",
    )


RESOLVE = HostScripts(
    scripts=RESOLVE_SCRIPTS,
    folder=_resolve_folder,
    then=("In Resolve Studio: Workspace, Scripts, GVM. It wants a Python from 3.10 on.",),
)
