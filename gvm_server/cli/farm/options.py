"""The options of `gvm farm`; light, for `gvm --help` must answer at once."""

from __future__ import annotations

import argparse

from gvm_client.folders import expanded
from gvm_client.platform import SYSTEM
from gvm_client.settings import PlateKeys
from gvm_nodes.farm.job import OS_FAMILIES
from gvm_server.cli.matte import options

Parser = argparse.ArgumentParser

CHUNK_FRAMES = 48  # each end of a task costs a window that its neighbour makes too
TASK_MINUTES = 120
OS_FAMILY = {"linux": "linux", "win32": "windows", "darwin": "macos"}  # by Python's word for each


def add_options(parser: Parser) -> None:
    """Add the actions of `gvm farm` and their options."""
    actions = parser.add_subparsers(metavar="ACTION", required=True, dest="action")
    submit = actions.add_parser(
        "submit-template",
        help="write a job: OpenJD, AWS Deadline Cloud, Deadline, OpenCue, Afanasy",
    )
    _clip(submit)
    _targets(submit.add_argument_group("what is written, at least one"))
    _job(submit.add_argument_group("the job"))
    _hosts(submit.add_argument_group("what its tasks ask of a farm"))
    submit.set_defaults(run="gvm_server.cli.farm.commands:submit_template")
    validate = actions.add_parser(
        "validate", help="name missing plate frames, and compare the disk's free space"
    )
    _clip(validate)
    validate.set_defaults(run="gvm_server.cli.farm.commands:validate")
    _server(actions.add_parser("server", help="what a job's step environment calls"))


def _clip(parser: Parser) -> None:
    """Add the plate, the mattes and the settings: the words of `gvm matte` that fit a farm."""
    parser.add_argument("plate", metavar="PLATE", help="as for `gvm matte`")
    parser.add_argument(
        "--out", required=True, metavar="OUT", help="a folder or a pattern for the alphas"
    )
    options.add_range(parser.add_argument_group("which frames"))
    options.add_model(parser.add_argument_group("the model"), engine="gvm")
    options.add_region(parser.add_argument_group("the region"))
    options.add_plate(parser.add_argument_group("the plate"), keys=PlateKeys.CONTENT)
    options.add_knobs(parser.add_argument_group(options.KNOBS_ABOUT))
    options.add_guides(parser.add_argument_group(options.GUIDES_ABOUT))
    options.add_files(parser.add_argument_group("the EXR alphas"))


def _targets(group: options.Group) -> None:
    group.add_argument(
        "-o",
        "--template",
        type=expanded,
        metavar="FILE",
        help="an OpenJD template, .yaml or .json (JSON text in both, which YAML includes)",
    )
    group.add_argument("--dry-run", action="store_true", help="print that, write nothing")
    group.add_argument(
        "--deadline-cloud",
        type=expanded,
        metavar="DIR",
        help="a job bundle for AWS Deadline Cloud, with the list of the files that it needs",
    )
    group.add_argument("--deadline", type=expanded, metavar="DIR", help="job files for Deadline 10")
    group.add_argument(
        "--opencue", type=expanded, metavar="FILE", help="an outline script for OpenCue, .py"
    )
    group.add_argument(
        "--afanasy",
        type=expanded,
        metavar="FILE",
        help="a job for CGRU's Afanasy, .json; beside it the parser and the service of its hosts",
    )


def _job(group: options.Group) -> None:
    group.add_argument("--name", metavar="NAME", help="the job's name (of the plate)")
    group.add_argument(
        "--chunk",
        type=int,
        default=CHUNK_FRAMES,
        metavar="N",
        help=f"frames a task, about; any number gives the same mattes ({CHUNK_FRAMES})",
    )
    group.add_argument(
        "--timeout",
        type=int,
        default=TASK_MINUTES,
        metavar="MINUTES",
        help=f"how long a task may take ({TASK_MINUTES})",
    )
    group.add_argument(
        "--gvm",
        default="",
        metavar="PATH",
        help="this command on the farm's hosts (this one's path)",
    )
    group.add_argument(
        "--plate-step",
        default="",
        metavar="COMMAND",
        help="render the plate first, in a step of its own; {{Task.Param.Frame}} in it becomes a"
        " range such as 1001-1048, without it one task renders all",
    )
    group.add_argument(
        "--plate-size", metavar="WxH", help="for the memory that is asked for (read from the plate)"
    )


def _hosts(group: options.Group) -> None:
    group.add_argument(
        "--cores", type=int, default=0, metavar="N", help="processor cores (what the farm gives)"
    )
    group.add_argument(
        "--memory", default="", metavar="SIZE", help="memory, such as 24G (what is predicted)"
    )
    group.add_argument(
        "--os",
        default=OS_FAMILY.get(SYSTEM, "any"),
        choices=[*OS_FAMILIES, "any"],
        help="kind of system (this one's)",
    )
    group.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="NAME",
        help="of the hosts that may take it: OpenCue's tags, Afanasy's properties; repeatable",
    )
    group.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME",
        help="counts against it: limits of OpenCue and Deadline, Afanasy's tickets; repeatable",
    )
    group.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable of the tasks; repeatable",
    )
    group.add_argument(
        "--show", default="", metavar="NAME", help="OpenCue's show, Afanasy's project (the farm's)"
    )
    group.add_argument("--shot", default="", metavar="NAME", help="OpenCue's shot (the farm's)")


def _server(parser: Parser) -> None:
    words = parser.add_subparsers(metavar="WORD", required=True, dest="word")
    start = words.add_parser("start", help="start a server for this worker session alone")
    start.set_defaults(run="gvm_server.cli.farm.server:start")
    stop = words.add_parser("stop", help="end it; none there is what was wanted")
    stop.set_defaults(run="gvm_server.cli.farm.server:stop")
