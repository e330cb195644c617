"""Every command and every option of the command line, as tables."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NamedTuple

from gvm_client.folders import expanded
from gvm_client.server_config import OWNED_OPTION
from gvm_server.cli.farm import options as farm_options
from gvm_server.cli.install import options as install_options
from gvm_server.cli.matte import options as matte_options
from gvm_server.cli.review import options as review_options
from gvm_server.matting.engines.machine import machine_options

Parser = argparse.ArgumentParser


class Command(NamedTuple):
    """One command: its word, a sentence, the function that runs it, and its options."""

    name: str
    about: str
    run: str
    add_options: Callable[[Parser], None]


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
    group = parser.add_argument_group("how this machine runs engines")
    for option in machine_options():
        group.add_argument(
            option.flag,
            dest=option.name,
            default=option.default,
            choices=option.choices,
            metavar=option.metavar,
            help=f"{option.help} ({option.default or 'none'})",
        )
    parser.add_argument("--log-file", metavar="FILE", help="where the log goes (standard error)")
    parser.add_argument(
        OWNED_OPTION,
        action="store_true",
        help="belong to whoever started it: end when standard input does, and delete the run-time"
        " folder (`gvm matte --own-server`)",
    )


def _measure_spread(parser: Parser) -> None:
    parser.add_argument("plate", metavar="CLIP", help="a sequence, an image or a movie; clean")
    parser.add_argument(
        "--windows", type=int, default=4, metavar="N", help="windows that are looked at (4)"
    )
    model = parser.add_argument_group("the model")
    matte_options.add_engine(model)
    matte_options.add_sizes(model)
    _plate_group(parser)
    _json_only(parser)


def _plate_group(parser: Parser) -> None:
    """Add how a plate is read, for commands that look at one."""
    plate = parser.add_argument_group("the plate")
    matte_options.add_extent(plate)
    matte_options.add_plate(plate)


def _roi(parser: Parser) -> None:
    parser.add_argument("plate", metavar="PLATE", help="a sequence, an image or a movie")
    parser.add_argument(
        "--samples",
        type=int,
        default=24,
        metavar="N",
        help="frames of each shot that are looked at, evenly spread (24)",
    )
    matte_options.add_sizes(parser.add_argument_group("the preview engine"))
    _plate_group(parser)
    _json_only(parser)


def _verify(parser: Parser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a folder of EXR alphas")


def _status(parser: Parser) -> None:
    parser.add_argument("--watch", action="store_true", help="go on until interrupted")
    parser.add_argument("--json", action="store_true", help="for programs")


def _log(parser: Parser) -> None:
    parser.add_argument(
        "-n", "--lines", type=int, default=50, metavar="N", help="how many of the last lines (50)"
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on with what is added, until interrupted"
    )
    parser.add_argument("--path", action="store_true", help="print where it is, and nothing else")


def _cancel(parser: Parser) -> None:
    parser.add_argument("job", metavar="JOB", help="the job's name, or enough of its start")


def _json_only(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="for programs")


def _doctor(parser: Parser) -> None:
    _json_only(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--plan", metavar="WxH", help="predict what each preset takes of the device's memory"
    )
    what.add_argument(
        "--hosts", action="store_true", help="look at the plug-in, the nodes and their hosts"
    )
    what.add_argument(
        "--support",
        metavar="FILE",
        type=expanded,
        help="pack what goes with a question, a .zip file",
    )


def _cache(parser: Parser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    _json_only(actions.add_parser("show", help="where it is and how full"))
    actions.add_parser("clear", help="delete what was made; it can all be made again")


def _stop(parser: Parser) -> None:
    parser.add_argument(
        "--yes", action="store_true", help="end running jobs with it, without being asked"
    )
    parser.add_argument(
        "--force", action="store_true", help="end the process of a server that does not answer"
    )


def _metrics(parser: Parser) -> None:
    parser.add_argument(
        "pred", metavar="PRED", help="the matte: a sequence, a folder, an image or a movie"
    )
    parser.add_argument("truth", metavar="TRUTH", help="the true matte, frame by frame")
    parser.add_argument(
        "--trimap", metavar="FILE", help="its grey is the unknown band: a sequence, or one image"
    )
    parser.add_argument(
        "--frames", metavar="RANGE", help="measure these, such as 1001-1100x2 (TRUTH's)"
    )
    parser.add_argument(
        "--offset",
        type=int,
        default=0,
        metavar="N",
        help="added to PRED's frame numbers; a movie's count from 1 (0)",
    )
    for flag, of in (("--layer", "PRED"), ("--truth-layer", "TRUTH")):
        parser.add_argument(
            flag,
            default="",
            metavar="NAME",
            help=f"the layer or channel of {of} (its alpha, else its first channel)",
        )
    parser.add_argument("--json", action="store_true", help="for programs")


def _nothing(parser: Parser) -> None:
    del parser


def _weights(parser: Parser) -> None:
    """Add the actions of `gvm weights` and their options."""
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    pull = actions.add_parser("pull", help="download them from the Hugging Face Hub; resumable")
    pull.add_argument(
        "--revision",
        default="main",
        metavar="NAME",
        help="a branch, a tag or a commit of the repository (main)",
    )
    pull.add_argument(
        "--accept-licence",
        "--accept-license",
        action="store_true",
        help="accept the shown terms without being asked",
    )
    verify = actions.add_parser("verify", help="check files, configs, tensors and hashes")
    show = actions.add_parser("show", help="where they are, and what they are")
    compare = actions.add_parser(
        "compare", help="run diffusers' stock networks beside ours, on frames of your own"
    )
    compare.add_argument("plate", metavar="CLIP", help="a sequence, an image or a movie")
    compare.add_argument(
        "--count",
        type=int,
        default=4,
        metavar="N",
        help="frames that are taken, from the first (4)",
    )
    compare.add_argument(
        "--size", type=int, default=256, metavar="N", help="short edge that the model sees (256)"
    )
    compare.set_defaults(max_resolution=512)
    _plate_group(compare)
    for action in (pull, verify, show, compare):
        action.add_argument(
            "--weights",
            type=expanded,
            metavar="DIR",
            help="the folder with unet/, vae/ and scheduler/ (one in your user data folder)",
        )
        action.add_argument("--json", action="store_true", help="for programs")


COMMANDS = (
    Command(
        "matte",
        "Matte a plate: EXR alphas at plate size.",
        "gvm_server.cli.matte.command:run",
        matte_options.add_options,
    ),
    Command(
        "roi",
        "Propose a region for a plate, from a preview of some frames: prints --roi x,y,w,h.",
        "gvm_server.cli.region:run",
        _roi,
    ),
    Command("serve", "Run the server in this terminal.", "gvm_server.cli.serve:run", _serve),
    Command(
        "status", "What the server is doing.", "gvm_server.cli.running_server:show_status", _status
    ),
    Command("log", "The server's log.", "gvm_server.cli.running_server:show_log", _log),
    Command("cancel", "End a job.", "gvm_server.cli.running_server:cancel", _cancel),
    Command(
        "release",
        "Give the GPU's memory back; the next job loads the model again.",
        "gvm_server.cli.running_server:release",
        _nothing,
    ),
    Command(
        "weights",
        "Fetch and check the GVM weights.",
        "gvm_server.cli.weights:run",
        _weights,
    ),
    Command(
        "install",
        "Put a node where its host looks for it.",
        "",
        install_options.add_options,
    ),
    Command(
        "uninstall",
        "Take a host's node away again.",
        "",
        install_options.add_undo_options,
    ),
    Command(
        "measure-spread",
        "Measure how far an engine blurs its alphas, for whoever adds or trains one.",
        "gvm_server.cli.spread:run",
        _measure_spread,
    ),
    Command("farm", "Jobs for render farms.", "", farm_options.add_options),
    Command("stop", "End the server.", "gvm_server.cli.stop:run", _stop),
    Command("doctor", "Check this machine.", "gvm_server.cli.doctor.command:run", _doctor),
    Command(
        "verify",
        "Check the finished alphas of a folder.",
        "gvm_server.cli.cache:run_verify",
        _verify,
    ),
    Command(
        "metrics",
        "Measure a matte against the truth: MAD, MSE, Grad, Conn, dtSSD, MESSDdt.",
        "gvm_server.cli.metrics:run",
        _metrics,
    ),
    Command(
        "qc",
        "Look for faults of finished mattes: flicker, seams, blobs, holes.",
        "gvm_server.cli.review.qc:run",
        review_options.add_qc,
    ),
    Command(
        "sheet",
        "Write a contact sheet of finished mattes, the worst frames first.",
        "gvm_server.cli.review.sheet:run",
        review_options.add_sheet,
    ),
    Command(
        "report",
        "Write a page for a shot: scrubber, plots, contact sheet, how it was made.",
        "gvm_server.cli.review.report:run",
        review_options.add_report,
    ),
    Command("cache", "The cache of finished work.", "gvm_server.cli.cache:run_cache", _cache),
)
