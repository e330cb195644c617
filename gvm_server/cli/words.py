"""How the words of a command line become values: what `argparse` lets pass is refused here.

An empty text is most often a script's variable that was not set. As a value it would be taken for
the default, for the working folder (`Path("")`) or for the start of every job's name: something
that nobody asked for, and without a word. So no option and no word may be empty.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gvm_client.errors import SettingsError
from gvm_client.frames import EXAMPLE

_RANGE = "RANGE"  # the metavar of frames
_NEEDED = ("PLATE", "OUT")  # of what every command that has it needs, by one word or another


class Parser(argparse.ArgumentParser):
    """A parser whose options and words refuse an empty text; so do those of its commands.

    Raises:
        SettingsError: from `parse_args`, a word is empty.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (argparse names them)
        super().__init__(*args, **kwargs)
        for name in (None, "store"):
            self.register("action", name, _Store)
        self.register("action", "append", _Append)
        self.register("type", Path, str)  # the action makes the path: `Path("")` is a folder


class _Store(argparse.Action):
    """Keep a value that says something."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        del parser
        setattr(namespace, self.dest, _said(self, values, option_string))


class _Append(_Store):
    """Keep a value that says something behind those before it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        del parser
        before = getattr(namespace, self.dest, None) or []
        setattr(namespace, self.dest, [*before, _said(self, values, option_string)])


def _said(action: argparse.Action, value: Any, option: str | None) -> Any:  # noqa: ANN401 (any kind)
    if isinstance(value, str) and not value.strip():
        raise SettingsError(
            f"{option or action.metavar} is empty.",
            remedy=f"{_instead(action, option)} In a script, look at the variable that it comes"
            " from.",
        )
    return Path(value) if action.type is Path and value is not None else value


def _instead(action: argparse.Action, option: str | None) -> str:
    """Return a sentence: what to write where an option, or a word without one, is empty."""
    if action.metavar == _RANGE:
        return f"Leave it out for the whole clip, or name frames, such as {EXAMPLE}."
    if option is None or action.required or action.metavar in _NEEDED:
        return "Name one."
    return "Leave it out, or give it a value."
