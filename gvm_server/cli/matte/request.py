"""From the command line's words to a request."""

from __future__ import annotations

import argparse
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from gvm_client.context import job_context
from gvm_client.declaration import option_of, values_in
from gvm_client.errors import LocalProtocolError, SettingsError
from gvm_client.file_content import WORDS, FileContent, switches
from gvm_client.folders import expanded
from gvm_client.guides import GUIDE_HELP, Guides
from gvm_client.limits import MAX_PADDING
from gvm_client.protocol.messages import FileOutput, FilePlate, JobContext, Matte
from gvm_client.protocol.wire import encode
from gvm_client.request import matte_request
from gvm_client.settings import (
    AUTO_PRESET,
    BadPixels,
    Depth,
    Missing,
    ModelSettings,
    OnOom,
    PlateKeys,
    Priority,
    find_preset,
)
from gvm_client.text import is_text

_PATHS = (
    "plate",
    "out",
    "data_dir",
    "output_dir",
    "movie",
    "comp",
    "comp_over",
    "png",
    *GUIDE_HELP,
)  # see `absolute`


def request_from(parsed: argparse.Namespace) -> Matte:
    """Return the request of `gvm matte`'s translated options; paths become absolute here.

    Raises:
        SettingsError: a value is out of its range, or a text or a list longer than a request holds.
    """
    _require_frames(parsed)
    with _by_options():
        request = _request_from(parsed)
        encode(request, request=request.job)
    return request


@contextmanager
def _by_options() -> Iterator[None]:
    """Tell what our own message cannot hold as a wrong option: one made it what it is."""
    try:
        yield
    except LocalProtocolError as error:
        raise SettingsError(error.message, remedy=error.remedy) from error


def _require_frames(parsed: argparse.Namespace) -> None:
    """Refuse frames that no file has, and a count below zero, by their options' names.

    Raises:
        SettingsError: there is one.
    """
    frames = {"first": parsed.first, "last": parsed.last, "playhead": parsed.playhead}
    given = [*frames.items(), *(("cut", frame) for frame in parsed.cut)]
    for name, frame in given:
        if frame is not None and len(str(abs(frame))) > MAX_PADDING:
            raise SettingsError(
                f"{option_of(name)} is {frame}; a frame's number has at most {MAX_PADDING} digits.",
                remedy=f"Correct {option_of(name)}.",
            )
    if parsed.max_frames is not None and parsed.max_frames < 0:
        raise SettingsError(
            f"--max-frames is {parsed.max_frames}; it must not be negative.",
            remedy="Say how many of the frames asked for are wanted; 0 means all.",
        )


def _request_from(parsed: argparse.Namespace) -> Matte:
    for name, value in vars(parsed).items():
        if isinstance(value, str) and name not in _PATHS:
            _require_text(value, option_of(name), "Write it in UTF-8.")
    preset = find_preset(parsed.preset)
    request = matte_request(
        parsed,
        file_plate(parsed),
        FileOutput(
            path=absolute(parsed.out),
            depth=Depth(parsed.depth),
            overwrite=parsed.overwrite,
            same_maker=parsed.same_maker,
            content=content_of(parsed),
        ),
        model=ModelSettings(
            weights=absolute(parsed.weights) if parsed.weights else "",
            unet=absolute(parsed.unet) if parsed.unet else "",
            lora=absolute(parsed.lora) if parsed.lora else "",
            noise=parsed.noise,
            seed=parsed.seed,
            on_oom=OnOom(parsed.on_oom),
            fit_memory=parsed.preset == AUTO_PRESET and parsed.frames_per_window is None,
        ),
        guides=guides_of(parsed),
        preset=parsed.preset,
        context=replace(
            context_of(parsed),
            device=parsed.demand_device,
            precision=parsed.demand_precision,
            compilation=parsed.demand_compile,
        ),
    )
    return replace(
        request,
        job=uuid.uuid4().hex,
        frames=parsed.frames,
        max_frames=preset.max_frames if parsed.max_frames is None else parsed.max_frames,
        priority=Priority(parsed.priority),
        playhead=parsed.playhead,
    )


def context_of(parsed: argparse.Namespace) -> JobContext:
    """Return this shell's context, with what the options say of its colour configuration.

    Raises:
        SettingsError: an option sets no variable, there are too many, or the digest is none.
    """
    here = job_context()
    demand = here.commercial_only or getattr(
        parsed, "commercial_only", False
    )  # not of every command
    variables = dict([*here.variables.items(), *map(_variable, parsed.ocio_variable)])
    with _by_options():
        return replace(
            here,
            ocio_variables=tuple(f"{name}={value}" for name, value in sorted(variables.items())),
            ocio_digest=parsed.ocio_digest,
            commercial_only=demand,
        )


def file_plate(parsed: argparse.Namespace) -> FilePlate:
    """Return the plate of `gvm matte`'s translated options.

    Raises:
        SettingsError: a text or a list is longer than the protocol allows.
    """
    with _by_options():
        return FilePlate(
            path=absolute(parsed.plate),
            first=parsed.first,
            last=parsed.last,
            layer=parsed.layer,
            colourspace=parsed.input_colorspace,
            missing=Missing(parsed.missing),
            bad_pixels=BadPixels(parsed.bad_pixels),
            keys=PlateKeys(parsed.plate_keys),
            cuts=tuple(sorted(set(parsed.cut))),
        )


def guides_of(parsed: argparse.Namespace) -> Guides:
    """Return the guides of `gvm matte`'s translated options.

    Raises:
        SettingsError: the feather is out of its range, or a path cannot be sent.
    """
    return Guides(
        garbage=absolute(parsed.garbage) if parsed.garbage else "",
        holdout=absolute(parsed.holdout) if parsed.holdout else "",
        **values_in(parsed, Guides),
    )


def content_of(parsed: argparse.Namespace) -> FileContent:
    """Return what the files shall hold.

    Raises:
        SettingsError: a word of `--channels` is unknown, or a value is none of its choices.
    """
    values: dict[str, Any] = dict(switches(parsed.channels.split(",")))
    values |= {each.name: getattr(parsed, each.name) for each in WORDS}
    return FileContent(**values)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise SettingsError(
            f"--ocio-variable is {text!r}, which sets nothing.", remedy="Write it as NAME=value."
        )
    return name, value


def absolute(path: str) -> str:
    """Return a path from the working directory; `~` is the home folder, links stay as named.

    Raises:
        SettingsError: it is not UTF-8, as all that is sent must be, or there is no such folder.
    """
    try:
        whole = os.path.abspath(expanded(path))  # noqa: PTH100 (resolve would follow links)
    except FileNotFoundError as error:
        raise SettingsError(
            f"{path} is meant from the working folder, and that has been deleted.",
            remedy="Go to another folder, or write the path out.",
            path=path,
        ) from error
    _require_text(whole, "The name", "Rename it, or name it by a link with a plain name (`ln -s`).")
    return whole


def _require_text(value: str, what: str, remedy: str) -> None:
    if not is_text(value):
        raise SettingsError(
            f"{what} {value} is not UTF-8: it cannot be sent to the server.", remedy=remedy
        )
