"""The Natron group: a Read of the plate in, the plate with its matte in alpha out.

    Source ──────────────┐
    Read of the alphas ──┴─ Merge (copy, alpha only) ── Output

Laws:
1. Building it, loading it and changing it contacts no server; it only names the alphas' files.
2. The nodes inside are Natron's own: without this package the finished alphas still read.
"""

from __future__ import annotations

from typing import Any

from gvm_client.errors import ErrorCode, InputError
from gvm_nodes.alphas import SCRIPT_WISHES, Recipe, changed

PLUGIN_ID = "org.gvmbridge.natron.matte"
MODULE = "GVMMatteFiles"  # the PyPlug's file, by which Natron finds callbacks
READ_NAME = "GVMAlphas"

_READ = "fr.inria.built-in.Read"
_TEXTS = (
    ("gvmPreset", "Preset", "default"),
    ("gvmEngine", "Engine", "auto"),
    ("gvmColourspace", "Input Colour Space", "auto"),
)


def create(app: Any, group: Any) -> None:  # noqa: ANN401 - Natron's objects have no types
    """Build the parameters and nodes of a new group."""
    page = group.createPageParam("gvm", "GVM")
    for name, label, text in _TEXTS:
        _add(page, group.createStringParam(name, label), text)
    _add(page, group.createIntParam("gvmVersion", "Version"), 1)
    group.refreshUserParamsGUI()

    source = app.createNode("fr.inria.built-in.Input", -1, group)
    source.setLabel("Source")
    alphas = app.createNode(_READ, -1, group)
    alphas.setScriptName(READ_NAME)
    merge = app.createNode("net.sf.openfx.MergePlugin", -1, group)
    merge.getParam("operation").set("copy")
    for channel in "RGB":
        merge.getParam(f"NatronOfxParamProcess{channel}").set(False)
    merge.connectInput(0, source)
    merge.connectInput(1, alphas)
    app.createNode("fr.inria.built-in.Output", -1, group).connectInput(0, merge)
    group.onParamChanged.set(f"{MODULE}.param_changed")
    group.onInputChanged.set(f"{MODULE}.input_changed")


def recipe_of(group: Any) -> Recipe:  # noqa: ANN401
    """Return how a group's alphas are made.

    Raises:
        InputError: no Read is connected, or it has no file.
        SettingsError: a parameter is out of its range.
    """
    plate = group.getInput(0)
    path = plate.getParam("filename").get() if plate and plate.getPluginID() == _READ else ""
    if not path:
        raise InputError(
            f"{group.getScriptName()} has no plate.",
            remedy="Connect a Read that has a file; for other trees use the OpenFX node.",
            code=ErrorCode.PLATE_MISSING,
        )
    texts = {name[3:].lower(): group.getParam(name).get() for name, _, _ in _TEXTS}
    return Recipe(
        plate=path,
        wishes=changed(SCRIPT_WISHES, {**texts, "version": group.getParam("gvmVersion").get()}),
    )


def refresh(group: Any) -> None:  # noqa: ANN401
    """Let the Read inside name the alphas' files.

    Raises:
        GvmError: as `recipe_of`.
    """
    group.getNode(READ_NAME).getParam("filename").set(recipe_of(group).alphas)


def _add(page: Any, param: Any, value: object) -> None:  # noqa: ANN401
    param.setAnimationEnabled(False)
    param.set(value)
    page.addParam(param)
