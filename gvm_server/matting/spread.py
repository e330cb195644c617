"""How far an engine blurs its alphas, measured on a clip without a truth.

What an alpha has of fine structure, the plate's colours explain; and they explain most of it when
they are blurred as the engine blurred the alpha. The spread that leaves the least unexplained, over
all frames, is the engine's. On drawn truths it is right to within a step where the plate is clean;
grain makes it read too small.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from gvm_client.errors import ErrorCode, InputError
from gvm_client.windows import Window, windows_for
from gvm_server.matting.edges.fit import fit, flat, high_pass, spread_out
from gvm_server.matting.edges.guide import Guide
from gvm_server.matting.edges.near import around, near_band
from gvm_server.matting.engines.backoff import decode_halo
from gvm_server.matting.engines.base import Engine, Image
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.preprocess import preprocess
from gvm_server.matting.refine import GRAIN
from gvm_server.matting.stage_timer import StageTimer
from gvm_server.media.pixels import as_float, as_half

SPREADS = (0.0, 0.35, 0.5, 0.6, 0.7, 0.85, 1.0)  # working pixels
CLEAN = 0.01  # grain above it, in display values, is too much to measure by


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What a clip says.

    Attributes:
        unexplained: the share of the alphas' fine structure that is left, 0..1, by spread.
        grain: the frames' median, in display values.
    """

    unexplained: Mapping[float, float]
    grain: float

    @property
    def spread(self) -> float:
        """The one that leaves the least."""
        return min(self.unexplained, key=self.unexplained.__getitem__)

    @property
    def is_clean(self) -> bool:
        """Whether the plate's grain leaves the measure trustworthy."""
        return self.grain <= CLEAN


def sampled(spec: JobSpec, count: int) -> tuple[Window, ...]:
    """Return so many windows of a clip, evenly spread over it; all where it has fewer."""
    windows = tuple(windows_for(spec.plan, range(spec.plan.first, spec.plan.last + 1)))
    places = np.linspace(0, len(windows) - 1, min(count, len(windows)))
    return tuple(windows[int(place)] for place in places)


def measure(spec: JobSpec, engine: Engine, windows: Iterable[Window]) -> Measured:
    """Run an engine on windows of a clip and measure its spread.

    Raises:
        InputError: a frame cannot be read, the plate is not larger than the working size, or
            nothing in these windows has an edge.
        EngineError: the engine failed.
    """
    working = spec.working
    if spec.canvas.height <= working.height or spec.canvas.width <= working.width:
        raise InputError(
            f"The plate, {spec.canvas.width} x {spec.canvas.height} pixels, is not larger than"
            f" the model's frame, {working.width} x {working.height}: it shows no blur.",
            remedy="Take a larger plate, or a smaller --size and --max-resolution.",
            code=ErrorCode.BAD_REQUEST,
            path=spec.plate.name,
        )
    pairs = (pair for window in windows for pair in _made(spec, engine, window))
    measured = measured_on(pairs)
    if not any(measured.unexplained.values()):
        raise InputError(
            f"The alphas of {spec.plate.name} have no edge in the frames that were looked at.",
            remedy="Take a clip with a subject, or more --windows.",
            code=ErrorCode.BAD_REQUEST,
            path=spec.plate.name,
        )
    return measured


def measured_on(pairs: Iterable[tuple[Image, Guide]]) -> Measured:
    """Return what alphas [h, w] and their plates say together."""
    rest, whole, grains = dict.fromkeys(SPREADS, 0.0), 0.0, []
    for alpha, guide in pairs:
        rough = high_pass(alpha)
        whole += _energy(rough)
        grains.append(guide.grain)
        height, width = alpha.shape
        still = flat(alpha)
        wide = around(still)
        small, plate = (near_band(wide, guide.size, side) for side in (height, guide.size[0]))
        colour = guide.averaged(height, width, plate, small)
        for spread in SPREADS:
            seen = spread_out(colour, spread)
            slopes = fit(alpha, seen, still, GRAIN * guide.grain**2, small).slopes
            rest[spread] += _energy(rough - (slopes * high_pass(seen)).sum(axis=2))
    return Measured(
        unexplained={spread: left / whole if whole else 0.0 for spread, left in rest.items()},
        grain=float(np.median(grains)) if grains else 0.0,
    )


def _made(spec: JobSpec, engine: Engine, window: Window) -> Iterator[tuple[Image, Guide]]:
    """Yield the alphas of one window with their plates."""
    settings = spec.window
    taken = [preprocess(spec, frame, StageTimer()) for frame in window.frames]
    latents = [engine.encode(frame.working) for frame in taken]
    latents = list(engine.denoise(latents, steps=settings.steps))
    alphas = engine.decode(latents, chunk=settings.chunk, halo=decode_halo(settings))
    halves = as_float(as_half(alphas))  # as the pipeline rounds them
    for alpha, frame in zip(halves, taken, strict=True):
        yield np.ascontiguousarray(spec.working.crop(alpha)), frame.guide


def _energy(image: Image) -> float:
    return float(np.square(image, dtype=np.float64).sum())
