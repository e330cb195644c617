"""What Nuke's command line renders: `nuke <switches> <script> <argv> <ranges>`.

Source: "Using command line flags" of Foundry's guide to Nuke 16.
Law: what follows the script is its own (argv), but for ranges at the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gvm_client.frames import parse_frames

# Switches whose value is the next word.
_VALUED = frozenset(
    {"-F", "-X", "-c", "-d", "-m", "-s", "-V", "-Pf", "--view", "--remap", "--priority",
     "--workspace", "--crashhandling"}
)  # fmt: skip
_INDEXED = frozenset({"--gpu"})  # their value, a number, may be left out
_JOINED = re.compile(r"(-F)(-?\d.*)")  # a range in the switch's own word
_RANGE = re.compile(r"-?\d+(--?\d+(x\d+)?)?")
_OLD_RANGE = re.compile(r"(-?\d+),(-?\d+)(?:,(\d+))?")  # first, last and step: before `-F`


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandLine:
    """What is rendered.

    Attributes:
        renders_all: whether it is every Write that is switched on (`-x`).
        writes: the Writes that are named (`-X`).
        frames: the frames that are named; () where they are not.
        views: the views that are named; () where they are not.
    """

    renders_all: bool = False
    writes: frozenset[str] = frozenset()
    frames: tuple[int, ...] = ()
    views: tuple[str, ...] = ()

    @property
    def renders(self) -> bool:
        """Whether Nuke was started to render a script and to end."""
        return self.renders_all or bool(self.writes)


def read_command_line(words: Sequence[str]) -> CommandLine:
    """Return what a command line renders.

    Args:
        words: as `nuke.rawArgs`, the program first.

    Raises:
        SettingsError: a range cannot be read.
    """
    switches, values, rest = _split(words[1:])
    ranges = [text for name, text in values if name == "-F"] or _ranges_at_the_end(rest[1:])
    return CommandLine(
        renders_all=any(_has_letter(switch, "x") for switch in switches),
        writes=_named("-X", values),
        frames=parse_frames(" ".join(ranges)) if ranges else (),
        views=tuple(sorted(_named("--view", values))),
    )


def _split(words: Sequence[str]) -> tuple[list[str], list[tuple[str, str]], list[str]]:
    """Return switches, switches with their values, and what begins with the script."""
    switches: list[str] = []
    values: list[tuple[str, str]] = []
    index = 0
    while index < len(words) and words[index].startswith("-"):
        word = words[index]
        index += 1
        if word == "--":
            break
        following = words[index] if index < len(words) else ""
        if joined := _JOINED.fullmatch(word):
            values.append((joined[1], joined[2]))
        elif (word in _VALUED and following) or (word in _INDEXED and following.isdigit()):
            values.append((word, following))
            index += 1
        else:
            switches.append(word)
    return switches, values, list(words[index:])


def _named(switch: str, values: Iterable[tuple[str, str]]) -> frozenset[str]:
    return frozenset(name for key, text in values if key == switch for name in text.split(","))


def _has_letter(switch: str, letter: str) -> bool:
    """Whether a switch of single letters has one of them: `-x`, `-xi`, `-ix`."""
    return not switch.startswith("--") and switch.isascii() and letter in switch[1:3]


def _ranges_at_the_end(argv: Sequence[str]) -> list[str]:
    ranges: list[str] = []
    for word in reversed(argv):
        if old := _OLD_RANGE.fullmatch(word):
            ranges.append(f"{old[1]}-{old[2]}" + (f"x{old[3]}" if old[3] else ""))
        elif _RANGE.fullmatch(word):
            ranges.append(word)
        else:
            break
    return ranges
