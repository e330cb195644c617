"""`gvm metrics`: how far a matte is from the truth."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from gvm_client.errors import ErrorCode, InputError
from gvm_client.frames import abbreviated_frames, format_frames, parse_frames
from gvm_client.process import Exit
from gvm_client.text import counted
from gvm_server.cli.matte.display import PLAIN_SECONDS
from gvm_server.cli.matte.request import absolute
from gvm_server.cli.terminal import as_json
from gvm_server.measure.clips import MatteClip, open_matte, open_trimap, unknown_in
from gvm_server.measure.meter import BANDS, METRICS, Meter
from gvm_server.measure.still import Mask, Matte


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What was measured.

    Attributes:
        pred: the matte's name.
        truth: the truth's.
        frames: those measured, ascending.
        figures: by the keys of METRICS; None where no frame has a value.
        band: what the unknown band is, in words.
        notes: what a person should know, in whole sentences.
    """

    pred: str
    truth: str
    frames: tuple[int, ...]
    figures: dict[str, float | None]
    band: str
    notes: tuple[str, ...]


def run(parsed: argparse.Namespace) -> int:
    """Measure PRED by TRUTH, print the figures, exit DONE.

    Raises:
        SettingsError: the frames are no range.
        InputError: a frame is missing or unreadable, or of another size.
    """
    with ExitStack() as files:
        pred = open_matte(absolute(parsed.pred), layer=parsed.layer)
        files.callback(pred.close)
        truth = open_matte(absolute(parsed.truth), layer=parsed.truth_layer, option="--truth-layer")
        files.callback(truth.close)
        trimap = open_trimap(absolute(parsed.trimap)) if parsed.trimap else None
        if trimap:
            files.callback(trimap.close)
        alone = pred.still and truth.still  # two images are one frame, however they are numbered
        offset = truth.frames[0] - pred.frames[0] if alone else parsed.offset
        report = measure(pred.renumbered(offset), truth, trimap, parsed.frames)
    (_print_json if parsed.json else _print_text)(report)
    return Exit.DONE


def measure(
    pred: MatteClip, truth: MatteClip, trimap: MatteClip | None, wanted: str | None
) -> Report:
    """Measure the frames that a range names, else all of the truth's.

    Raises:
        SettingsError: `wanted` is no range.
        InputError: a frame is missing or unreadable, or of another size.
    """
    frames, notes = frames_to_measure(pred, truth, wanted)
    meter, opaque = Meter(), True
    for frame in _told(frames):
        matte, true = pred.read(frame), truth.read(frame)
        _require_size(frame, pred.name, matte, truth.name, true)
        mask = unknown_in(trimap, frame) if trimap else None
        if trimap and mask is not None:
            _require_size(frame, trimap.name, mask, truth.name, true)
        opaque = opaque and bool((matte == 1).all())
        meter.add(frame, matte, true, mask)
    if opaque:
        notes += (f"{pred.name} is 1 everywhere; is its matte another channel? See --layer.",)
    return Report(
        pred=pred.name,
        truth=truth.name,
        frames=frames,
        figures=meter.figures(),
        band=BANDS[trimap is not None],
        notes=(*pred.notes, *truth.notes, *notes),
    )


def frames_to_measure(
    pred: MatteClip, truth: MatteClip, wanted: str | None
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the frames to measure, ascending, and what is to be said of those left out.

    They are the truth's, or those that a range names: the matte must have each.

    Raises:
        SettingsError: `wanted` is no range.
        InputError: PLATE_MISSING: the matte or the truth lacks one.
    """
    asked = truth.frames if wanted is None else tuple(sorted(parse_frames(wanted)))
    if not set(asked) & set(pred.frames):
        offset = pred.offset + asked[0] - pred.frames[0]
        raise InputError(
            f"The matte {pred.name} has none of the frames {abbreviated_frames(asked)}; it has"
            f" {abbreviated_frames(pred.frames)}.",
            remedy="Frames are matched by their numbers (a movie's count from 1): shift the"
            f" matte's with --offset, such as --offset {offset}.",
            code=ErrorCode.PLATE_MISSING,
            path=pred.name,
        )
    for what, clip in (("matte", pred), ("truth", truth)):
        if lacking := sorted(set(asked) - set(clip.frames)):
            common = format_frames(set(pred.frames) & set(truth.frames) & set(asked))
            raise InputError(
                f"The {what} {clip.name} has no frame {abbreviated_frames(lacking)}.",
                remedy=f"Make them, or measure those of both with --frames {common or '...'}.",
                code=ErrorCode.PLATE_MISSING,
                path=clip.name,
            )
    if wanted is None and (more := set(pred.frames) - set(asked)):
        return asked, (f"Not measured, for there is no truth: {abbreviated_frames(more)}.",)
    return asked, ()


def _require_size(frame: int, name: str, made: Matte | Mask, of: str, true: Matte) -> None:
    if made.shape != true.shape:
        (height, width), (true_height, true_width) = made.shape, true.shape
        raise InputError(
            f"Frame {frame} of {name} is {width}x{height}, that of {of} is"
            f" {true_width}x{true_height}.",
            remedy="Bring them to one size first; figures of unlike sizes do not compare.",
            code=ErrorCode.PLATE_MISMATCH,
            frame=frame,
            path=name,
        )


def _told(frames: Sequence[int]) -> Iterator[int]:
    """Yield the frames, saying now and then on standard error how far it is."""
    said_at = time.monotonic()
    for count, frame in enumerate(frames):
        yield frame
        if time.monotonic() - said_at >= PLAIN_SECONDS:
            said_at = time.monotonic()
            print(f"{count + 1}/{counted(len(frames), 'frame')} measured.", file=sys.stderr)


def _print_text(report: Report) -> None:
    for note in report.notes:
        print(note, file=sys.stderr)
    print(f"{counted(len(report.frames), 'frame')}: {abbreviated_frames(report.frames)}")
    for key, metric in METRICS.items():
        value = report.figures[key]
        print(f"{metric.name:12}{'-' if value is None else f'{value:.4f}':>12}  {metric.variant}")
    print(f"The unknown band is {report.band}.")


def _print_json(report: Report) -> None:
    metrics = {
        key: {"name": metric.name, "variant": metric.variant, "value": report.figures[key]}
        for key, metric in METRICS.items()
    }
    said = {
        "pred": report.pred,
        "truth": report.truth,
        "frames": format_frames(report.frames),
        "count": len(report.frames),
        "unknown_band": report.band,
        "metrics": metrics,
        "notes": report.notes,
    }
    print(as_json(said))
