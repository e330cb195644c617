"""Replies that fit their messages: what a job tells, errors, and a status of many jobs."""

from __future__ import annotations

from collections.abc import Iterable

from gvm_client.errors import GvmError
from gvm_client.limits import MAX_JOBS, MAX_MESSAGE_BYTES
from gvm_client.protocol.messages import (
    Accepted,
    EngineName,
    Failed,
    FrameReady,
    JobSummary,
    MappedFrame,
    PixelType,
)
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.lookup import CacheLookup
from gvm_server.media.mapped_image import MappedImage
from gvm_server.media.outputs.sinks import Delivery
from gvm_server.service.admission import EngineRuntime

_JOB_BYTES = 512  # of a job in a status, besides its texts
MAX_SENTENCE = 2000  # characters; at most 4 bytes each, so below the protocol's bound of a text


def sendable(text: str, bound: int = MAX_SENTENCE) -> str:
    """Return a text that fits a message: file names may hold bytes that are not UTF-8."""
    return text[:bound].encode(errors="backslashreplace").decode()


def page(jobs: Iterable[JobSummary]) -> tuple[JobSummary, ...]:
    """Return as many jobs as one status has room for, the first ones."""
    room, shown = MAX_MESSAGE_BYTES * 3 // 4, list[JobSummary]()
    for job in jobs:
        texts = (job.job, job.plate, job.output, job.note, job.garbage, job.holdout)
        room -= _JOB_BYTES + sum(len(text.encode()) for text in texts)
        if room < 0 or len(shown) == MAX_JOBS:
            break
        shown.append(job)
    return tuple(shown)


def failed_by(error: GvmError, *, job: str = "") -> Failed:
    """Return the reply that tells a client of an error."""
    return Failed(
        code=error.code,
        message=sendable(error.message),
        remedy=sendable(error.remedy),
        job=job,
        frame=error.frame,
        path=sendable(error.path),
    )


def accepted(
    job: str, spec: JobSpec, found: CacheLookup, notes: tuple[str, ...], ocio_digest: str
) -> Accepted:
    """Return what a client hears of a job that was looked at."""
    running = EngineRuntime.of(spec.engine)
    return Accepted(
        job=job,
        engine=EngineName(spec.engine.name),
        revision=spec.engine.revision,
        preview=spec.engine.preview,
        first=spec.plan.first,
        last=spec.plan.last,
        frames_total=len(spec.frames),
        frames_kept=len(found.kept),
        windows_total=len(found.windows),
        windows_cached=len(found.windows_cached),
        colourspace=spec.plate.colour.name,
        working_width=spec.working.width,
        working_height=spec.working.height,
        notes=tuple(map(sendable, notes)),
        ocio_digest=ocio_digest,
        device=running.device,
        precision=running.precision,
        compilation=running.compilation,
        licence=spec.engine.licence.name,
    )


def frame_ready(job: str, delivery: Delivery) -> FrameReady:
    """Return what a client hears of an alpha that is in its place."""
    return FrameReady(
        job=job,
        frame=delivery.frame,
        cached=delivery.cached,
        path=delivery.path,
        roi_cut=delivery.roi_cut,
        mapped=_as_frame(delivery, delivery.mapped),
        foreground=_as_frame(delivery, delivery.foreground),
    )


def _as_frame(delivery: Delivery, image: MappedImage | None) -> MappedFrame | None:
    """Return how a client hears of a mapped image."""
    if image is None:
        return None
    return MappedFrame(
        frame=delivery.frame,
        key=delivery.key.hex(),
        buffer=image.buffer,
        offset=image.offset,
        width=image.width,
        height=image.height,
        channels=image.channels,
        pixel_type=PixelType(image.pixel_type),
        x=image.x,
        y=image.y,
    )


def as_image(given: MappedFrame) -> MappedImage:
    """Return where a host's pixels lie."""
    return MappedImage(
        buffer=given.buffer,
        offset=given.offset,
        width=given.width,
        height=given.height,
        channels=given.channels,
        pixel_type=given.pixel_type.value,
        x=given.x,
        y=given.y,
    )
