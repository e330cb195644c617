"""What of a job stands already, and what is to be made: looked up before any work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from gvm_client.errors import ErrorCode, InputError
from gvm_client.frames import abbreviated_frames
from gvm_client.text import ARE, LIES, WERE, counted
from gvm_client.windows import Window, needs, seen_by, windows_covering, windows_for
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.keys import JobKeys
from gvm_server.matting.neutral import NeutralAlphas
from gvm_server.media.alphas.stamp import ROI_CUT, Fingerprint, read_text
from gvm_server.media.plates.base import AT_A_TIME
from gvm_server.media.store.cache import DiskCache

_MOST_NAMED = 5  # files in a sentence

_NONE: Mapping[int, Fingerprint] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheLookup:
    """What of a job stands already.

    Attributes:
        keys: the job's.
        kept: frames whose finished alpha stands where it was asked for.
        cached: fingerprints of frames whose finished alpha lies in the cache.
        neutral: fingerprints of frames whose alpha before knobs and guides lies there.
        to_make: fingerprints of the other frames.
        windows: the windows that the frames to make need, the playhead's first.
        windows_cached: those of them that lie in the cache.
        notes: what the artist should know of what stands, in whole sentences.
        roi_cuts: the kept frames whose subject is cut at its region, and on which sides.
    """

    keys: JobKeys
    kept: tuple[int, ...]
    cached: Mapping[int, Fingerprint]
    neutral: Mapping[int, Fingerprint]
    to_make: Mapping[int, Fingerprint]
    windows: tuple[Window, ...]
    windows_cached: frozenset[Window]
    notes: tuple[str, ...] = ()
    roi_cuts: Mapping[int, str] = field(default_factory=dict)


def look_up(
    spec: JobSpec,
    cache: DiskCache,
    check_ending: Callable[[], None] = lambda: None,
    lost: Mapping[int, Fingerprint] = _NONE,
) -> CacheLookup:
    """Look up what stands, and check that it is whole; no pixels are decoded.

    Args:
        spec: what is asked for.
        cache: what was made before.
        check_ending: called between frames; raises where the job is to end.
        lost: alphas that the job found in the cache and could not take from there: they are made,
            whatever lies in the cache now.

    Raises:
        InputError: a plate changed since an alpha was lost.
        InputError: a frame lies outside the clip, plate frames are missing (all are named), or one
            that is needed has no readable header, or another format than the clip; so of a guide.
    """
    _check_plate(spec)
    stand_ins = spec.guides.check(spec.frames)
    keys = JobKeys(spec)
    found = _sort(spec, keys, cache, check_ending, lost)
    return CacheLookup(
        keys=keys,
        kept=tuple(found.kept),
        roi_cuts=found.roi_cuts,
        cached=found.cached,
        neutral=found.neutral,
        to_make=found.to_make,
        windows=tuple(_in_order_of_service(spec, found)),
        windows_cached=frozenset(one for one, cached in found.windows.items() if cached),
        notes=(
            *stand_ins,
            *_of_other_makers(found.kept, keys.maker),
            *_of_outdated(found.outdated),
            *of_damage(len(found.damaged), "finished frame", found.damaged),
            *of_damage(len(found.damaged_in_cache), "cached alpha", found.damaged_in_cache),
        ),
    )


@dataclass(kw_only=True, slots=True)
class _Sorted:
    """A job's frames by where their alphas stand, ascending; and those that were not whole."""

    kept: dict[int, str] = field(default_factory=dict)
    roi_cuts: dict[int, str] = field(default_factory=dict)
    cached: dict[int, Fingerprint] = field(default_factory=dict)
    neutral: dict[int, Fingerprint] = field(default_factory=dict)
    to_make: dict[int, Fingerprint] = field(default_factory=dict)
    windows: dict[Window, bool] = field(default_factory=dict)  # of these; whether each is cached
    damaged: list[int] = field(default_factory=list)
    damaged_in_cache: list[int] = field(default_factory=list)
    outdated: list[Path] = field(default_factory=list)


def _sort(
    spec: JobSpec,
    keys: JobKeys,
    cache: DiskCache,
    check_ending: Callable[[], None],
    lost: Mapping[int, Fingerprint],
) -> _Sorted:
    """Sort the frames by the nearest place where an alpha stands: output, cache, before knobs."""
    found = _Sorted()
    before_knobs = NeutralAlphas(spec, keys, cache)
    for frame in _in_turn(spec, sorted(spec.frames)):
        check_ending()
        wanted = keys.alpha(frame)
        if lost.get(frame, wanted) != wanted:
            raise _changed(spec, frame)
        found.outdated += spec.sink.outdated(frame, wanted)
        standing = spec.sink.standing(frame, wanted)
        if standing.damaged:
            found.damaged.append(frame)
        if standing.kept:
            found.kept[frame] = standing.maker
            if standing.path is not None:
                found.roi_cuts[frame] = roi_cut_of(spec, frame, standing.path)
        elif frame not in lost and cached_files(
            spec, cache, wanted, partial(found.damaged_in_cache.append, frame)
        ):
            found.cached[frame] = wanted
        elif frame not in lost and before_knobs.has(frame, spec.sink.fingerprints(wanted)):
            found.neutral[frame] = wanted
        else:
            found.to_make[frame] = wanted
            for window in windows_covering(spec.plan, frame):
                if window not in found.windows:
                    found.windows[window] = cache.has_window(keys.window(window))
    return found


def _in_turn(spec: JobSpec, frames: Sequence[int]) -> Iterator[int]:
    """Yield the frames; some at a time, and what is seen at either end, are looked at before."""
    for at in range(0, len(frames), AT_A_TIME):
        some = frames[at : at + AT_A_TIME]
        ends = (needs(spec.plan, end).frames for end in (some[0], some[-1]))
        spec.plate.look_ahead(sorted({*some, *chain.from_iterable(ends)}))
        spec.guides.look_ahead(some)
        yield from some


def cached_files(
    spec: JobSpec, cache: DiskCache, wanted: Fingerprint, on_damage: Callable[[], None]
) -> tuple[Path, ...]:
    """Return a finished frame's files in the cache, proven; none where one of them is not there.

    Args:
        spec: of the job.
        cache: where they may lie.
        wanted: the alpha's fingerprint.
        on_damage: called for each that lay there and was not whole.
    """
    paths = [cache.alpha(made, on_damage) for made in spec.sink.fingerprints(wanted)]
    found = tuple(path for path in paths if path is not None)
    return found if len(found) == len(paths) else ()


def roi_cut_of(spec: JobSpec, frame: int, path: Path) -> str:
    """Return on which sides of its region a finished alpha's file says that its subject is cut."""
    return "" if spec.shot_view(frame).region is None else read_text(path, ROI_CUT)


def _of_other_makers(kept: Mapping[int, str], here: str) -> tuple[str, ...]:
    others: dict[str, list[int]] = {}
    for frame, maker in kept.items():
        if maker != here:
            others.setdefault(maker, []).append(frame)
    return tuple(
        f"{counted(len(frames), 'finished frame', ARE)} kept that another maker made"
        f" ({abbreviated_frames(frames)}):"
        f" by {_difference(maker, here)}, here {_difference(here, maker)}. --same-maker makes them"
        f" again."
        for maker, frames in others.items()
    )


def _of_outdated(files: Sequence[Path]) -> tuple[str, ...]:
    """Return the sentence for layers' files that no longer belong to the alphas beside them."""
    if not files:
        return ()
    named = ", ".join(path.name for path in files[:_MOST_NAMED])
    more = f" and {len(files) - _MOST_NAMED} more" if len(files) > _MOST_NAMED else ""
    says = (
        f"{counted(len(files), 'file')} of an earlier choice of --channels stay in"
        f" {files[0].parent} and do not belong to these alphas: {named}{more}. Delete them, or ask"
        f" for their layers again."
    )
    return (says,)


def _difference(maker: str, other: str) -> str:
    """Return what of a maker's words the other one does not say."""
    said = [words for words in maker.split("; ") if words not in other.split("; ")]
    return f"({'; '.join(said) or 'nothing else'})"


def of_damage(count: int, what: str, frames: Iterable[int]) -> tuple[str, ...]:
    """Return the sentence for what was kept and is damaged; none where nothing is.

    Args:
        count: how many of them.
        what: one of them.
        frames: what they are of.
    """
    if not count:
        return ()
    return (f"{counted(count, what, WERE)} damaged and made again: {_named(frames)}.",)


def of_loss(frames: Collection[int]) -> tuple[str, ...]:
    """Return the sentence for alphas that were in the cache when the job began, and went away."""
    if not frames:
        return ()
    left, were = counted(len(frames), "alpha"), WERE[len(frames) != 1]
    return (f"{left} left the cache while the job ran and {were} made again: {_named(frames)}.",)


def _named(frames: Iterable[int]) -> str:
    named = sorted(set(frames))
    return f"{'frame' if len(named) == 1 else 'frames'} {abbreviated_frames(named)}"


def _changed(spec: JobSpec, frame: int) -> InputError:
    return InputError(
        f"Frame {frame} of {spec.plate.name}, or one that its windows see, changed while the job"
        f" ran: its alpha left the cache, and cannot be made again as it was.",
        remedy="Ask again when the plate is finished: what was made before the change is kept.",
        code=ErrorCode.PLATE_MISMATCH,
        frame=frame,
        path=spec.plate.name,
    )


def _check_plate(spec: JobSpec) -> None:
    plan = spec.plan
    outside = [frame for frame in spec.frames if not plan.first <= frame <= plan.last]
    if outside:
        raise InputError(
            f"{_named(outside).capitalize()} {LIES[len(set(outside)) > 1]} outside the clip"
            f" {plan.first}-{plan.last} of {spec.plate.name}.",
            remedy="Ask for frames of the clip, or set its extent with --first and --last.",
            code=ErrorCode.RANGE_OUTSIDE,
            frame=outside[0],
            path=spec.plate.name,
        )
    missing, left_out = set(spec.plate.missing()), set(spec.geometry.left_out)
    if not missing and not left_out:
        return
    seen = {
        frame for window in windows_for(plan, spec.frames) for frame in seen_by(plan, window).frames
    }
    for frame in sorted(left_out & seen):
        spec.plate.header(frame)  # says what is wrong with it, before an hour's work and not after
    if lost := sorted(missing & seen):
        raise InputError(
            f"{_named(lost).capitalize()} of {spec.plate.name} {ARE[len(lost) > 1]} missing;"
            f" the frames asked for need {'them' if len(lost) > 1 else 'it'}.",
            remedy="Render them, set the clip's extent with --first and --last, or let other"
            " frames stand in with --missing hold or --missing black.",
            code=ErrorCode.PLATE_MISSING,
            frame=lost[0],
            path=spec.plate.name,
        )


def _in_order_of_service(spec: JobSpec, found: _Sorted) -> Iterator[Window]:
    """Yield windows ascending, so that few frames wait for a second one; the playhead's first."""
    first: tuple[Window, ...] = ()
    if spec.playhead is not None and spec.playhead in found.to_make:
        first = windows_covering(spec.plan, spec.playhead)
        yield from first
    yield from (window for window in found.windows if window not in first)
