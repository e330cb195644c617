"""How the words of a command line become values: what `argparse` lets pass is refused here.

An empty text is most often a script's variable that was not set. As a value it would be taken for
the default, for the working folder or for the start of every job's name: something
that nobody asked for, and without a word. So no option and no word may be empty.

Which of its names an option was given by is kept: errors are made far below, where a setting has
its field's name, and are told with the words that were typed.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gvm_client.declaration import option_of
from gvm_client.errors import SettingsError
from gvm_client.folders import expanded
from gvm_client.frames import EXAMPLE

_RANGE = "RANGE"  # the metavar of frames
_NEEDED = ("PLATE", "OUT")  # of what every command that has it needs, by one word or another

_NOTHING = ", \t\r\n"  # a list of nothing is empty too
_TYPED = "typed"  # of a namespace: the names by which options were given
_NUMBER = re.compile(r" is ([-+]?(?:[\d.]+(?:e[-+]?\d+)?|inf|nan))(?=[;,. ])")


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
        self.register("type", expanded, str)  # the action makes the path: of "" it is a folder


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
        value = _said(self, values, option_string)
        setattr(namespace, self.dest, self._kept(getattr(namespace, self.dest, None), value))
        if option_string:
            vars(namespace)[_TYPED] = {**typed_options(namespace), self.dest: option_string}

    def _kept(self, before: Any, value: Any) -> Any:  # noqa: ANN401 (any kind)
        del before
        return value


class _Append(_Store):
    """Keep a value that says something behind those before it."""

    def _kept(self, before: Any, value: Any) -> Any:  # noqa: ANN401 (any kind)
        return [*(before or []), value]


def _said(action: argparse.Action, value: Any, option: str | None) -> Any:  # noqa: ANN401 (any kind)
    if isinstance(value, str) and not value.strip(_NOTHING):
        what = "is empty" if not value.strip() else f"names nothing: {value!r}"
        raise SettingsError(
            f"{option or action.metavar} {what}.",
            remedy=f"{_instead(action, option)} In a script, look at the variable that it comes"
            " from.",
        )
    return expanded(value) if action.type is expanded and value is not None else value


def _instead(action: argparse.Action, option: str | None) -> str:
    """Return a sentence: what to write where an option, or a word without one, is empty."""
    if action.metavar == _RANGE:
        return f"Leave it out for the whole clip, or name frames, such as {EXAMPLE}."
    if option is None or action.required or action.metavar in _NEEDED:
        return "Name one."
    return "Leave it out, or give it a value."


def typed_options(parsed: argparse.Namespace) -> Mapping[str, str]:
    """Return the names by which options were given, by the places where their values are."""
    typed: Mapping[str, str] = getattr(parsed, _TYPED, {})
    return typed


def as_typed(
    error: SettingsError, parsed: argparse.Namespace, words: Sequence[str]
) -> SettingsError:
    """Return an error of a setting with the option, and the number, as they were typed.

    Args:
        error: names a setting by its field or by another of its option's names.
        parsed: the command line's values; what a studio or a preset set was not typed and stays.
        words: the command line.
    """
    message, remedy = error.message, error.remedy
    for name, option in typed_options(parsed).items():
        # A name of one word may be plain English elsewhere: it counts where a sentence begins.
        bare = name if "_" in name else rf"^{name}(?= is )"
        pattern = re.compile(rf"(?<![\w-])(?:{option_of(name)}|{bare})(?![\w-])")
        message, remedy = pattern.sub(option, message), pattern.sub(option, remedy)
        number = _NUMBER.match(message, len(option)) if message.startswith(option) else None
        if number and (text := _text_of(option, words)):
            message = f"{option} is {text}{message[number.end() :]}"
    return SettingsError(message, remedy=remedy, code=error.code, path=error.path)


def _text_of(option: str, words: Sequence[str]) -> str:
    """Return what was typed behind an option the last time; "" where it was abbreviated."""
    for place in reversed(range(len(words))):
        word = words[place]
        if word == option and place + 1 < len(words):
            return words[place + 1]
        if word.startswith(f"{option}="):
            return word[len(option) + 1 :]
    return ""
