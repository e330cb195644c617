"""The `gvm` command: words to functions; each command's code is loaded when it is called.

`gvm --help` must answer at once, so nothing here imports more than the standard library and the
light client.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from operator import attrgetter

from gvm_client import __version__
from gvm_client.errors import GvmError, OutputError, SettingsError
from gvm_client.filenames import of_view
from gvm_client.guides import GUIDE_HELP
from gvm_client.process import Exit, exit_for
from gvm_server.cli import options
from gvm_server.cli.terminal import ReaderGone, guarded_streams
from gvm_server.cli.words import Parser, as_typed

ABOUT = "Video matting: plate frames in, EXR alphas out, by a local server that stays warm."
EPILOG = """\
exit codes: 0 done; 1 done, and a check that was asked for fails; 2 usage; 3 the input is
wrong; 4 server trouble; 5 the output cannot be written; 130 cancelled; 141 the reader of the
output left"""

_BELOW_ZERO = re.compile(r"-\.?\d")
_OPTION = re.compile(r"--[a-z][\w-]*")

_PATHS_OF_VIEWS = (
    "plate",
    "matte",
    "out",
    "data_dir",
    "output_dir",
    "movie",
    "comp",
    "png",
    *GUIDE_HELP,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        with guarded_streams():
            return int(_run(arguments))
    except ReaderGone:
        return int(Exit.READER_GONE)
    except OutputError as error:  # the standard output itself
        with suppress(ReaderGone), guarded_streams():
            return int(_say(error))
        return int(Exit.READER_GONE)
    except KeyboardInterrupt:
        return int(Exit.CANCELLED)


def _run(arguments: Sequence[str] | None) -> int:
    words = with_signs(sys.argv[1:] if arguments is None else arguments)
    parsed = argparse.Namespace()
    try:
        parsed = build_parser(*words[:1]).parse_args(words)
        parsed = _as_the_studio_says(parsed, words)
        if view := getattr(parsed, "view", ""):
            _name_view(parsed, view)
        return load_function(parsed.run)(parsed)
    except SettingsError as error:
        return _say(as_typed(error, parsed, words))
    except GvmError as error:
        return _say(error)
    except OSError as error:  # a folder that may not be read, the working folder that is gone
        where = f"{error.filename}: " if error.filename else ""
        return _say(GvmError(f"{where}{error.strerror or error}."))


def _name_view(parsed: argparse.Namespace, view: str) -> None:
    """Put a view's name into the paths that ask for one; say where none does."""
    paths = {name: path for name in _PATHS_OF_VIEWS if (path := getattr(parsed, name, None))}
    named = {name: of_view(path, view) for name, path in paths.items()}
    vars(parsed).update(named)
    if named == paths:
        print(
            f"--view {view} does nothing: no name that is given holds %V or %v. A view inside of"
            f" a file is a layer: --layer {view}.",
            file=sys.stderr,
        )


def with_signs(words: Sequence[str]) -> list[str]:
    """Return a command line in which values below zero belong to their options.

    `--roi -8,0,640,480` and `--frames -5--1` begin as an option does, and argparse takes them for
    one; none of ours begins with a number, so `--roi=-8,0,640,480` is what is meant.
    """
    found: list[str] = []
    for at, word in enumerate(words):
        if word == "--":
            return [*found, *words[at:]]
        if _BELOW_ZERO.match(word) and found and _OPTION.fullmatch(found[-1]):
            found[-1] += f"={word}"
        else:
            found.append(word)
    return found


def _as_the_studio_says(parsed: argparse.Namespace, words: Sequence[str]) -> argparse.Namespace:
    """Return the words of a command that mattes with the studio's defaults for those not given.

    Raises:
        SettingsError: the studio's file cannot be used, or an option that it locks was given.
    """
    task = getattr(parsed, "openjd", False) or getattr(parsed, "own_server", False)
    if not hasattr(parsed, "preset") or task:
        return parsed
    from gvm_server.cli.studio import Studio, set_defaults  # noqa: PLC0415 (few commands need it)

    studio = Studio()
    if studio.values:
        parser = build_parser(*words[:1])
        set_defaults(parser, studio.values)
        parsed = parser.parse_args(words)
        studio.settle(parsed)
    return parsed


def _say(error: GvmError) -> int:
    """Tell a person of an error and return its exit code."""
    print(f"gvm: {error.message}", file=sys.stderr)
    if error.remedy:
        print(f"     {error.remedy}", file=sys.stderr)
    return exit_for(error)


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Return the parser of a command, where this is one's name, else of the whole command line."""
    parser = Parser(
        prog="gvm",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gvm {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    asked = tuple(each for each in options.COMMANDS if each.name == command)
    for name, about, run, add_options in asked or options.COMMANDS:
        made = commands.add_parser(name, help=about, description=about)
        add_options(made)
        made.set_defaults(run=run)
    return parser


def load_function(path: str) -> Callable[[argparse.Namespace], int]:
    """Return the function that `module:name` or `module:object.name` names; it is loaded now."""
    module, name = path.split(":")
    function: Callable[[argparse.Namespace], int] = attrgetter(name)(import_module(module))
    return function


if __name__ == "__main__":
    sys.exit(main())
