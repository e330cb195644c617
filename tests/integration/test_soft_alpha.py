"""Soft alpha survives, from what the engine gives to the file: no step is cut off on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gvm_client.guides import Guides
from gvm_client.regions import parse_regions
from gvm_client.settings import Depth, MatteKnobs, PlanKind, Refine
from gvm_server.matting.engines.base import EngineInfo, Image
from tests.support.mattes import write_matte
from tests.support.plates import read_alpha, write_plate
from tests.support.resources import FRAMES, WINDOW, open_resources, request_in
from tests.support.runs import run

WORKING, RATIO = 32, 4
WIDTH, HEIGHT = 1280, WORKING * RATIO
STEPS = 200


class Ramp:
    """An engine whose alpha is a ramp from left to right, whatever it sees."""

    def __init__(self, least: float, most: float) -> None:
        self._ends = least, most

    def encode(self, frame: Image) -> Image:
        """Return the ramp [h, w]."""
        _, height, width = frame.shape
        return np.linspace(*self._ends, width, dtype=np.float32)[None].repeat(height, axis=0)

    def denoise(self, latents: Sequence[Image], *, steps: int) -> Sequence[Image]:
        """Return them as they are."""
        return latents

    def decode(
        self, latents: Sequence[Image], *, chunk: int, halo: int, own: slice = slice(None)
    ) -> Image:
        """Return [T, h, w]."""
        return np.stack(latents)[own]

    def release(self) -> None:
        """Hold nothing."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """A folder with a plate of a moving disc on a texture, four times the working size."""
    folder = tmp_path_factory.mktemp("soft")
    write_plate(folder / "plate", FRAMES[:7], width=WIDTH, height=HEIGHT)
    return folder


def delivered(clip: Path, out: Path, ends: tuple[float, float], **changes: object) -> Image:
    """Return a frame on which two windows are cross-faded, as its file has it."""

    def ramp(info: EngineInfo) -> EngineInfo:
        return replace(info, load=lambda _: Ramp(*ends))

    depth = changes.pop("depth", Depth.HALF)
    with open_resources(out) as (resources, site):
        request = replace(request_in(clip), window=replace(WINDOW, max_resolution=4096))
        place = replace(request.output, path=str(out / "alphas"), depth=depth)
        done = run(
            replace(request, output=place, frames="2", **changes), resources, site, engine=ramp
        )
        assert done.failure is None, done.failure
    return read_alpha(out / "alphas" / "plate.0002.exr")


@pytest.mark.parametrize("depth", Depth)
@pytest.mark.parametrize("way", Refine)
@pytest.mark.parametrize("ends", [(0.0, 0.1), (0.9, 1.0)])
def test_a_soft_ramp_keeps_its_steps(clip, tmp_path, way, depth, ends):
    """Near 0 and near 1, in both kinds of file: 200 values, both ends, and no jump between."""
    alpha = delivered(clip, tmp_path, ends, depth=depth, knobs=MatteKnobs(refine=way.value))
    assert alpha.shape == (HEIGHT, WIDTH)
    assert len(np.unique(alpha)) >= STEPS
    assert alpha.min() < ends[0] + 0.002
    assert alpha.max() > ends[1] - 0.002
    means = alpha.mean(axis=0)
    assert np.abs(np.diff(means)).max() < 0.002, "it jumps"
    np.testing.assert_allclose(means, np.linspace(*ends, WIDTH), atol=2e-3)


@pytest.mark.parametrize("way", Refine)
def test_a_region_and_a_soft_guide_keep_them_too(clip, tmp_path, way):
    """Inside the one; and of three quarters of the range, where the other takes a quarter."""
    still = write_matte(tmp_path / "g.exr", np.full((HEIGHT, WIDTH), 0.25, np.float32))
    alpha = delivered(
        *(clip, tmp_path, (0.0, 0.1)),
        knobs=MatteKnobs(refine=way.value),
        guides=Guides(garbage=str(still)),
        regions=parse_regions(f"20,20,{WIDTH - 40},{HEIGHT - 40}"),
    )[20:-20, 20:-20]
    assert len(np.unique(alpha)) >= STEPS
    np.testing.assert_allclose(alpha.max(), 0.075, atol=4e-3)


def test_only_the_reference_plan_cuts(clip, tmp_path):
    """As the original does: below 25 of 255 is 0, above 240 is 1."""
    reference = replace(WINDOW, plan=PlanKind.REFERENCE, max_resolution=4096)
    assert not delivered(clip, tmp_path / "black", (0.0, 0.09), window=reference).any()
    assert (delivered(clip, tmp_path / "white", (0.95, 1.0), window=reference) == 1.0).all()
