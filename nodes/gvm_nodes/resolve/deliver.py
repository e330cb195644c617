"""The Deliver queue with mattes: alphas first, then Resolve's own render, watched to its end.

Laws:
1. Of a job's range, the alpha clips that its timeline shows are made again from their recipes:
   what stands and is unchanged costs a look, what is missing or out of date is made.
2. Nothing is rendered before every matte stands.
3. Watching ends: with the job's own last word, or when Resolve renders no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from gvm_client.errors import ErrorCode, InputError, JobCancelled, JobFailed
from gvm_client.settings import Priority
from gvm_nodes.make import Make, Say
from gvm_nodes.resolve.mattes import recipe_of
from gvm_nodes.resolve.shots import gathered, of_timeline, seen_items, video_items

if TYPE_CHECKING:
    from fusionscript import Project, Timeline

LOOK_SECONDS = 1.0
_IDLE_LOOKS = 5  # a job may take a moment to begin

Pause = Callable[[float], None]


def deliver(
    project: Project, jobs: Sequence[str], make: Make, say: Say, *, pause: Pause = time.sleep
) -> None:
    """Make the mattes of the render jobs' ranges, then render the jobs and wait for them.

    Args:
        project: whose Deliver queue it is.
        jobs: the jobs' names; empty means all that are in the queue.
        make: makes alphas, and waits for them.
        say: hears the render's progress.
        pause: waits so many seconds between two looks.

    Raises:
        InputError: the queue is empty, or a job or its timeline is not there.
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
    for name in chosen:
        matte_job(project, queued[name], make)
    if not project.StartRendering(chosen):
        raise JobFailed(
            "Resolve does not start rendering.",
            remedy="Look at the Deliver page; the mattes are finished.",
        )
    try:
        for name in chosen:
            _watch(project, name, say, pause)
    except KeyboardInterrupt:
        project.StopRendering()
        raise


def matte_job(project: Project, job: Mapping[str, Any], make: Make) -> None:
    """Make the alphas that a render job's range shows.

    Raises:
        InputError: the job's timeline is not there.
        GvmError: a matte failed.
    """
    timeline = _timeline(project, str(job.get("TimelineName") or ""))
    span = None
    if job.get("MarkIn") is not None and job.get("MarkOut") is not None:
        span = of_timeline(timeline, int(job["MarkIn"]), int(job["MarkOut"]))
    alphas = [item for item in video_items(timeline) if _is_alpha(item.GetMediaPoolItem())]
    for shot in gathered(seen_items(alphas, span)):
        recipe = recipe_of(shot.item)
        if recipe:
            make(recipe, shot.range_text, Priority.BATCH)


def _is_alpha(item: Any) -> bool:  # noqa: ANN401 - Resolve gives None for titles, the stubs do not
    return bool(item) and recipe_of(item) is not None


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


def _watch(project: Project, name: str, say: Say, pause: Pause) -> None:
    """Wait until a render job has ended.

    Raises:
        JobFailed: it failed, or Resolve stopped rendering before its end.
        JobCancelled: it was cancelled.
    """
    idle = 0
    while idle < _IDLE_LOOKS:
        status = cast(dict[str, Any], project.GetRenderJobStatus(name) or {})
        word, percent = str(status.get("JobStatus", "")), status.get("CompletionPercentage", 0)
        say(f"Render job {name}: {word} {percent} %")
        if word == "Complete" or (percent == 100 and not project.IsRenderingInProgress()):
            return
        if word == "Failed":
            raise JobFailed(
                f"Render job {name} failed: {status.get('Error') or 'no reason given'}."
            )
        if word == "Cancelled":
            raise JobCancelled(f"Render job {name} was cancelled.")
        idle = 0 if project.IsRenderingInProgress() else idle + 1
        pause(LOOK_SECONDS)
    raise JobFailed(
        f"Resolve renders no more, and job {name} is at {percent} %.",
        remedy="Look at the Deliver page, and render the job again.",
    )


def _plain(jobs: object) -> list[dict[str, Any]]:
    """Return the queue; its dictionaries' keys are documented nowhere, and the stubs have none."""
    return cast(list[dict[str, Any]], jobs or [])
