"""The Deliver queue with mattes: alphas first, then Resolve's own render, watched to its end.

Within a job's range, the alpha clips that its timeline shows are made again from their specs: what
is unchanged is only checked. Nothing is rendered before every matte is on disk, and no file is made
for two specs. Items without media, which may hide an alpha clip, are counted at the end.

How a job ended is read from its numbers: its status is a word in the language of Resolve's
interface, for people only. Watching ends with the job, or when Resolve renders no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from gvm_client.errors import ErrorCode, InputError, JobCancelled, JobFailed
from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import AlphaSpec, refuse_conflicts
from gvm_nodes.blackmagic.frontend import Frontend, announce_each
from gvm_nodes.blackmagic.resolve.media_pool import spec_of
from gvm_nodes.blackmagic.resolve.shots import (
    seen_items,
    shots_of_media,
    video_items,
    without_media,
)
from gvm_nodes.core.clips import FrameRange

if TYPE_CHECKING:
    from fusionscript import Project, Timeline

LOOK_SECONDS = 1.0
_IDLE_LOOKS = 5  # a job may take a moment to begin
_WHOLE = 100  # percent

Status = Mapping[str, Any]
"""One look at a render job: JobStatus, CompletionPercentage, and at its end Error or
TimeTakenToRenderInMs."""


def deliver(project: Project, jobs: Sequence[str], frontend: Frontend) -> str:
    """Make the mattes of the render jobs' ranges, then render the jobs, and say how it ended.

    Args:
        project: whose Deliver queue it is.
        jobs: the jobs' names; empty means all that are in the queue.
        frontend: makes alphas, and waits.

    Raises:
        InputError: the queue is empty, or a job or its timeline is not there.
        SettingsError: two specs are of the same files.
        GvmError: a matte failed (nothing is rendered), or a render job failed or was cancelled.
    """
    queued = {str(job.get("JobId")): job for job in _plain(project.GetRenderJobList())}
    chosen = list(jobs) or list(queued)
    if not chosen or not queued.keys() >= set(chosen):
        lost = ", ".join(name for name in chosen if name not in queued)
        raise InputError(
            f"The render queue has no job {lost}." if lost else "The render queue is empty.",
            remedy="Add the job on the Deliver page.",
            code=ErrorCode.UNKNOWN_JOB,
        )
    due = [clip for name in chosen for clip in shown_alphas(project, queued[name])]
    refuse_conflicts(spec for spec, _ in due)  # of several jobs
    ranges = (_range(project, queued[name]) for name in chosen)
    notes = dict.fromkeys(note for shown in ranges if (note := without_media(*shown)))
    for spec, frames in announce_each(frontend, due):
        frontend.make(spec, frames, Priority.BATCH)
    before = {name: _status(project, name) for name in chosen}
    if not project.StartRendering(chosen):
        raise JobFailed(
            "Resolve does not start rendering.",
            remedy="Look at the Deliver page; the mattes are finished.",
        )
    try:
        for number, name in enumerate(chosen, 1):
            _wait_for_job(
                project, name, before[name], f"Render job {number} of {len(chosen)}", frontend
            )
    except (JobCancelled, KeyboardInterrupt):
        project.StopRendering()
        raise
    end = "The render job is complete." if len(chosen) == 1 else "Every render job is complete."
    return " ".join([end, *notes])


def shown_alphas(project: Project, job: Mapping[str, Any]) -> list[tuple[AlphaSpec, str]]:
    """Return the specs of the alphas that a render job's range shows, and which frames of each.

    Raises:
        InputError: the job's timeline is not there.
        SettingsError: a spec is damaged, or two of them are of the same files.
    """
    timeline, span = _range(project, job)
    alphas = [item for item in video_items(timeline) if _is_alpha(item.GetMediaPoolItem())]
    seen = list(seen_items(timeline, alphas, span))
    refuse_conflicts(
        spec for item, _, _ in seen if (spec := spec_of(item))
    )  # one shot is several items
    shots = shots_of_media(seen)
    return [(spec, shot.range_text) for shot in shots if (spec := spec_of(shot.item))]


def _range(project: Project, job: Mapping[str, Any]) -> tuple[Timeline, FrameRange | None]:
    """Return a render job's timeline, and what of it is rendered; None is all of it."""
    timeline = _timeline(project, str(job.get("TimelineName") or ""))
    if job.get("MarkIn") is None or job.get("MarkOut") is None:
        return timeline, None
    return timeline, FrameRange(first=int(job["MarkIn"]), last=int(job["MarkOut"]))


def _is_alpha(item: Any) -> bool:  # noqa: ANN401 - Resolve gives None for titles, the stubs do not
    return bool(item) and spec_of(item) is not None


def _timeline(project: Project, name: str) -> Timeline:
    for index in range(1, project.GetTimelineCount() + 1):
        timeline = project.GetTimelineByIndex(index)
        if timeline.GetName() == name:
            return timeline
    raise InputError(
        f"The project has no timeline {name!r}, which a render job names.",
        remedy="Add the job to the render queue again.",
        code=ErrorCode.RANGE_OUTSIDE,
    )


def _wait_for_job(
    project: Project, name: str, before: Status, place: str, frontend: Frontend
) -> None:
    """Wait until a render job has ended.

    Args:
        project: whose job it is.
        name: the job's.
        before: what was seen of it before rendering began; that may be an earlier render's end.
        place: which of how many it is.
        frontend: waits.

    Raises:
        JobFailed: it failed, or Resolve stopped rendering before its end.
        JobCancelled: the artist does not want it any more.
    """
    idle = 0
    while True:
        is_rendering, status = project.IsRenderingInProgress(), _status(project, name)
        idle = 0 if is_rendering else idle + 1
        percent = status.get("CompletionPercentage", 0)
        frontend.say(f"{place}: {status.get('JobStatus', '')} {percent} %")
        if status != before or idle > _IDLE_LOOKS:
            if error := status.get("Error"):
                raise JobFailed(f"{place} failed: {error}", remedy="Look at the Deliver page.")
            if "TimeTakenToRenderInMs" in status or (percent == _WHOLE and not is_rendering):
                return
        if idle > _IDLE_LOOKS:
            raise JobFailed(
                f"Resolve renders no more, and {place[0].lower()}{place[1:]} is at {percent} %.",
                remedy="Look at the Deliver page, and render the job again.",
            )
        frontend.pause(LOOK_SECONDS)


def _status(project: Project, name: str) -> Status:
    return cast(dict[str, Any], project.GetRenderJobStatus(name) or {})


def _plain(jobs: object) -> list[dict[str, Any]]:
    """Return the queue; its dictionaries' keys are documented nowhere, and the stubs have none."""
    return cast(list[dict[str, Any]], jobs or [])
