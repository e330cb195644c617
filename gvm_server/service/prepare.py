"""From a request's words to an order: the plate is opened, the plan laid, the output proved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import ErrorCode, InputError
from gvm_client.protocol.messages import FilePlate, MappedOutput, Matte, PushedPlate
from gvm_client.windows import Plan
from gvm_server.matting.engines import find_engine
from gvm_server.matting.order import Order, canvas_of, working_size_of
from gvm_server.media.cache import DiskCache
from gvm_server.media.confine import Roots
from gvm_server.media.frames import parse_frames
from gvm_server.media.open import open_plate
from gvm_server.media.output import AlphaFiles
from gvm_server.media.plate import Plate, PlateOptions
from gvm_server.media.pushed import PushedFrames, PushedOptions
from gvm_server.media.sinks import FileSink, MappedSink, Sink


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Where this server may read, write and keep things."""

    roots: Roots
    cache: DiskCache
    buffers: Path
    """The run-time folder's `pixels/`, where hosts and server map images."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """An order, and what the artist should know of it, in whole sentences."""

    order: Order
    notes: tuple[str, ...]


def prepare(request: Matte, site: Site, ask: Callable[[tuple[int, ...]], None]) -> Prepared:
    """Open the plate, lay the plan and prove the output.

    Args:
        request: what was asked for.
        site: where to read, write and keep.
        ask: called when a pushed plate needs frames from its host.

    Raises:
        GvmError: the plate, the settings, the engine or the output is wrong.
    """
    engine, why = find_engine(request.engine.value)
    plate = _open(request.plate, site, ask)
    plan = Plan.of(request.window, first=plate.first, last=plate.last, cuts=request.plate.cuts)
    frames = _frames(request, plate)
    header = plate.header(_reference_frame(plate))
    canvas = canvas_of(header)
    order = Order(
        plate=plate,
        plan=plan,
        frames=frames,
        engine=engine,
        window=request.window,
        knobs=request.knobs,
        sink=_sink(request, plate, site, frames),
        canvas=canvas,
        working=working_size_of(canvas, header, request.window, engine),
        playhead=request.playhead,
    )
    return Prepared(order=order, notes=(*why, *engine.notes, *plate.notes, *_advice(request)))


def _open(
    plate: FilePlate | PushedPlate, site: Site, ask: Callable[[tuple[int, ...]], None]
) -> Plate:
    if isinstance(plate, FilePlate):
        return open_plate(
            PlateOptions(
                path=plate.path,
                first=plate.first,
                last=plate.last,
                layer=plate.layer,
                colourspace=plate.colourspace,
                missing=plate.missing,
                bad_pixels=plate.bad_pixels,
                keys=plate.keys,
            ),
            roots=site.roots,
        )
    return PushedFrames(
        PushedOptions(
            name=plate.name,
            first=plate.first,
            last=plate.last,
            width=plate.width,
            height=plate.height,
            pixel_aspect=plate.pixel_aspect,
            colourspace=plate.colourspace,
            bad_pixels=plate.bad_pixels,
            keys={given.frame: given.key for given in plate.frames},
        ),
        buffers=site.buffers,
        ask=ask,
    )


def _reference_frame(plate: Plate) -> int:
    """Return the clip's first frame that is there: its header decides the canvas.

    Raises:
        InputError: no frame is there.
    """
    missing = set(plate.missing())
    for frame in range(plate.first, plate.last + 1):
        if frame not in missing:
            return frame
    raise InputError(
        f"None of the frames {plate.first}-{plate.last} of {plate.name} is there.",
        remedy="Check the path and the clip's extent (--first and --last).",
        code=ErrorCode.PLATE_MISSING,
        path=plate.name,
    )


def _frames(request: Matte, plate: Plate) -> tuple[int, ...]:
    frames = (
        parse_frames(request.frames)
        if request.frames
        else tuple(range(plate.first, plate.last + 1))
    )
    if not frames:
        raise InputError(
            f"The range {request.frames!r} names no frame.",
            remedy="Ask for frames such as 1001-1100.",
            code=ErrorCode.BAD_REQUEST,
        )
    return frames[: request.max_frames] if request.max_frames else frames


def _sink(request: Matte, plate: Plate, site: Site, frames: tuple[int, ...]) -> Sink:
    output = request.output
    if isinstance(output, MappedOutput):
        return MappedSink(buffers=site.buffers, cache=site.cache)
    files = AlphaFiles.of(output.path, plate_name=plate.name, roots=site.roots)
    files.check(frames, overwrite=output.overwrite)
    return FileSink(files, depth=output.depth, cache=site.cache)


def _advice(request: Matte) -> tuple[str, ...]:
    if request.window.steps == 1:
        return ()
    return (f"{request.window.steps} steps are experimental: GVM is a one-step model.",)
