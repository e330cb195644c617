"""From a request's words to an order: the plate is opened, the plan laid, the output proved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from gvm_client.errors import ErrorCode, InputError
from gvm_client.frames import format_frames, parse_frames
from gvm_client.protocol.messages import FilePlate, MappedOutput, Matte, PushedPlate
from gvm_client.settings import WindowSettings
from gvm_client.windows import Plan
from gvm_server.matting.engines.registry import Choice, Machine, find_engine
from gvm_server.matting.footprint import check_memory
from gvm_server.matting.order import Order, working_size_of
from gvm_server.matting.working import WorkingSize
from gvm_server.media.colour.ocio import Configuration
from gvm_server.media.confine import OpenFolder, Roots
from gvm_server.media.geometry import ClipGeometry
from gvm_server.media.outputs.files import AlphaFiles
from gvm_server.media.outputs.sinks import FileSink, MappedSink, Sink
from gvm_server.media.plates.base import Plate, PlateOptions
from gvm_server.media.plates.open import open_plate
from gvm_server.media.plates.pushed import PushedFrames, PushedOptions
from gvm_server.media.plates.shown import Match, Picture, match
from gvm_server.media.plates.thumbnail import Thumbnails, as_ranks
from gvm_server.media.probe import probe_folder
from gvm_server.media.store.cache import DiskCache
from gvm_server.service.context import check_configuration, check_demands, weights_folder
from gvm_server.settings import READERS, WRITERS


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Where this server may read, write and keep things."""

    roots: Roots
    cache: DiskCache
    buffers: Path
    """The run-time folder's `pixels/`, where hosts and server map images."""
    machine: Machine
    """How this server runs GVM."""
    thumbnails: Thumbnails = field(default_factory=Thumbnails)
    """Of plates' frames that hosts' pictures were compared with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """An order, and what the artist should know of it, in whole sentences."""

    order: Order
    notes: tuple[str, ...]
    ocio_digest: str
    """The hash of the colour configuration's content."""


def prepare(
    request: Matte,
    window: WindowSettings,
    site: Site,
    ask: Callable[[tuple[int, ...]], None],
    heed: Callable[[], None] = lambda: None,
) -> Prepared:
    """Open the plate, lay the plan and prove the output.

    Args:
        request: what was asked for.
        window: the request's, or smaller ones after memory ran out.
        site: where to read, write and keep.
        ask: called when a pushed plate needs frames from its host.
        heed: called between frames that are looked at; raises where the job is to end.

    Raises:
        GvmError: the plate, the settings, the engine or the output is wrong.
    """
    configuration = check_configuration(request.context, site.roots)
    choice = _engine(request, site)
    check_demands(request.context, choice.engine)
    plate = _open(request.plate, configuration, site, ask)
    with ExitStack() as failed:
        failed.callback(plate.close)
        geometry = plate.geometry()
        working = working_size_of(geometry, window, choice.engine)
        window, fitted = _fitted(request, window, choice, working)
        check_memory(plate.name, geometry, working, window, hands=READERS + WRITERS)
        frames = _frames(request, plate)
        shown = _shown(request, plate, geometry, frames, site, heed)
        if shown is not None:
            frames = (shown.frame,)
        order = Order(
            plate=plate,
            plan=Plan.of(window, first=plate.first, last=plate.last, cuts=request.plate.cuts),
            frames=frames,
            engine=choice.engine,
            window=window,
            knobs=request.knobs,
            sink=_sink(request, plate, site, frames, shown),
            geometry=geometry,
            working=working,
            playhead=request.playhead if shown is None else shown.frame,
        )
        failed.pop_all()
    seen = (*plate.notes, *_left_out(geometry))
    notes = (*choice.notes, *choice.engine.notes, *seen, *fitted, *_advice(window))
    return Prepared(order=order, notes=notes, ocio_digest=configuration.digest.hex())


def _engine(request: Matte, site: Site) -> Choice:
    for folder in (request.model.weights, request.model.unet, request.model.lora):
        if folder:
            site.roots.check_read(Path(folder))
    own = site.machine.weights
    weights = weights_folder(request.context, site.roots, own)
    machine = replace(site.machine, weights=weights)
    return find_engine(request.engine.value, request.model, machine)


def _fitted(
    request: Matte, window: WindowSettings, choice: Choice, working: WorkingSize
) -> tuple[WindowSettings, tuple[str, ...]]:
    """Return the window that memory has room for, where the request leaves it to the server."""
    if not request.model.fit_memory or window != request.window:  # backed off already
        return window, ()
    if choice.weights is None or choice.options is None:
        return window, (f"The {choice.engine.name} engine needs little memory: its window stays.",)
    from gvm_server.matting.engines.gvm.fit import fit_window  # noqa: PLC0415 (torch comes with it)

    fitted, says = fit_window(window, working, choice.weights, choice.options)
    return fitted, (says,)


def _open(
    plate: FilePlate | PushedPlate,
    configuration: Configuration,
    site: Site,
    ask: Callable[[tuple[int, ...]], None],
) -> Plate:
    if isinstance(plate, FilePlate):
        probe_folder(Path(plate.path).parent)
        return open_plate(
            PlateOptions(
                path=plate.path,
                first=plate.first,
                last=plate.last,
                layer=plate.layer,
                colourspace=plate.colourspace,
                configuration=configuration,
                missing=plate.missing,
                bad_pixels=plate.bad_pixels,
                keys=plate.keys,
                memo=site.cache.memo,
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
            configuration=configuration,
            bad_pixels=plate.bad_pixels,
            keys={given.frame: given.key for given in plate.frames},
        ),
        buffers=site.buffers,
        ask=ask,
    )


def _left_out(geometry: ClipGeometry) -> tuple[str, ...]:
    """Say which frames count for nothing; one that is needed fails when it is read."""
    if not geometry.left_out:
        return ()
    says = (
        f"Frames {format_frames(geometry.left_out)} do not count for the clip's canvas: their"
        " headers cannot be read, or their display window or pixel aspect is another than the"
        " clip's."
    )
    return (says,)


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


def _shown(
    request: Matte,
    plate: Plate,
    geometry: ClipGeometry,
    frames: tuple[int, ...],
    site: Site,
    heed: Callable[[], None],
) -> Match | None:
    """Return the frame that the host shows; None where it does not say what it shows.

    Raises:
        InputError: it shows another picture, or shows one picture for several frames.
    """
    asked = request.plate
    if not isinstance(asked, FilePlate) or asked.shown is None:
        return None
    if len(frames) != 1:
        raise InputError(
            f"One picture is shown for {len(frames)} frames ({format_frames(frames)}).",
            remedy="Ask for each frame with its picture.",
            code=ErrorCode.BAD_REQUEST,
        )
    says = asked.shown
    picture = Picture(aspect=says.aspect, ranks=as_ranks(says.ranks), search=says.search)
    return match(plate, geometry, picture, frames[0], site.thumbnails, heed)


def _sink(
    request: Matte, plate: Plate, site: Site, frames: tuple[int, ...], shown: Match | None
) -> Sink:
    output = request.output
    if isinstance(output, MappedOutput):
        return MappedSink(
            buffers=site.buffers,
            cache=site.cache,
            whole=isinstance(request.plate, FilePlate),
            shown=None if shown is None else shown.box,
        )
    probe_folder(Path(output.path).parent)
    files = AlphaFiles.of(output.path, plate_name=plate.name, roots=site.roots)
    files = replace(files, umask=request.context.umask)
    files.check(frames, overwrite=output.overwrite, ours=site.cache.placed.is_ours)
    return FileSink(
        files,
        depth=output.depth,
        cache=site.cache,
        same_maker=output.same_maker,
        opened=None if site.roots.root is None else OpenFolder(files.folder, site.roots),
    )


def _advice(window: WindowSettings) -> tuple[str, ...]:
    if window.steps == 1:
        return ()
    return (f"{window.steps} steps are experimental: GVM is a one-step model.",)
