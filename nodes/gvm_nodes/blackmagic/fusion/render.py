"""A composition's render with mattes: alphas first, then Fusion's own render or its queue.

Within the render range, the alphas that Loaders play are made again from their specs: what is
unchanged is only checked. Nothing is rendered before every matte is on disk, and no file is made
for two specs. Loaders whose files were made read them again before the render. A render has
succeeded when its last frame was rendered, not when Fusion stops.
"""

from __future__ import annotations

from collections.abc import Iterator

from gvm_client.errors import ErrorCode, InputError, JobCancelled, JobFailed
from gvm_client.settings import Priority
from gvm_nodes.blackmagic.alpha_spec import AlphaSpec, refuse_conflicts
from gvm_nodes.blackmagic.frontend import Frontend, announce_each
from gvm_nodes.blackmagic.fusion.composition import Composition, Fusion, Tool, loaders, render_range
from gvm_nodes.blackmagic.fusion.loaders import loader_clip, reload_files, spec_of, within_times
from gvm_nodes.core.clips import FrameRange, newest_time

LOOK_SECONDS = 0.1  # often: a short render's frames are what tells that it is not the last one's
QUIET = 1 << 19  # no word of Fusion's at the end of a render
_IDLE_LOOKS = 20  # a render may take a moment to begin


def render(comp: Composition, frontend: Frontend) -> str:
    """Make the mattes of the render range, then render it, and return the sentence for its end.

    Raises:
        GvmError: a matte failed (nothing is rendered), or the render failed or was cancelled.
    """
    reload_files(comp, update_alphas(comp, frontend))
    span, before = render_range(comp), _last_rendered(comp)
    if not comp.Render(
        {"Start": span.first, "End": span.last, "Wait": False, "RenderFlags": QUIET}
    ):
        raise JobFailed(
            "Fusion does not start rendering.",
            remedy="Look at Fusion's console, and that a Saver is switched on; the mattes are"
            " finished.",
        )
    try:
        _wait_for_render(comp, span, before, frontend)
    except (JobCancelled, KeyboardInterrupt):
        comp.AbortRender()
        raise
    return f"Frames {span} are rendered."


def queue(fusion: Fusion, comp: Composition, frontend: Frontend) -> str:
    """Make the mattes of the render range, then queue the composition, and return a sentence.

    Raises:
        InputError: the composition is not saved, and the queue reads its file.
        GvmError: a matte failed (nothing is queued), or Fusion does not take the job.
    """
    path = str(comp.GetAttrs().get("COMPS_FileName") or "")
    if not path or comp.GetAttrs().get("COMPB_Modified"):
        raise InputError(
            "The composition is not saved, and the Render Manager renders its file.",
            remedy="Save it, then queue it.",
            code=ErrorCode.BAD_REQUEST,
            path=path,
        )
    update_alphas(comp, frontend)
    span = render_range(comp)
    if not fusion.QueueComp({"FileName": path, "Start": span.first, "End": span.last}):
        raise JobFailed(
            f"The Render Manager does not take {path}.",
            remedy="Open it once in Fusion (File, Render Manager); the mattes are finished.",
        )
    return f"{path}, frames {span}, is in the Render Manager; it says how the render goes."


def update_alphas(comp: Composition, frontend: Frontend) -> list[Tool]:
    """Make the alphas that the render range plays, and return the Loaders whose files are new.

    Raises:
        GvmError: a spec is damaged, two of them are of the same files, or a matte failed.
    """
    due = list(_alphas_in_range(comp))
    refuse_conflicts(spec for spec, _ in due)
    before = [_newest_file(spec, frames) for spec, (frames, _) in due]
    for spec, (frames, _) in announce_each(frontend, due):
        frontend.make(spec, str(frames), Priority.BATCH)
    return [
        loader
        for (spec, (frames, loader)), earlier in zip(due, before, strict=True)
        if _newest_file(spec, frames) != earlier
    ]


def _newest_file(spec: AlphaSpec, frames: FrameRange) -> float:
    return newest_time(spec.alphas, range(frames.first, frames.last + 1))


def _alphas_in_range(comp: Composition) -> Iterator[tuple[AlphaSpec, tuple[FrameRange, Tool]]]:
    for loader in loaders(comp):
        spec = spec_of(loader)
        if spec is None or loader.GetAttrs().get("TOOLB_PassThrough"):
            continue
        clip = within_times(loader_clip(comp, loader), render_range(comp))
        if clip is not None:
            yield spec, (clip.frames, loader)


def _wait_for_render(comp: Composition, span: FrameRange, before: int, frontend: Frontend) -> None:
    """Wait until a render has ended.

    Raises:
        JobFailed: it ended before its last frame.
        JobCancelled: the artist does not want it any more.
    """
    idle, last, has_moved = 0, before, span.first == span.last
    while idle < _IDLE_LOOKS:
        frontend.pause(LOOK_SECONDS)
        is_rendering = bool(comp.GetAttrs().get("COMPB_Rendering"))
        told, last = last, _last_rendered(comp)
        has_moved = has_moved or last != before
        if not is_rendering and has_moved and _is_complete(comp, span, last):
            return
        idle = 0 if is_rendering else idle + 1
        if is_rendering and last != told and span.first <= last <= span.last:
            _show_progress(frontend, span, last)
    raise JobFailed(
        f"Fusion stopped rendering {span}; its last frame was {last}."
        if has_moved
        else f"Fusion rendered no frame of {span}.",
        remedy="Look at Fusion's console, and render again; the mattes are finished.",
    )


def _is_complete(comp: Composition, span: FrameRange, last: int) -> bool:
    step = max(1, int(comp.GetAttrs().get("COMPI_RenderStep") or 1))
    return last > span.last - step


def _show_progress(frontend: Frontend, span: FrameRange, last: int) -> None:
    done, total = last - span.first + 1, span.last - span.first + 1
    frontend.say(f"Rendering: {100 * done // total} %, frame {last} of {span}.")


def _last_rendered(comp: Composition) -> int:
    return int(comp.GetAttrs().get("COMPN_LastFrameRendered") or 0)
