"""Guides on a finished alpha: a garbage matte forces 0, then a holdout matte forces 1.

- As Porter and Duff (1984): the alpha is held out by the garbage matte (`out`), and the holdout
  matte is laid over what is left (`over`). Where a guide is 1 the result is 0, or 1, to the bit;
  where it is 0 the alpha stays as it was, to the bit.
- They come after every knob, so nothing moves a forced pixel any more.
- A guide's feather goes outward: what is 1 stays 1, and around it the guide falls smoothly to 0
  within the feather's length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from gvm_client.guides import Guides
from gvm_client.settings import MatteKnobs
from gvm_server.matting.engines.base import Image
from gvm_server.matting.knobs import apply as apply_knobs
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Box, ClipGeometry
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.guide import GuideClip, open_guide

_TAIL = 4.0  # sigmas that a blur of floats reaches (OpenCV's `getGaussianKernel`)


@dataclass(frozen=True, kw_only=True, slots=True)
class GuideMattes:
    """The guides of a job.

    Attributes:
        garbage: forces 0; None where there is none.
        holdout: forces 1; None where there is none.
        feather: plate pixels over which they fade.
    """

    garbage: GuideClip | None = None
    holdout: GuideClip | None = None
    feather: float = 0.0

    @property
    def named(self) -> tuple[tuple[str, GuideClip], ...]:
        """The guides that there are, with their names, in the order in which they are applied."""
        clips = ("garbage", self.garbage), ("holdout", self.holdout)
        return tuple((name, clip) for name, clip in clips if clip is not None)

    def check(self, frames: tuple[int, ...]) -> tuple[str, ...]:
        """Prove that the frames can be had; return what stands in for others, in sentences.

        Raises:
            InputError: frames are missing and nothing may stand in, or one has another size.
        """
        return tuple(says for _, clip in self.named for says in clip.check(frames))

    def look_ahead(self, frames: Sequence[int]) -> None:
        """Say that the keys of these frames come next.

        Raises:
            InputError: a guide lacks one of them, or its disk does not answer.
        """
        for _, clip in self.named:
            clip.look_ahead(frames)

    def key_parts(self, frame: int) -> Iterator[str | bytes | float]:
        """Yield what of the guides decides a frame's alpha; nothing where there are none.

        Raises:
            InputError: a guide lacks the frame.
        """
        for name, clip in self.named:
            yield from (name, clip.key(frame), self.feather)

    def apply(self, alpha: Image, window: Box, frame: int) -> Image:
        """Return an alpha [H, W] over a window with the guides of a frame; the input stays.

        Raises:
            InputError: a guide lacks the frame, or it cannot be read.
        """
        for name, clip in self.named:
            guide = _over(clip, frame, window, self.feather)
            if guide is None:
                continue
            kept = alpha * (np.float32(1.0) - guide)
            alpha = kept if name == "garbage" else np.minimum(kept + guide, np.float32(1.0))
        return alpha

    @property
    def notes(self) -> tuple[str, ...]:
        """What the artist should know of them, in whole sentences."""
        return tuple(note for _, clip in self.named for note in clip.notes)

    @property
    def attributes(self) -> dict[str, str]:
        """What an alpha's file says of them."""
        said = {f"gvm:{name}": clip.name for name, clip in self.named}
        return {**said, "gvm:guide_feather": f"{self.feather:g}"} if said else {}

    def close(self) -> None:
        """Give files and decoders back."""
        for _, clip in self.named:
            clip.close()


NO_GUIDES = GuideMattes()


def open_guides(
    asked: Guides, options: PlateOptions, onto: ClipGeometry, *, roots: Roots
) -> GuideMattes:
    """Open a job's guides.

    Args:
        asked: where they are, and their feather.
        options: how they are read; the path is theirs.
        onto: the plate's geometry.
        roots: where they may lie.

    Raises:
        InputError: one is not there, unreadable, of another shape, or lies outside the roots.
    """
    clips: dict[str, GuideClip] = {}
    with ExitStack() as failed:
        for name, path in asked.paths.items():
            if path:
                clips[name] = open_guide(replace(options, path=path), name, onto, roots=roots)
                failed.callback(clips[name].close)
        failed.pop_all()
    return GuideMattes(
        garbage=clips.get("garbage"), holdout=clips.get("holdout"), feather=asked.guide_feather
    )


def _over(clip: GuideClip, frame: int, window: Box, length: float) -> Image | None:
    """Return a guide with its feather over a window; None where it is black."""
    laid = clip.read(frame)
    if laid is None:
        return None
    if length == 0.0:
        return laid.over(window)
    # What lies beyond the window fades into it; beyond the guide's own border there is no edge.
    reach = ceil(length)
    near = Box(
        x=window.x - reach,
        y=window.y - reach,
        width=window.width + 2 * reach,
        height=window.height + 2 * reach,
    )
    seen = window.united(laid.box).common(near)
    return feathered(laid.over(seen), length)[window.slices_in(seen)]


def feathered(guide: Image, length: float) -> Image:
    """Return a guide [H, W] that fades to 0 over `length` pixels around what it holds.

    It is grown by half the length and blurred by a Gaussian that reaches the other half, so it is
    smooth in value and slope; nowhere is it less than it was.
    """
    near = _near_edges(guide, ceil(length))
    if near is None:
        return guide
    knobs = MatteKnobs(grow=length / 2, blur=length / 2 / _TAIL)
    faded = guide.copy()
    np.maximum(apply_knobs(np.ascontiguousarray(guide[near]), knobs), guide[near], out=faded[near])
    return faded


def _near_edges(guide: Image, reach: int) -> tuple[slice, slice] | None:
    """Return the rows and columns that have every pixel within `reach` of an edge; None for none.

    Elsewhere a feather of that length changes nothing, and at 4K it takes most of a frame's time.
    """
    edges = np.zeros(guide.shape, dtype=np.bool_)
    np.not_equal(guide[1:], guide[:-1], out=edges[1:])
    edges[:, 1:] |= guide[:, 1:] != guide[:, :-1]
    rows, columns = np.flatnonzero(edges.any(axis=1)), np.flatnonzero(edges.any(axis=0))
    if not rows.size:
        return None
    return (
        slice(max(rows[0] - 1 - reach, 0), rows[-1] + 1 + reach),
        slice(max(columns[0] - 1 - reach, 0), columns[-1] + 1 + reach),
    )
