"""The options of `gvm matte`, in groups; those that a farm's job has as well are public.

Light, for `gvm --help` must answer at once.
"""

from __future__ import annotations

import argparse

from gvm_client.declaration import Declared, option_of, settings_of
from gvm_client.file_content import ALPHA, CHANNELS, WORDS
from gvm_client.guides import GUIDE_HELP, Guides
from gvm_client.limits import MAX_REGION_SCALE
from gvm_client.protocol.messages import EngineName
from gvm_client.settings import (
    PRESETS,
    BadPixels,
    Depth,
    MatteKnobs,
    Missing,
    OnOom,
    PlanKind,
    PlateKeys,
    Priority,
)
from gvm_server.cli.matte import original
from gvm_server.matting.engines.machine import DEVICES, Precision

Parser = argparse.ArgumentParser
Group = argparse._ArgumentGroup  # noqa: SLF001 (what argparse gives has no public name)

KNOBS_ABOUT = "the matte (no knob here runs a model)"
GUIDES_ABOUT = "guides: mattes that force it (no model runs for them)"


def add_options(parser: Parser) -> None:
    """Add the options of `gvm matte`."""
    parser.add_argument(
        "plate",
        nargs="?",
        metavar="PLATE",
        help="a sequence (plate.%%04d.exr, plate.####.exr, plate.@@@@.exr, or a folder that"
        " holds one), an image, or a movie",
    )
    parser.add_argument(
        "-o",
        "--out",
        metavar="OUT",
        help="a folder (the plate's name is kept), or a pattern such as out/matte.%%04d.exr",
    )
    add_range(parser.add_argument_group("which frames"))
    add_model(parser.add_argument_group("the model"))
    add_region(parser.add_argument_group("the region"))
    add_plate(parser.add_argument_group("the plate"))
    add_knobs(parser.add_argument_group(KNOBS_ABOUT))
    add_guides(parser.add_argument_group(GUIDES_ABOUT))
    _add_deliverables(parser.add_argument_group("deliverables, besides the EXR alphas"))
    _add_output(parser.add_argument_group("output and conduct"))
    original.add_options(parser.add_argument_group(original.ABOUT))


def add_range(group: Group) -> None:
    """Add what says which frames."""
    group.add_argument(
        "--frames", default="", metavar="RANGE", help="1001-1100x2,1200; x2 and :2 are steps"
    )
    group.add_argument("--max-frames", type=int, metavar="N", help="only the first N of them (all)")
    add_extent(group)


def add_extent(group: Group) -> None:
    """Add what says which frames the clip has, and where its shots begin."""
    group.add_argument(
        "--first", type=int, metavar="FRAME", help="the clip's first frame (first on disk)"
    )
    group.add_argument(
        "--last", type=int, metavar="FRAME", help="the clip's last frame (last on disk)"
    )
    group.add_argument(
        "--cut",
        type=int,
        action="append",
        default=[],
        metavar="FRAME",
        help="a new shot begins here; nothing bleeds across; repeatable",
    )


def add_engine(group: Group, engine: str = "auto") -> None:
    """Add what says which model."""
    shown = [name for name in EngineName if name.help]
    known = ", ".join(f"{name.value} ({name.help})" for name in shown)
    group.add_argument(
        "--engine",
        default=engine,
        choices=[name.value for name in EngineName],
        metavar="|".join(name.value for name in shown),
        help=f"{known}; {engine} where none is named",
    )
    group.add_argument(
        "--weights", default="", metavar="DIR", help="GVM's weights (what `gvm weights pull` got)"
    )
    group.add_argument("--lora", default="", metavar="DIR", help="an adapter for GVM's UNet (none)")


def add_model(group: Group, engine: str = "auto") -> None:
    """Add what says which model, and how it sees the clip."""
    add_engine(group, engine)
    group.add_argument(
        "--on-oom",
        default=OnOom.FAIL.value,
        choices=[choice.value for choice in OnOom],
        help="when memory runs out: fail, or begin anew with a smaller window (fail)",
    )
    for flag, values, of in (
        ("device", DEVICES[1:], "on this kind of device"),
        ("precision", [kind.value for kind in Precision][1:], "with a network of this type"),
    ):
        group.add_argument(
            f"--demand-{flag}",
            default="",
            choices=values,
            help=f"fail unless the server runs the model {of} (any)",
        )
    group.add_argument(
        "--commercial-only",
        action="store_true",
        help="fail where the engine's weights have no commercial terms (what the studio demands)",
    )
    group.add_argument(
        "--demand-compile",
        default="",
        metavar="BACKEND",
        help="fail unless the server compiles the model so; none: unless it does not (any)",
    )
    presets = ", ".join(f"{name} ({preset.about})" for name, preset in PRESETS.items())
    group.add_argument(
        "--preset",
        default="default",
        metavar="NAME",
        help=f"{presets}; single options win",
    )
    for flag, text in (
        ("--frames-per-window", "frames that the model sees together (8)"),
        ("--overlap", "frames shared by consecutive windows, at most half of one (1)"),
        ("--decode-chunk", "frames decoded together; 0 is the whole window, the best (0)"),
        ("--steps", "denoising steps; more than one is experimental (1)"),
    ):
        group.add_argument(flag, type=int, metavar="N", help=text)
    add_sizes(group)
    group.add_argument(
        "--plan",
        choices=[kind.value for kind in PlanKind],
        help="seamless: any range, same matte; reference: the original's batches (seamless)",
    )
    _add_declared(group, MatteKnobs, reruns_model=True)


def add_sizes(group: Group) -> None:
    """Add what says how large the model sees the clip."""
    for flag, text in (
        ("--size", "short edge of the model's frame, pixels (720)"),
        ("--max-resolution", "longest edge of the model's frame, pixels (1024)"),
    ):
        group.add_argument(flag, type=int, metavar="N", help=text)


def add_region(group: Group) -> None:
    """Add what says which part of the picture is matted."""
    group.add_argument(
        "--roi",
        action="append",
        default=[],
        metavar="[FRAME:]X,Y,W,H",
        help="matte this region, plate pixels from the display window's top left; FRAME, a cut, is"
        " where it begins to hold; repeatable (the whole frame)",
    )
    group.add_argument(
        "--roi-scale",
        type=float,
        default=1.0,
        metavar="X",
        help=f"show regions to the model at X times the whole frame's scale, 1 to"
        f" {MAX_REGION_SCALE:g} (1)",
    )
    group.add_argument(
        "--strict-roi",
        action="store_true",
        help="end with 1 where the matte touches a region's border inside the frame",
    )


def add_plate(group: Group, keys: PlateKeys = PlateKeys.AUTO) -> None:
    """Add what says how the plate is read."""
    group.add_argument(
        "--input-colorspace",
        default="auto",
        metavar="NAME",
        help="auto, srgb, scene_linear, acescg, rec709, raw, or any OCIO name (auto)",
    )
    group.add_argument(
        "--ocio-digest",
        default="",
        metavar="HASH",
        help="fail unless the colour configuration has this content, as a farm's job says (any)",
    )
    group.add_argument(
        "--ocio-variable",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a context variable of the colour configuration, such as SHOT=a010 (this shell's)",
    )
    group.add_argument("--layer", default="", metavar="NAME", help="EXR layer, part or view")
    group.add_argument(
        "--view",
        default="",
        metavar="NAME",
        help="what %%V in the plate's and the output's names is",
    )
    group.add_argument(
        "--missing",
        default=Missing.FAIL.value,
        choices=[choice.value for choice in Missing],
        help="what stands in for frames that are not there (fail)",
    )
    group.add_argument(
        "--bad-pixels",
        default=BadPixels.FAIL.value,
        choices=[choice.value for choice in BadPixels],
        help="what to do with NaN and infinite pixels (fail)",
    )
    group.add_argument(
        "--plate-keys",
        default=keys.value,
        choices=[choice.value for choice in PlateKeys],
        help="tell a changed frame by its file's size and time, or by its content; auto: a sequence"
        f" by content, a movie by size and time ({keys.value})",
    )


def add_knobs(group: Group) -> None:
    """Add what says what is done to a finished alpha."""
    _add_declared(group, MatteKnobs, reruns_model=False)


def add_guides(group: Group) -> None:
    """Add the mattes that force the alpha."""
    for name, text in GUIDE_HELP.items():
        group.add_argument(option_of(name), default="", metavar="PATH", help=f"{text} (none)")
    _add_declared(group, Guides, reruns_model=False)


def _add_declared(group: Group, kind: type, *, reruns_model: bool) -> None:
    """Add an option for every setting that a dataclass declares."""
    for declared in settings_of(kind):
        if declared.reruns_model is reruns_model:
            _add_option(group, declared)


def _add_option(group: Group, declared: Declared) -> None:
    flag, text = option_of(declared.name), declared.help
    if isinstance(declared.default, bool):
        group.add_argument(flag, action="store_true", help=text)
    elif isinstance(declared.default, str):
        shown = f"{text} ({declared.default})"
        group.add_argument(flag, default=declared.default, choices=declared.choices, help=shown)
    else:
        shown = f"{text} ({declared.default:g})"
        group.add_argument(flag, type=float, default=declared.default, metavar="X", help=shown)


def _add_deliverables(group: Group) -> None:
    group.add_argument(
        "--movie", metavar="FILE", help="the matte as a grey movie: .mp4, .mov or .mkv"
    )
    group.add_argument("--comp", metavar="FILE", help="the subject over a background, as a movie")
    group.add_argument(
        "--comp-over",
        default="green",
        metavar="green|checker|none|FILE",
        help="the comp's background: an image, a sequence or a movie fills the picture; none is"
        " the subject alone with its alpha, for prores4444 (green)",
    )
    group.add_argument(
        "--movie-codec",
        choices=["h264", "prores4444", "dnxhr444"],
        help="of both movies; a matte in it is grey of 10 bits, in ProRes with an alpha of 16; the"
        " last two go into .mov (H.264 of 8 bits, which every player shows)",
    )
    group.add_argument("--png", metavar="DIR", help="the alphas as PNG files")
    group.add_argument(
        "--png-bits", type=int, default=8, choices=[8, 16], help="bits of a PNG's pixel (8)"
    )


def _add_output(group: Group) -> None:
    add_files(group)
    group.add_argument(
        "--same-maker",
        action="store_true",
        help="make finished frames again that another device or other libraries made",
    )
    group.add_argument("--playhead", type=int, metavar="FRAME", help="make this frame first")
    group.add_argument(
        "--priority",
        default=Priority.RANGE.value,
        choices=[priority.value for priority in Priority],
        help="who is served first; batch goes on when this command is killed (range)",
    )
    shown = group.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="events as JSON lines, for programs")
    shown.add_argument(
        "--openjd",
        action="store_true",
        help="a farm's task: --frames as Open Job Description writes it, progress as it reads it",
    )
    group.add_argument(
        "--keep-going",
        action="store_true",
        help="finish the job though whoever reads this output leaves, or it cannot be written",
    )
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="say what would run, how long, and what it takes of disk and memory; make nothing",
    )
    group.add_argument("--timings", action="store_true", help="where the time went")
    group.add_argument(
        "-v", "--verbose", action="store_true", help="all that is known of the engine's limits"
    )
    server = group.add_mutually_exclusive_group()
    server.add_argument(
        "--no-start",
        action="store_true",
        help="fail where no server runs, instead of starting one",
    )
    server.add_argument(
        "--own-server",
        action="store_true",
        help="start a server for this command alone, as its child, and end it with it: for farms"
        " that count a task's cores, memory and GPUs",
    )


def add_files(group: Group) -> None:
    """Add what the EXR alphas are, and what they may replace."""
    group.add_argument(
        "--depth",
        default=Depth.HALF.value,
        choices=[depth.value for depth in Depth],
        help="pixel type of the EXR alphas (half)",
    )
    group.add_argument(
        "--channels",
        default=ALPHA,
        metavar="WORDS",
        help="what the files hold, A always: " + ",".join((ALPHA, *CHANNELS)) + f" ({ALPHA})",
    )
    for declared in WORDS:
        _add_option(group, declared)
    group.add_argument(
        "--overwrite", action="store_true", help="replace files that gvm did not make"
    )
