"""What a farm's job knows of its clip: where the plate is, its length and size, and its gaps.

A plate that is there is looked at; one that the farm renders first is taken at the user's word.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.frames import parse_frames
from gvm_client.protocol.messages import Matte
from gvm_client.windows import Plan, windows_for
from gvm_server.cli.doctor.memory_plan import parse_size
from gvm_server.cli.matte.request import absolute, context_of
from gvm_server.media.colour.ocio import load_config
from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.find import parse_pattern, resolve_plate
from gvm_server.media.plates.open import open_plate


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """A plate on disk, or one that will be rendered.

    Attributes:
        path: absolute; a pattern, an image or a movie.
        first: the clip's first frame.
        last: the clip's last frame.
        size: width and height in pixels; None where nobody said.
        missing: frames of the clip that are not there.
        colourspace: what the plate is read as; "" where it is not there to be looked at.
    """

    path: Path
    first: int
    last: int
    size: tuple[int, int] | None
    missing: frozenset[int] = frozenset()
    colourspace: str = ""


def find_clip(parsed: argparse.Namespace) -> Clip:
    """Look at a plate that is there.

    Raises:
        GvmError: it is not there, is unreadable, or its extent is wrong.
    """
    path = Path(str(resolve_plate(absolute(parsed.plate))))
    context = context_of(parsed)
    options = PlateOptions(
        path=str(path),
        first=parsed.first,
        last=parsed.last,
        layer=parsed.layer,
        colourspace=parsed.input_colorspace,
        configuration=load_config(context.ocio, context.variables),
    )
    plate = open_plate(options, roots=Roots())
    try:
        missing = frozenset(plate.missing())
        canvas = plate.geometry().canvas
        size = canvas.width, canvas.height
        return Clip(
            path=path,
            first=plate.first,
            last=plate.last,
            size=size,
            missing=missing,
            colourspace=plate.colour.name,
        )
    finally:
        plate.close()


def expect_clip(parsed: argparse.Namespace) -> Clip:
    """Return a plate that a step of the job will render.

    Raises:
        SettingsError: its extent or its pattern is not said.
    """
    path = Path(absolute(parsed.plate))
    if parse_pattern(path) is None:
        raise SettingsError(
            f"{path} has no frame number; --plate-step renders a sequence.",
            remedy="Name the plate as plate.%04d.exr.",
        )
    if parsed.first is None or parsed.last is None:
        raise SettingsError(
            "The plate is not rendered yet, so its extent must be said.",
            remedy="Give --first and --last.",
        )
    size = parse_size(parsed.plate_size) if parsed.plate_size else None
    return Clip(path=path, first=parsed.first, last=parsed.last, size=size)


def asked_frames(request: Matte, clip: Clip) -> tuple[int, ...]:
    """Return the frames to make, ascending.

    Raises:
        SettingsError: the range is none.
    """
    every = range(clip.first, clip.last + 1)
    frames = parse_frames(request.frames) if request.frames else tuple(every)
    return tuple(sorted(frames[: request.max_frames or None]))


def needed_frames(request: Matte, clip: Clip, frames: tuple[int, ...]) -> tuple[int, ...]:
    """Return the plate frames that the windows of these frames see, ascending.

    Raises:
        InputError: a frame lies outside the clip.
        SettingsError: a cut does.
    """
    plan = Plan.of(request.window, first=clip.first, last=clip.last, cuts=request.plate.cuts)
    return tuple(sorted({seen for window in windows_for(plan, frames) for seen in window.frames}))
