"""From window alphas to a frame's file: cross-fade, refine to plate size, knobs, guides, EXR.

Outside a frame's data window the plate has no pixels, so there is nothing to matte: before the
knobs the alpha is 0 there, as far as the display window reaches, and the edge of a cropped plate is
an edge to grow and blur over. An alpha covers its frame's data window, and the display window too
where the knobs, or a holdout matte, may leave something there.

It runs on writer threads, behind the thread that owns the GPU.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gvm_client import __version__
from gvm_client.settings import Depth, MatteKnobs, Refine
from gvm_client.windows import Blend, windows_covering
from gvm_server.matting.engines.base import Image
from gvm_server.matting.guides import NO_GUIDES, GuideMattes
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.knobs import apply as apply_knobs
from gvm_server.matting.knobs import apply_to_half, reaches_out
from gvm_server.matting.layers import host_colours, layers_of
from gvm_server.matting.preprocess import PreprocessedFrame
from gvm_server.matting.refine import refine
from gvm_server.matting.region import ShotView, feathered, touched_sides
from gvm_server.matting.tiles import Closer, TilesOfFrame
from gvm_server.media.alphas.stamp import MAKER, PLATE_KEY, ROI, ROI_CUT, STAMP, Fingerprint
from gvm_server.media.geometry import Box, ClipGeometry, FrameHeader, on_display
from gvm_server.media.outputs.sinks import Alpha
from gvm_server.media.pixels import Pixels, StoredPixels, as_float, as_half, upscale

# The original program's cuts, in 8-bit steps: below the first is 0, above the second is 1.
_Pixels = TypeVar("_Pixels", NDArray[np.float16], NDArray[np.float32], StoredPixels)

REFERENCE_BLACK, REFERENCE_WHITE = 25 / 255, 240 / 255


def crossfade(shares: Sequence[tuple[Blend, Image]]) -> Image:
    """Fold one frame's window alphas into its alpha.

    Args:
        shares: what `gvm_client.windows.blends` gives for the frame, in its order, each with the
            alpha [h, w] that the share's window gave to the frame. The first share is 1/1.

    Returns:
        [h, w] float32, between the smallest and the largest of the alphas in every pixel.
    """
    alpha = np.zeros_like(shares[0][1])
    for share, of_window in shares:
        weight = np.float32(share.numerator / share.denominator)
        alpha += (of_window - alpha) * weight
    return alpha


@dataclass(frozen=True, kw_only=True, slots=True)
class NeutralAlpha:
    """A frame's alpha at plate size, before knobs and guides.

    Attributes:
        frame: the host's number.
        header: the plate's.
        pixels: [H, W] over the data window, 0..1; half, but float for the reference plan, which is
            there to be compared.
        roi_cut: the sides of its region that the matte touches inside the frame.
        plate: [H, W, 3] over the data window in the plate's own space, where layers need it.
    """

    frame: int
    header: FrameHeader
    pixels: StoredPixels
    roi_cut: str
    plate: Pixels | None = None


def brought_up(
    spec: JobSpec,
    alpha: Image,
    frame_in: PreprocessedFrame,
    tiles: Sequence[tuple[Blend, TilesOfFrame]] = (),
) -> NeutralAlpha:
    """Bring a working-size alpha [padded_height, padded_width] to the plate.

    Args:
        spec: the job's.
        alpha: of the frame.
        frame_in: the frame.
        tiles: of each window that covers the frame, its share and what its tiles say of the frame.
    """
    view, data = spec.shot_view(frame_in.frame), frame_in.header.data
    seen = view.working.crop(alpha)
    if spec.reference:
        pixels = cut_like_the_original(upscale(seen, *frame_in.guide.size))
    else:
        how = spec.refine_of(frame_in.frame)
        closer = None
        if how is Refine.TILES:
            joined = [(share, spec.tile_grid.joined(of, view.seen)) for share, of in tiles]
            closer = crossfaded(joined)
        pixels = refine(seen, frame_in.guide, how, spec.engine.spread, closer)
    roi_cut = " ".join(touched_sides(pixels, view, data))
    pixels = cut_out(feathered(pixels, view, spec.canvas), spec.canvas, data, known=data)
    return NeutralAlpha(
        frame=frame_in.frame,
        header=frame_in.header,
        pixels=pixels if spec.reference else as_half(pixels),
        roi_cut=roi_cut,
        plate=frame_in.plate,
    )


def finished(spec: JobSpec, made: Fingerprint, neutral: NeutralAlpha) -> Alpha:
    """Return a frame's alpha under the job's knobs and guides, and what its file says.

    Raises:
        InputError: a guide's frame cannot be read.
    """
    frame, data = neutral.frame, neutral.header.data
    halves = spec.sink.depth is Depth.HALF
    placed = on_display(neutral.pixels, data, spec.canvas)
    rest = spec.geometry, data, spec.knobs, spec.guides, frame
    pixels, window = in_window(placed, *rest, halves=halves)
    view = spec.shot_view(frame)
    return Alpha(
        frame=frame,
        fingerprint=made,
        pixels=pixels,
        header=replace(neutral.header, data=window),
        attributes={
            **_attributes(spec, frame, made),
            **_region_attributes(view, spec.geometry.display, neutral.roi_cut),
        },
    )


def with_layers(spec: JobSpec, alpha: Alpha, neutral: NeutralAlpha) -> Alpha:
    """Return a finished alpha with what its files, or its host, want beside it."""
    data, window, colour = neutral.header.data, alpha.header.data, spec.plate.colour

    def plate() -> Pixels:
        assert neutral.plate is not None  # noqa: S101 (it was kept for these layers)
        return colour.to_linear(neutral.plate)

    if spec.sink.way_back is not None and neutral.plate is not None:
        made = host_colours(
            spec.sink.content,
            alpha=as_float(alpha.pixels),
            plate=neutral.plate,
            linear=plate(),
            way_back=spec.sink.way_back,
            data=data.slices_in(window),
        )
        return replace(alpha, foreground=made)
    layers = layers_of(
        spec.sink.content,
        alpha=lambda: as_float(alpha.pixels),
        raw=lambda: as_float(on_display(neutral.pixels, data, window)),
        plate=plate,
        data=data.slices_in(window),
    )
    return replace(alpha, layers=layers, linear=colour.linear, chromaticities=colour.chromaticities)


def crossfaded(shares: Sequence[tuple[Blend, Closer]]) -> Closer:
    """Fold what the tiles of a frame's windows say of it, as `crossfade` folds their alphas."""
    totals = crossfade([(share, one.total) for share, one in shares])
    return Closer(total=totals, weights=crossfade([(share, one.weights) for share, one in shares]))


def cut_like_the_original(alpha: Image) -> Image:
    """Apply the original program's hard thresholds; a soft edge loses both its ends."""
    cut = np.where(alpha >= REFERENCE_WHITE, np.float32(1.0), alpha)
    return np.where(alpha <= REFERENCE_BLACK, np.float32(0.0), cut)


def in_window(  # noqa: PLR0913 (the clip, the knobs and the guides)
    pixels: StoredPixels,
    geometry: ClipGeometry,
    data: Box,
    knobs: MatteKnobs,
    guides: GuideMattes = NO_GUIDES,
    frame: int = 0,
    *,
    halves: bool = False,
) -> tuple[StoredPixels, Box]:
    """Return a canvas's alpha under knobs and guides over its file's window, and that window.

    Args:
        pixels: [canvas height, canvas width] in 0..1.
        geometry: the clip's.
        data: the frame's data window.
        knobs: what is done to it.
        guides: what forces it then.
        frame: the guides' frame.
        halves: whether it is kept as half: the same as is rounded when it is written.

    Raises:
        InputError: a guide's frame cannot be read.
    """
    whole = geometry.display.united(data)
    placed = cut_out(pixels, geometry.canvas, whole, known=data)
    shaped: StoredPixels
    if halves and placed.dtype == np.float16 and not guides.named:
        shaped = apply_to_half(placed.view(np.float16), knobs)
    else:
        shaped = guides.apply(apply_knobs(placed, knobs), whole, frame)
    if reaches_out(knobs) or guides.holdout is not None:
        return shaped, whole
    return cut_out(shaped, whole, data, known=data), data


def cut_out(pixels: _Pixels, canvas: Box, window: Box, *, known: Box) -> _Pixels:
    """Return the window of a canvas's pixels, 0 outside the known box; both lie in the canvas."""
    part: _Pixels = pixels[window.slices_in(canvas)]
    if known == window:
        return part if part.flags.c_contiguous else part.copy()
    whole: _Pixels = np.zeros((window.height, window.width), dtype=pixels.dtype)
    inside = known.slices_in(window)
    whole[inside] = part[inside]
    return whole


def _attributes(spec: JobSpec, frame: int, made: Fingerprint) -> Mapping[str, str]:
    """Return what the file says about how it was made."""
    windows = windows_covering(spec.plan, frame)
    return {
        STAMP: made.recipe.hex(),
        MAKER: made.maker,
        "gvm:engine": spec.engine.label + (" (preview)" if spec.engine.preview else ""),
        "gvm:revision": spec.engine.revision,
        "gvm:licence": spec.engine.licence.name,
        "gvm:settings": json.dumps(asdict(spec.window)),
        "gvm:knobs": json.dumps(asdict(spec.knobs)),
        **spec.guides.attributes,
        "gvm:windows": " ".join(f"{window.first}-{window.last}" for window in windows),
        PLATE_KEY: spec.plate.key(frame).hex(),
        "gvm:colourspace": spec.plate.colour.name,
        "Software": f"GVM Bridge {__version__}",
    }


def _region_attributes(view: ShotView, display: Box, roi_cut: str) -> Mapping[str, str]:
    """Return what the file says about its region; nothing where the whole frame is matted."""
    region = view.region
    if region is None:
        return {}
    x, y = region.x - display.x, region.y - display.y
    says = {ROI: f"{x},{y},{region.width},{region.height}", "gvm:roi-scale": f"{view.scale:g}"}
    return {**says, ROI_CUT: roi_cut} if roi_cut else says
