"""The node's knobs, as one table, and how they are read.

Law: what the tool fills in itself is neither undone, nor part of what a matte depends on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import nuke

from gvm_client.protocol.messages import EngineName
from gvm_client.settings import PRESETS, MatteKnobs, Missing, find_preset
from gvm_nodes.outputs import DEFAULT_OUTPUT

SCHEMA_VERSION = 1
WINDOW = ("frames_per_window", "overlap", "decode_chunk", "steps", "size", "max_resolution")
LEVELS = ("black", "white", "gamma", "grow", "blur")
RANGES = ("plate", "project", "custom")
POLICIES = ("make what is missing", "only read what exists")
MISSING_MATTES = ("error", "black", "checkerboard", "nearest frame")
COLOURSPACES = ("auto", "srgb", "scene_linear", "acescg", "rec709", "raw")

_BUTTON = """\
try:
    from gvm_nodes.nuke import actions
except ImportError:
    nuke.message('GVM is not installed in this Nuke; the mattes can be read. Run: gvm install nuke')
else:
    actions.{action}(nuke.thisNode())
"""


class Button(NamedTuple):
    """A button, and the function of `actions` that it calls."""

    name: str
    label: str
    action: str
    tooltip: str


BUTTONS = (
    Button("render_range", "Render Range", "render_range", "Matte the range in the background."),
    Button("render_frame", "Render Current Frame", "render_frame", "Matte this frame, first."),
    Button("cancel", "Cancel", "cancel", "End this node's job; what is finished is kept."),
    Button(
        "render_changed",
        "Re-render Changed Frames",
        "render_changed",
        "Make anew what is out of date among the mattes that exist.",
    ),
    Button("reveal", "Reveal", "reveal", "Show the folder of the mattes."),
    Button("release", "Free GPU Memory", "release", "Have the server give the GPU's memory back."),
)


def add_knobs(node: nuke.Node) -> None:
    """Add every knob to a new Group."""
    for knob in (*_range_knobs(), *_model_knobs(), *_matte_knobs(), *_own_knobs()):
        node.addKnob(knob)


def value(node: nuke.Node, name: str) -> Any:  # noqa: ANN401 - a knob holds what its class says
    """Return a knob's value."""
    return node[name].value()


def fill_window(node: nuke.Node) -> None:
    """Set the window's knobs to the chosen preset's numbers."""
    window = find_preset(value(node, "preset")).window
    for name in WINDOW:
        node[name].setValue(getattr(window, name))


def _range_knobs() -> list[nuke.Knob]:
    return [
        nuke.Tab_Knob("gvm", "GVM"),
        nuke.Text_Knob("status", "Status", "Not rendered yet."),
        _enum("range", "Range", RANGES),
        _text("frames", "Custom Frames", "", "Such as 1001-1100x2 1200; used when range is custom"),
        _number(
            "handles",
            "Handles",
            0,
            "Frames at each end of the plate that are context only; used when range is plate",
        ),
        *(_button(button) for button in BUTTONS),
        _text("out", "Output", DEFAULT_OUTPUT, "Tokens: {dir} (the script's), {plate}, {id},"
              " {version}; %04d is the frame"),
        _number("version", "Version", 1, "Older versions stay as they are"),
        _enum("missing_mattes", "Missing Mattes", MISSING_MATTES, default="black"),
        _enum("policy", "In Renders", POLICIES),
        _switch("keep_going", "Go On Without Nuke", "A job goes on when Nuke is closed; Render"
                " Range finds it again"),
    ]  # fmt: skip


def _model_knobs() -> list[nuke.Knob]:
    window = find_preset("default").window
    return [
        nuke.Tab_Knob("gvm_model", "Model"),
        _enum("engine", "Engine", tuple(engine.value for engine in EngineName)),
        _enum("preset", "Preset", tuple(PRESETS)),
        *(_number(name, name.replace("_", " "), getattr(window, name), "") for name in WINDOW),
        _text("weights", "Weights", "", "A folder; empty means what `gvm weights pull` got"),
        _enum("colourspace", "Input Colour Space", COLOURSPACES),
        _text("ocio_colourspace", "OCIO Name", "", "An OCIO name; wins where it is set"),
        _enum("missing_frames", "Missing Plate Frames", tuple(kind.value for kind in Missing)),
    ]


def _matte_knobs() -> list[nuke.Knob]:
    levels = MatteKnobs()
    return [
        nuke.Tab_Knob("gvm_matte", "Matte"),
        *(_real(name, name, getattr(levels, name)) for name in LEVELS),
        _switch("invert", "Invert", ""),
    ]


def _own_knobs() -> list[nuke.Knob]:
    """Return the knobs that the tool fills in: saved with the script, and seen by nobody."""
    hidden = [
        nuke.String_Knob("gvm_id", "", ""),
        nuke.String_Knob("gvm_made", "", ""),
        nuke.String_Knob("gvm_job", "", ""),
        nuke.Int_Knob("gvm_schema", ""),
    ]
    hidden[-1].setValue(SCHEMA_VERSION)
    for knob in hidden:
        knob.setFlag(nuke.INVISIBLE)
        knob.setFlag(nuke.NO_UNDO)
    return hidden


def _enum(name: str, label: str, values: tuple[str, ...], default: str = "") -> nuke.Knob:
    knob = nuke.Enumeration_Knob(name, label, list(values))
    knob.setValue(default or values[0])
    return knob


def _text(name: str, label: str, text: str, tooltip: str) -> nuke.Knob:
    # Not a File_Knob or an EvalString_Knob: Nuke would read the tokens' braces as TCL.
    knob = nuke.String_Knob(name, label, text)
    knob.setTooltip(tooltip)
    return knob


def _number(name: str, label: str, number: int, tooltip: str) -> nuke.Knob:
    knob = nuke.Int_Knob(name, label)
    knob.setValue(number)
    knob.setTooltip(tooltip)
    return knob


def _real(name: str, label: str, number: float) -> nuke.Knob:
    knob = nuke.Double_Knob(name, label)
    knob.setValue(number)
    return knob


def _switch(name: str, label: str, tooltip: str) -> nuke.Knob:
    knob = nuke.Boolean_Knob(name, label)
    knob.setTooltip(tooltip)
    return knob


def _button(button: Button) -> nuke.Knob:
    knob = nuke.PyScript_Knob(button.name, button.label, _BUTTON.format(action=button.action))
    knob.setTooltip(button.tooltip)
    return knob
