"""What the scripts of Fusion's menu call: `tool`, or `alphas` with the settings as options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from gvm_client.errors import GvmError
from gvm_nodes.alphas import add_options, wishes_of
from gvm_nodes.fusion.comp import Composition
from gvm_nodes.fusion.loaders import load_alphas, place_tool
from gvm_nodes.make import Say, maker

FAILED = 1


def main(words: Sequence[str], say: Say, comp: Composition) -> int:
    """Do what the words say and return the exit code; an error is said, not raised.

    Args:
        words: as on a command line.
        say: hears one line at a time.
        comp: the `comp` that Fusion gives to its scripts.
    """
    parser = argparse.ArgumentParser(prog="gvm-fusion")
    parser.add_argument("what", choices=["tool", "alphas"])
    add_options(parser)
    parsed = parser.parse_args(words)
    try:
        if parsed.what == "tool":
            place_tool(comp)
        else:
            made = load_alphas(comp, wishes_of(parsed), maker(say))
            say(f"GVM: {len(made)} Loaders have their alphas.")
    except GvmError as error:
        say(f"GVM: {error}")
        return FAILED
    return 0
