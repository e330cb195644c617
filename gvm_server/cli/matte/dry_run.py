"""`gvm matte --dry-run`: what a job would run, and what it would take; nothing is made.

The request is prepared and looked up as a server does it, in this process, without a model. A
running server's cache is looked into; how it runs engines is taken to be as here.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gvm_client.engines import EngineName
from gvm_client.frames import abbreviated_frames
from gvm_client.process import Exit
from gvm_client.protocol.messages import Matte
from gvm_client.settings import Depth
from gvm_client.text import counted
from gvm_client.windows import seen_by
from gvm_server.cli.cache import cache_in_use
from gvm_server.cli.terminal import as_json, duration_in_words, size_in_words
from gvm_server.hostmemory import available_bytes
from gvm_server.matting.engines.registry import entry_of
from gvm_server.matting.lookup import CacheLookup, look_up
from gvm_server.media.file_access import Roots
from gvm_server.media.outputs.parts import planes_of
from gvm_server.media.outputs.sinks import FileSink
from gvm_server.media.store.past import last_job_with
from gvm_server.service.prepare import PreparedJob, ServerContext, prepare
from gvm_server.settings import ServerSettings
from gvm_server.threads import share_cores

_DEPTH_BYTES = {Depth.HALF: 2, Depth.FLOAT: 4}


@dataclass(frozen=True, kw_only=True, slots=True)
class Foretold:
    """What a job would do and take.

    Attributes:
        engine: which one would run.
        revision: its code and weights.
        working_width: of the model's frame, pixels.
        working_height: of the model's frame, pixels.
        colourspace: what the plate is read as.
        frames: that are asked for, as a range.
        frames_total: how many.
        frames_kept: of these, whose alpha stands in its place.
        frames_cached: of these, whose alpha lies in the cache.
        frames_to_make: the others.
        windows_to_run: windows that the model would run.
        windows_cached: windows whose alphas lie in the cache.
        frames_seen: frames that the model would see in them, those in two windows twice.
        seconds: how long it would take; None where no job of that kind was run here.
        disk_bytes: of the new files, at most.
        disk_free: bytes, where they go.
        memory_bytes: of the frames in hand.
        memory_free: bytes that this machine has.
        device_bytes: that the model would take; None where it wants no GPU.
        notes: what a person should know, in whole sentences.
    """

    engine: str
    revision: str
    working_width: int
    working_height: int
    colourspace: str
    frames: str
    frames_total: int
    frames_kept: int
    frames_cached: int
    frames_to_make: int
    windows_to_run: int
    windows_cached: int
    frames_seen: int
    seconds: float | None
    disk_bytes: int
    disk_free: int
    memory_bytes: int
    memory_free: int
    device_bytes: int | None
    notes: tuple[str, ...]


def foretell(request: Matte, *, notes: Sequence[str], json: bool) -> int:
    """Print what a request would do; exit DONE.

    Raises:
        GvmError: the plate, the settings, the engine or the output is wrong.
    """
    share_cores()
    settings = ServerSettings.from_environment()
    cache, says = cache_in_use(writes=False)
    context = ServerContext(
        roots=Roots(settings.root),
        cache=cache,
        buffers=Path(),  # no host's pixels
        machine=settings.machine,
        dry=True,
    )
    prepared = prepare(request, request.window, context, lambda _: None)
    try:
        found = look_up(prepared.spec, cache)
        said = (*notes, *([says] if says else []), *prepared.notes, *found.notes)
        plan = _foretold(prepared, found, context, said)
    finally:
        prepared.spec.close()
    if json:
        print(as_json({"type": "dry_run", **asdict(plan)}))
    else:
        print("\n".join(in_words(plan)))
    return Exit.DONE


def _foretold(
    prepared: PreparedJob, found: CacheLookup, context: ServerContext, notes: Sequence[str]
) -> Foretold:
    spec = prepared.spec
    run = [window for window in found.windows if window not in found.windows_cached]
    canvas = spec.canvas
    sink = spec.sink
    assert isinstance(sink, FileSink)  # noqa: S101 (the command line asks for files)
    past = last_job_with(
        context.cache.memo, spec.engine.revision, spec.working.width, spec.working.height
    )
    to_write = len(found.cached) + len(found.to_make)
    gpu_bytes = entry_of(EngineName(spec.engine.name)).gpu_bytes
    size = canvas.width, canvas.height
    return Foretold(
        engine=spec.engine.name,
        revision=spec.engine.revision,
        working_width=spec.working.width,
        working_height=spec.working.height,
        colourspace=spec.plate.colour.name,
        frames=abbreviated_frames(spec.frames),
        frames_total=len(spec.frames),
        frames_kept=len(found.kept),
        frames_cached=len(found.cached),
        frames_to_make=len(found.to_make),
        windows_to_run=len(run),
        windows_cached=len(found.windows_cached),
        frames_seen=sum(len(seen_by(spec.plan, window)) for window in run),
        seconds=past.seconds_for(len(found.to_make), len(run)) if past else None,
        disk_bytes=to_write * canvas.area * _DEPTH_BYTES[sink.depth] * planes_of(sink.content),
        disk_free=_free(sink.files.folder),
        memory_bytes=prepared.memory_bytes,
        memory_free=available_bytes(),
        device_bytes=gpu_bytes(size, spec.window, context.machine.weights) if gpu_bytes else None,
        notes=tuple(notes),
    )


def in_words(plan: Foretold) -> list[str]:
    """Return what a job would do and take, as lines for a person."""
    time = "not known: this engine has not run at this size on this machine"
    if plan.seconds is not None:
        time = f"about {duration_in_words(plan.seconds)}, as long as the last job of its kind took"
    stand = f"{plan.frames_kept} stand, {plan.frames_cached} lie in the cache"
    seen = f"{plan.working_width}x{plan.working_height}"
    windows = f"{counted(plan.windows_to_run, 'window')} to run"
    disk, memory = size_in_words(plan.disk_bytes), size_in_words(plan.memory_bytes)
    rows = {
        "Engine": f"{plan.engine} ({plan.revision}); the model sees {seen}",
        "Plate": f"read as {plan.colourspace}",
        "Frames": f"{plan.frames_total} ({plan.frames}): {stand}, {plan.frames_to_make} to make",
        "Model": f"{windows} over {plan.frames_seen} frames; {plan.windows_cached} in the cache",
        "Time": time,
        "Disk": f"at most {disk}; {size_in_words(plan.disk_free)} free",
        "Memory": f"{memory} for frames; {size_in_words(plan.memory_free)} free",
    }
    if plan.device_bytes is not None:
        rows["Device"] = f"{size_in_words(plan.device_bytes)} for the model"
    lines = [f"{name:8}{text}" for name, text in rows.items()]
    return [*lines, *plan.notes, "Nothing was made."]


def _free(folder: Path) -> int:
    """Return the bytes that are free where a folder is, or will be."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
