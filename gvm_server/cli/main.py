"""The `gvm` command: words to functions; each command's code is loaded when it is called.

`gvm --help` must answer at once, so nothing here imports more than the standard library and the
light client.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from gvm_client import __version__
from gvm_client.errors import GvmError
from gvm_client.names import of_view
from gvm_server.cli import options
from gvm_server.cli.exits import Exit, exit_for

ABOUT = "Video matting: plate frames in, EXR alphas out, by a local server that stays warm."
EPILOG = """\
exit codes: 0 done; 2 usage; 3 the input is wrong; 4 server trouble; 5 the output cannot be
written; 130 cancelled"""


_PATHS_OF_VIEWS = ("plate", "out", "data_dir", "output_dir", "movie", "comp", "png")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parsed = build_parser().parse_args(arguments)
    if view := getattr(parsed, "view", ""):
        for name in _PATHS_OF_VIEWS:
            if path := getattr(parsed, name, None):
                setattr(parsed, name, of_view(path, view))
    try:
        return int(_function(parsed.run)(parsed))
    except GvmError as error:
        print(f"gvm: {error.message}", file=sys.stderr)
        if error.remedy:
            print(f"     {error.remedy}", file=sys.stderr)
        return int(exit_for(error))
    except KeyboardInterrupt:
        return int(Exit.CANCELLED)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="gvm",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gvm {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, about, run, add_options in options.COMMANDS:
        command = commands.add_parser(name, help=about, description=about)
        add_options(command)
        command.set_defaults(run=run)
    return parser


def _function(path: str) -> Callable[[argparse.Namespace], int]:
    """Return the function that `module:name` names, loading its module now."""
    module, name = path.split(":")
    function: Callable[[argparse.Namespace], int] = getattr(import_module(module), name)
    return function


if __name__ == "__main__":
    sys.exit(main())
