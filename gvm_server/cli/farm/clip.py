"""The clip of a farm's job: looked at where it is there, else taken at the user's word."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.frames import asked_frames as frames_of
from gvm_client.protocol.messages import Matte
from gvm_client.windows import Plan, seen_by, windows_for
from gvm_server.cli.matte.request import absolute, context_of
from gvm_server.cli.memory_plan import parse_size
from gvm_server.media.colour.ocio import load_config
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import ClipGeometry
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
        geometry: where its pictures lie; None where they are not there to be looked at.
        colourspace: what the plate is read as; "" where it is not there to be looked at.
    """

    path: Path
    first: int
    last: int
    size: tuple[int, int] | None
    missing: frozenset[int] = frozenset()
    geometry: ClipGeometry | None = None
    colourspace: str = ""


def plate_options(parsed: argparse.Namespace) -> PlateOptions:
    """Return how a plate that is there is read; its missing frames stay missing.

    Raises:
        GvmError: it is not there, or the colour configuration cannot be read.
    """
    context = context_of(parsed)
    return PlateOptions(
        path=str(resolve_plate(absolute(parsed.plate))),
        first=parsed.first,
        last=parsed.last,
        layer=parsed.layer,
        colourspace=parsed.input_colorspace,
        configuration=load_config(context.ocio, context.variables),
    )


def find_clip(parsed: argparse.Namespace) -> Clip:
    """Look at a plate that is there.

    Raises:
        GvmError: it is not there, is unreadable, or its extent is wrong.
    """
    options = plate_options(parsed)
    plate = open_plate(options, roots=Roots())
    try:
        missing = frozenset(plate.missing())
        geometry = plate.geometry()
        size = geometry.canvas.width, geometry.canvas.height
        return Clip(
            path=Path(options.path),
            first=plate.first,
            last=plate.last,
            size=size,
            missing=missing,
            geometry=geometry,
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
    size = parse_size(parsed.plate_size, "--plate-size") if parsed.plate_size else None
    return Clip(path=path, first=parsed.first, last=parsed.last, size=size)


def asked_frames(request: Matte, clip: Clip) -> tuple[int, ...]:
    """Return the frames to make, ascending.

    Raises:
        SettingsError: the range is none.
    """
    every = range(clip.first, clip.last + 1)
    return tuple(sorted(frames_of(request.frames, every, most=request.max_frames)))


def needed_frames(request: Matte, clip: Clip, frames: tuple[int, ...]) -> tuple[int, ...]:
    """Return the plate frames that the windows of these frames see, ascending.

    Raises:
        InputError: a frame lies outside the clip.
        SettingsError: a cut does.
    """
    plan = plan_of(request, clip, reach=request.engine.reach)
    windows = windows_for(plan, frames)
    return tuple(sorted({seen for window in windows for seen in seen_by(plan, window).frames}))


def plan_of(request: Matte, clip: Clip, *, reach: int = 0) -> Plan:
    """Return a clip's plan, by which shots are known whatever an engine's reach is.

    Raises:
        SettingsError: a cut lies outside the clip.
    """
    cuts = request.plate.cuts
    return Plan.of(request.window, first=clip.first, last=clip.last, cuts=cuts, reach=reach)
