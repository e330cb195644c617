"""Every command and every option of the command line, as tables."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from gvm_client.protocol.messages import EngineName
from gvm_client.settings import (
    PRESETS,
    BadPixels,
    Depth,
    Missing,
    OnOom,
    PlanKind,
    PlateKeys,
    Priority,
)
from gvm_server.cli import install_options, original, weights_options
from gvm_server.matting.gvm.options import Precision, Switch

Parser = argparse.ArgumentParser


class Command(NamedTuple):
    """One command: its word, a sentence, the function that runs it, and its options."""

    name: str
    about: str
    run: str
    add_options: Callable[[Parser], None]


def _matte(parser: Parser) -> None:
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
    _matte_range(parser.add_argument_group("which frames"))
    _matte_model(parser.add_argument_group("the model"))
    _matte_plate(parser.add_argument_group("the plate"))
    _matte_knobs(parser.add_argument_group("the matte (no knob here runs a model)"))
    _matte_deliverables(parser.add_argument_group("deliverables, besides the EXR alphas"))
    _matte_output(parser.add_argument_group("output and conduct"))
    original.add_options(parser.add_argument_group(original.ABOUT))


def _matte_range(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--frames", default="", metavar="RANGE", help="1001-1100x2,1200 (all)")
    group.add_argument("--max-frames", type=int, metavar="N", help="only the first N of them (all)")
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
    group.add_argument("--playhead", type=int, metavar="FRAME", help="make this frame first")


def _matte_model(group: argparse._ArgumentGroup) -> None:
    engines = [name.value for name in EngineName if name is not EngineName.TEST]
    group.add_argument(
        "--engine",
        default="auto",
        choices=[*engines, "test"],
        metavar="|".join(engines),
        help="auto is gvm where its weights are, else preview (auto)",
    )
    group.add_argument(
        "--weights", default="", metavar="DIR", help="GVM's weights (what `gvm weights pull` got)"
    )
    group.add_argument("--lora", default="", metavar="DIR", help="an adapter for GVM's UNet (none)")
    group.add_argument(
        "--on-oom",
        default=OnOom.FAIL.value,
        choices=[choice.value for choice in OnOom],
        help="when memory runs out: fail, or begin anew with a smaller window (fail)",
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
        ("--size", "short edge of the model's frame, pixels (720)"),
        ("--max-resolution", "longest edge of the model's frame, pixels (1024)"),
    ):
        group.add_argument(flag, type=int, metavar="N", help=text)
    group.add_argument(
        "--plan",
        choices=[kind.value for kind in PlanKind],
        help="seamless: any range, same matte; reference: the original's batches (seamless)",
    )


def _matte_plate(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--input-colorspace",
        default="auto",
        metavar="NAME",
        help="auto, srgb, scene_linear, acescg, rec709, raw, or any OCIO name (auto)",
    )
    group.add_argument("--layer", default="", metavar="NAME", help="EXR layer or part (main RGB)")
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
        default=PlateKeys.STAT.value,
        choices=[choice.value for choice in PlateKeys],
        help="tell a changed frame by its file's size and time, or by its content (stat)",
    )


def _matte_knobs(group: argparse._ArgumentGroup) -> None:
    for flag, default, text in (
        ("--black", 0.0, "alpha that becomes 0"),
        ("--white", 1.0, "alpha that becomes 1"),
        ("--gamma", 1.0, "above 1 thickens soft edges"),
        ("--grow", 0.0, "plate pixels, fractions allowed; negative shrinks"),
        ("--blur", 0.0, "Gaussian sigma, plate pixels"),
    ):
        group.add_argument(
            flag, type=float, default=default, metavar="X", help=f"{text} ({default:g})"
        )
    group.add_argument("--invert", action="store_true", help="1 becomes 0")


def _matte_deliverables(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--movie", metavar="FILE", help="the matte as a grey movie: .mp4, .mov or .mkv"
    )
    group.add_argument("--comp", metavar="FILE", help="the plate over green, as a movie")
    group.add_argument("--png", metavar="DIR", help="the alphas as PNG files")
    group.add_argument(
        "--png-bits", type=int, default=8, choices=[8, 16], help="bits of a PNG's pixel (8)"
    )


def _matte_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--depth",
        default=Depth.HALF.value,
        choices=[depth.value for depth in Depth],
        help="pixel type of the EXR alphas (half)",
    )
    group.add_argument(
        "--overwrite", action="store_true", help="replace files that gvm did not make"
    )
    group.add_argument(
        "--priority",
        default=Priority.RANGE.value,
        choices=[priority.value for priority in Priority],
        help="who is served first; batch goes on when this command is killed (range)",
    )
    group.add_argument("--json", action="store_true", help="events as JSON lines, for programs")
    group.add_argument("--timings", action="store_true", help="where the time went")
    group.add_argument(
        "--no-start",
        action="store_true",
        help="fail where no server runs, instead of starting one",
    )


def _serve(parser: Parser) -> None:
    parser.add_argument("--root", metavar="DIR", help="read and write nothing outside this folder")
    parser.add_argument(
        "--idle-minutes",
        type=float,
        metavar="N",
        help="leave after so long without a job; 0 means never (30)",
    )
    parser.add_argument(
        "--idle-unload",
        type=float,
        metavar="MINUTES",
        help="give the model's memory back after so long without a job; 0 means never (0)",
    )
    group = parser.add_argument_group("how this machine runs GVM")
    group.add_argument("--device", default="auto", help="auto, cpu, mps, cuda or cuda:N (auto)")
    for flag, of in (("--precision", "UNet"), ("--vae-precision", "VAE")):
        group.add_argument(
            flag,
            default="auto",
            choices=[choice.value for choice in Precision],
            help=f"what the {of} computes in (auto)",
        )
    group.add_argument(
        "--channels-last",
        default="auto",
        choices=[choice.value for choice in Switch],
        help="memory format of the decoder's convolutions (auto)",
    )
    group.add_argument(
        "--compile", default="", metavar="BACKEND", help="a torch.compile backend (none)"
    )
    parser.add_argument("--log-file", metavar="FILE", help="where the log goes (standard error)")


def _status(parser: Parser) -> None:
    parser.add_argument("--watch", action="store_true", help="go on until interrupted")
    parser.add_argument("--json", action="store_true", help="for programs")


def _cancel(parser: Parser) -> None:
    parser.add_argument("job", metavar="JOB", help="the job's name, or enough of its start")


def _json_only(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _doctor(parser: Parser) -> None:
    _json_only(parser)
    parser.add_argument(
        "--plan", metavar="WxH", help="predict what each preset takes of the device's memory"
    )


def _cache(parser: Parser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    _json_only(actions.add_parser("show", help="where it is and how full"))
    actions.add_parser("clear", help="delete what was made; it can all be made again")


def _nothing(parser: Parser) -> None:
    del parser


COMMANDS = (
    Command(
        "matte", "Matte a plate: EXR alphas at plate size.", "gvm_server.cli.matte:run", _matte
    ),
    Command("serve", "Run the server in this terminal.", "gvm_server.cli.serve:run", _serve),
    Command("status", "What the server is doing.", "gvm_server.cli.status:run", _status),
    Command("cancel", "End a job.", "gvm_server.cli.control:cancel", _cancel),
    Command(
        "release",
        "Give the GPU's memory back; the next job loads the model again.",
        "gvm_server.cli.control:release",
        _nothing,
    ),
    Command(
        "weights",
        "Fetch and check the GVM weights.",
        "gvm_server.cli.weights:run",
        weights_options.add_options,
    ),
    Command(
        "install",
        "Put a node where its host looks for it.",
        "",
        install_options.add_options,
    ),
    Command("stop", "End the server.", "gvm_server.cli.control:stop", _nothing),
    Command("doctor", "Check this machine.", "gvm_server.cli.doctor:run", _doctor),
    Command("cache", "The cache of finished work.", "gvm_server.cli.cache:run", _cache),
)
