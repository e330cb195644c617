"""The options of `gvm weights`; light, for `gvm --help` must answer at once."""

from __future__ import annotations

import argparse
from pathlib import Path

Parser = argparse.ArgumentParser


def add_options(parser: Parser) -> None:
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
    for action in (pull, verify, show):
        action.add_argument(
            "--weights",
            type=Path,
            metavar="DIR",
            help="the folder with unet/, vae/ and scheduler/ (one in your user data folder)",
        )
        action.add_argument("--json", action="store_true", help="for programs")
