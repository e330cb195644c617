"""From a request to a job's specification: the plate is opened, the plan laid, the output proved.

The threads that do so serve the most urgent job first and keep room for those that may come:

- Of the jobs that wait, the most urgent is prepared next; equals in the order asked.
- Jobs that are less urgent never hold all threads: a playhead's frame is looked at while clips of
  any number and length are being hashed.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from gvm_client.errors import ErrorCode, InputError
from gvm_client.file_content import Compression, FileContent
from gvm_client.frames import abbreviated_frames, asked_frames, format_frames
from gvm_client.protocol.messages import FileOutput, FilePlate, MappedOutput, Matte, PushedPlate
from gvm_client.settings import Priority, Refine, WindowSettings
from gvm_client.windows import Plan
from gvm_server.cores import READERS, WRITERS
from gvm_server.matting.engines.base import EngineInfo
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.engines.registry import find_engine
from gvm_server.matting.guides import GuideMattes, open_guides
from gvm_server.matting.job_spec import JobSpec, working_size_of
from gvm_server.matting.region import ShotView, largest, notes_of, views_of
from gvm_server.matting.resources import FramesInHand, check_memory
from gvm_server.matting.working_size import WorkingSize
from gvm_server.media.alphas.exr import check_compression
from gvm_server.media.colour.ocio import Configuration
from gvm_server.media.file_access import OpenFolder, Roots, probe_folder
from gvm_server.media.geometry import ClipGeometry
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.media.outputs.parts import parts_of
from gvm_server.media.outputs.sinks import FileSink, MappedSink, Sink
from gvm_server.media.plates.base import Plate, PlateOptions
from gvm_server.media.plates.host_picture import Match, Picture, match
from gvm_server.media.plates.open import open_plate
from gvm_server.media.plates.pushed import PushedFrames, PushedOptions
from gvm_server.media.plates.thumbnail import Thumbnails, as_ranks
from gvm_server.media.store.cache import DiskCache
from gvm_server.service.admission import (
    check_configuration,
    check_demands,
    check_licence,
    weights_folder,
)

# How many threads may prepare jobs of a priority, or of less urgent ones, at the same time.
SHARES: Mapping[Priority, int] = MappingProxyType(
    {Priority.INTERACTIVE: 4, Priority.RANGE: 3, Priority.BATCH: 2}
)
_ORDER = list(SHARES)  # the most urgent first


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerContext:
    """Where this server may read, write and keep things."""

    roots: Roots
    cache: DiskCache
    buffers: Path
    """The run-time folder's `pixels/`, where hosts and server map images."""
    machine: Machine
    """How this server runs engines."""
    thumbnails: Thumbnails = field(default_factory=Thumbnails)
    """Of plates' frames that hosts' pictures were compared with."""
    dry: bool = False
    """Whether a job is only foretold: no folder is made for its output."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedJob:
    """A job's spec, and what the artist should know of it, in whole sentences."""

    spec: JobSpec
    notes: tuple[str, ...]
    ocio_digest: str
    """The hash of the colour configuration's content."""
    memory_bytes: int
    """What its frames take at the same time, at least; the model's own is not in it."""


def prepare(
    request: Matte,
    window: WindowSettings,
    context: ServerContext,
    ask: Callable[[tuple[int, ...]], None],
    check_ending: Callable[[], None] = lambda: None,
) -> PreparedJob:
    """Open the plate, lay the plan and prove the output.

    Args:
        request: what was asked for.
        window: the request's, or smaller ones after memory ran out.
        context: where to read, write and keep.
        ask: called when a pushed plate needs frames from its host.
        check_ending: called between frames that are looked at; raises where the job is to end.

    Raises:
        GvmError: the plate, the settings, the engine or the output is wrong.
    """
    configuration = check_configuration(request.context, context.roots)
    engine = _engine(request, context)
    plate = _open(request.plate, configuration, context, ask)
    with ExitStack() as failed:
        failed.callback(plate.close)
        geometry = plate.geometry()
        views = _views(request, window, plate, geometry, engine)
        seen = _seen(request, window, geometry, views, engine)
        window, fitted = _fitted(request, window, engine, largest(seen))
        engine = engine.for_job(window, seen) if engine.for_job else engine
        plan = _plan(request, window, plate, engine.reach)
        memory = _memory(request, plate, geometry, views, plan, engine)
        frames = _frames(request, plate)
        shown = _shown(request, plate, geometry, frames, context, check_ending)
        if shown is not None:
            frames = (shown.frame,)
        guides = _guides(request, context, geometry)
        failed.callback(guides.close)
        spec = JobSpec(
            plate=plate,
            plan=plan if engine.temporal else replace(plan, frames_per_window=1, overlap=0),
            frames=frames,
            engine=engine,
            window=window,
            knobs=request.knobs,
            sink=_sink(request, plate, context, frames, shown, guides),
            geometry=geometry,
            views=views,
            playhead=request.playhead if shown is None else shown.frame,
            guides=guides,
        )
        failed.pop_all()
    found = (*plate.notes, *_left_out(geometry), *guides.notes)
    said = notes_of(views, request.roi_scale, geometry, reading=bool(request.regions))
    advice = (*_advice(window), *spec.advice, *_said_of_playhead(spec))
    return PreparedJob(
        spec=spec,
        notes=(*engine.notes, *found, *said, *fitted, *advice),
        ocio_digest=configuration.digest.hex(),
        memory_bytes=memory,
    )


def _said_of_playhead(spec: JobSpec) -> Iterator[str]:
    """Say that the frame to begin with is none of those that are made."""
    if spec.playhead is not None and spec.playhead not in spec.frames:
        yield (
            f"The playhead's frame {spec.playhead} is none of the frames asked for,"
            f" {abbreviated_frames(spec.frames)}: these are made in their order."
        )


def _plan(request: Matte, window: WindowSettings, plate: Plate, reach: int) -> Plan:
    """Return the plan of the clip's shots."""
    return Plan.of(window, first=plate.first, last=plate.last, cuts=request.plate.cuts, reach=reach)


def _is_tiled(request: Matte, engine: EngineInfo) -> bool:
    """Return whether the model sees the picture's tiles, besides the whole."""
    return request.knobs.refine == Refine.TILES and engine.sees_parts


def _seen(
    request: Matte,
    window: WindowSettings,
    geometry: ClipGeometry,
    views: Sequence[ShotView],
    engine: EngineInfo,
) -> list[WorkingSize]:
    """Return the sizes at which the model sees the clip: the shots', and the tiles'."""
    pad = engine.pad_multiple
    tile = [working_size_of(geometry, window, pad)] if _is_tiled(request, engine) else []
    return [*(view.working for view in views), *tile]


def _memory(
    request: Matte,
    plate: Plate,
    geometry: ClipGeometry,
    views: Sequence[ShotView],
    plan: Plan,
    engine: EngineInfo,
) -> int:
    """Return the bytes of the frames that are in memory at the same time, of the worst shot.

    Raises:
        GvmError: as `check_memory`.
    """
    of_shots = (
        FramesInHand(
            view=view,
            plan=plan,
            hands=READERS + WRITERS,
            colours=_content(request).has_colours,
            tiled=_is_tiled(request, engine),
        )
        for view in views
    )
    return max(check_memory(plate.name, geometry, in_hand) for in_hand in of_shots)


def _content(request: Matte) -> FileContent:
    """Return what is wanted besides the alpha."""
    output = request.output
    if isinstance(output, FileOutput):
        return output.content
    return FileContent(foreground=output.foreground, despill=output.despill.value)


def _engine(request: Matte, context: ServerContext) -> EngineInfo:
    """Return the engine that is asked for, which its asker may use.

    Raises:
        GvmError: it is not to be had, or a studio's demands or a licence forbid it.
    """
    for folder in (request.model.weights, request.model.unet, request.model.lora):
        if folder:
            context.roots.check_read(Path(folder))
    own = context.machine.weights
    weights = weights_folder(request.context, context.roots, own)
    machine = replace(context.machine, weights=weights)
    engine = find_engine(request.engine.value, request.model, machine)
    check_demands(request.context, engine)
    check_licence(request.context, engine, request.model)
    return engine


def _views(
    request: Matte,
    window: WindowSettings,
    plate: Plate,
    geometry: ClipGeometry,
    engine: EngineInfo,
) -> tuple[ShotView, ...]:
    """Return what the model sees of each shot; how wide windows are does not matter to it."""
    return views_of(
        request.regions,
        request.roi_scale,
        _plan(request, window, plate, reach=0),
        geometry,
        working_size_of(geometry, window, engine.pad_multiple),
        engine.pad_multiple,
    )


def _fitted(
    request: Matte, window: WindowSettings, engine: EngineInfo, working: WorkingSize
) -> tuple[WindowSettings, tuple[str, ...]]:
    """Return the window that memory has room for, where the request leaves it to the server."""
    if not request.model.fit_memory or window != request.window:  # backed off already
        return window, ()
    if engine.fit is None:
        return window, (f"The {engine.name} engine needs little memory: its window stays.",)
    fitted, says = engine.fit(window, working)
    return fitted, (says,)


def _open(
    plate: FilePlate | PushedPlate,
    configuration: Configuration,
    context: ServerContext,
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
                memo=context.cache.memo,
            ),
            roots=context.roots,
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
        buffers=context.buffers,
        ask=ask,
    )


def _guides(request: Matte, context: ServerContext, geometry: ClipGeometry) -> GuideMattes:
    """Open what forces the alpha, read by the plate's own rules as far as it has them."""
    plate = request.plate
    options = PlateOptions(path="", bad_pixels=plate.bad_pixels, memo=context.cache.memo)
    if isinstance(plate, FilePlate):
        options = replace(options, missing=plate.missing, keys=plate.keys)
    return open_guides(request.guides, options, geometry, roots=context.roots)


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
    clip = range(plate.first, plate.last + 1)
    frames = asked_frames(request.frames, clip, most=request.max_frames)
    if not frames:
        raise InputError(
            f"The range {request.frames!r} names no frame.",
            remedy="Ask for frames such as 1001-1100.",
            code=ErrorCode.BAD_REQUEST,
        )
    return frames


def _shown(
    request: Matte,
    plate: Plate,
    geometry: ClipGeometry,
    frames: tuple[int, ...],
    context: ServerContext,
    check_ending: Callable[[], None],
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
    return match(plate, geometry, picture, frames[0], context.thumbnails, check_ending)


def _sink(
    request: Matte,
    plate: Plate,
    context: ServerContext,
    frames: tuple[int, ...],
    shown: Match | None,
    guides: GuideMattes,
) -> Sink:
    output = request.output
    if isinstance(output, MappedOutput):
        _check_foreground(request, output)
        return MappedSink(
            buffers=context.buffers,
            cache=context.cache,
            whole=isinstance(request.plate, FilePlate),
            shown=None if shown is None else shown.box,
            content=_content(request),
            way_back=plate.colour.way_back() if output.foreground else None,
        )
    probe_folder(Path(output.path).parent)
    check_compression(Compression(output.content.compression))
    files = AlphaFiles.of(output.path, plate_name=plate.name, roots=context.roots)
    own = tuple((f"{kind} matte", clip.name) for kind, clip in guides.named)
    suffixes = tuple(part.suffix for part in parts_of(output.content))
    files = replace(files, umask=request.context.umask, kept=own, suffixes=suffixes)
    check = files.check_names if context.dry else files.check
    check(frames, overwrite=output.overwrite, ours=context.cache.registry.is_ours)
    return FileSink(
        files,
        depth=output.depth,
        cache=context.cache,
        content=output.content,
        same_maker=output.same_maker,
        opened=None
        if context.dry or context.roots.root is None
        else OpenFolder(files.folder, context.roots),
    )


def _check_foreground(request: Matte, output: MappedOutput) -> None:
    if output.foreground and not isinstance(request.plate, PushedPlate):
        raise InputError(
            "The foreground is made of a host's own frames, and this plate is a file: its pixels"
            " need not be those that the host shows.",
            remedy="Clear the node's Plate File, or choose another Output.",
            code=ErrorCode.BAD_REQUEST,
        )


def _advice(window: WindowSettings) -> tuple[str, ...]:
    if window.steps == 1:
        return ()
    return (f"{window.steps} steps are experimental: GVM is a one-step model.",)


class PreparationPool:
    """A pool of threads for work with a priority; `close` waits for what has begun."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, Callable[[], None]]] = []
        self._running: Counter[int] = Counter()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"preparing-{number}")
            for number in range(max(SHARES.values()))
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[], None], priority: Priority) -> None:
        """Have work done that raises nothing."""
        with self._changed:
            heapq.heappush(self._waiting, (_ORDER.index(priority), next(self._numbers), work))
            self._changed.notify_all()

    def close(self) -> None:
        """Do what was submitted, then let the threads end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            rank, work = taken
            try:
                work()
            finally:
                with self._changed:
                    self._running[rank] -= 1
                    self._changed.notify_all()

    def _take(self) -> tuple[int, Callable[[], None]] | None:
        """Wait for work that may begin; None when there will be no more."""
        with self._changed:
            while not (self._waiting and self._has_room(self._waiting[0][0])):
                if self._closed and not self._waiting:
                    return None
                self._changed.wait()
            rank, _, work = heapq.heappop(self._waiting)
            self._running[rank] += 1
            return rank, work

    def _has_room(self, rank: int) -> bool:
        held = sum(count for other, count in self._running.items() if other >= rank)
        return held < SHARES[_ORDER[rank]]
