"""Builds the group: nodes of Natron's own, so that a colleague without GVM opens it too.

    Source ────────────┐ B
    Read of the mattes ┴ A  Merge (copy, alpha only) ── guides ── Unpremult (no channel) ── Output
    Garbage, Holdout (`guide_inputs`) ─────────────────────┘

Building it contacts no server. Natron builds it anew for a copy, and for a project where it is told
to: parameters come back, and what is inside follows from them.

The plate's colours are not multiplied with the matte, and the picture is tagged so: a Merge with an
alpha is tagged as premultiplied, and a Write of PNGs would divide by it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gvm_client.errors import InputError
from gvm_nodes.core.defaults import saved_node_defaults, studio_defaults
from gvm_nodes.core.saved_state import new_identity
from gvm_nodes.natron.guide_inputs import follow_inputs, lay_guides
from gvm_nodes.natron.parameters import IDENTITY, add_parameters, keep_text, missing_names
from gvm_nodes.natron.program import INPUT, MERGE, NEWEST, OUTPUT, UNPREMULT, App, Effect, quietly

PLUGIN_ID = "org.gvmbridge.natron.matte"
MODULE = "GVMMatteFiles"  # the PyPlug's file, by which Natron finds callbacks
MATTES = "GVMMattes"
CALLBACKS = {
    "onParamChanged": "param_changed",
    "onInputChanged": "input_changed",
    "afterNodeCreated": "node_created",
}

_NO_MATTES = "/gvm_has_no_mattes_yet/matte.%04d.exr"


def create(app: App, group: Effect) -> None:
    """Build the parameters and nodes of a group; what it has already keeps its value.

    Raises:
        SettingsError: the studio's defaults cannot be used for a new one.
    """
    is_new = not is_ours(group)
    initial = studio_defaults() if is_new else saved_node_defaults()
    with quietly():
        add_parameters(group, initial)
    if is_new:
        set_id(group)
    group.refreshUserParamsGUI()
    _fill(app, group)
    lay_guides(app, group)
    for param, function in CALLBACKS.items():
        group.getParam(param).set(f"{MODULE}.{function}")


def complete(app: App, group: Effect) -> None:
    """Add the parameters and inputs that a group lacks, because an older release saved it."""
    if missing_names(group):
        with quietly():
            add_parameters(group, saved_node_defaults(), only_missing=True)
        group.refreshUserParamsGUI()
    with quietly():
        lay_guides(app, group)
        follow_inputs(group)


def set_id(group: Effect) -> None:
    """Give a group a name of its own that survives renaming."""
    keep_text(group, IDENTITY, new_identity())


def is_ours(node: Effect) -> bool:
    """Whether a node is one of ours; Natron may load it as a plain Group."""
    return node.getParam(IDENTITY) is not None


def ours(container: App | Effect) -> Iterator[Effect]:
    """Yield every group of ours in a project or a node, in Groups too, in their order."""
    for node in container.getChildren():
        if is_ours(node):
            yield node
        else:
            yield from ours(node)


def mattes_read(group: Effect) -> Effect:
    """Return the Read inside.

    Raises:
        InputError: an artist deleted it.
    """
    inside = group.getNode(MATTES)
    if inside is None:
        raise InputError(
            f"The node {MATTES} inside {group.getScriptName()} was deleted.",
            remedy="Undo that, or make the group anew.",
        )
    return inside


def _fill(app: App, group: Effect) -> None:
    source = app.createNode(INPUT, NEWEST, group)
    source.setLabel("Source")
    # Born with a file: Natron chooses a Read's decoder then, or when an artist changes the file,
    # and not when a file is set while a group is built or a project is loaded.
    mattes = app.createReader(_NO_MATTES, group)
    mattes.setScriptName(MATTES)
    copy = app.createNode(MERGE, NEWEST, group)
    copy.getParam("operation").set("copy")
    for channel in "RGB":  # what is not put out is the plate's
        copy.getParam(f"OutputChannels{channel}").set(False)
    copy.getParam("bbox").set("b")
    copy.connectInput(0, source)
    copy.connectInput(1, mattes)
    tag = app.createNode(UNPREMULT, NEWEST, group)
    for channel in "RGBA":  # the picture passes, and its tag is set
        tag.getParam(f"NatronOfxParamProcess{channel}").set(False)
    tag.connectInput(0, copy)
    app.createNode(OUTPUT, NEWEST, group).connectInput(0, tag)
