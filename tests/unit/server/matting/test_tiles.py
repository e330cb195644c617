"""Tiles: where they lie, which are looked at, how they are joined, and what is taken of them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.truth.measures import case, error
from benchmarks.truth.scenes import draw as draw_scene
from gvm_client.settings import MatteKnobs, Refine, WindowSettings
from gvm_client.windows import windows_covering
from gvm_server.matting.edges.near import Near, near_band
from gvm_server.matting.edges.sampling import average
from gvm_server.matting.engines.base import Image
from gvm_server.matting.job_spec import working_size_of
from gvm_server.matting.lookup import look_up
from gvm_server.matting.refine import refine
from gvm_server.matting.region import ShotView
from gvm_server.matting.tiles import Closer, TileGrid
from gvm_server.matting.working_size import padded
from gvm_server.media.geometry import Box, ClipGeometry
from gvm_server.media.store.cache import DiskCache
from tests.fakes.plate import DrawnPlate, MemorySink
from tests.support.bench import ENGINE, Bench, make_spec, open_bench

SPREAD = 0.35


def grid_of(width: int, height: int, size: int, *, x: int = 0, y: int = 0, aspect: float = 1.0):
    """Return the grid of a canvas whose model's frame is square, a multiple of 32."""
    canvas = Box(x=x, y=y, width=width, height=height)
    geometry = ClipGeometry(display=canvas, canvas=canvas, pixel_aspect=aspect)
    return TileGrid.of(geometry, padded(size, size, 32), 32)


sizes = st.integers(40, 700)


@given(sizes, sizes, st.sampled_from([32, 64, 96]), st.integers(-50, 50))
def test_tiles_cover_the_canvas_and_their_weights_are_whole(width, height, size, x):
    """Each pixel counts once, also where the last tiles are moved up; none is larger than asked."""
    grid = grid_of(width, height, size, x=x, y=-x)
    tiles = list(grid.within(grid.canvas))
    assert all(grid.canvas.holds(tile.box) for tile in tiles)
    assert {(t.size.padded_height, t.size.padded_width) for t in tiles} <= {
        (a, b) for a in range(32, size + 1, 32) for b in range(32, size + 1, 32)
    }
    ones = [(tile, np.ones((tile.size.padded_height, tile.size.padded_width))) for tile in tiles]
    joined = grid.joined(ones, grid.canvas)
    assert joined.weights.min() > 1 - 1e-6
    np.testing.assert_allclose(joined.total, joined.weights, atol=1e-6)
    other = np.zeros((height, width), np.float32)
    joined.over(other, everywhere(other))
    np.testing.assert_allclose(other, 1.0, atol=1e-6)


def test_a_tile_is_the_same_in_any_region_that_holds_it():
    """The grid is the canvas's: a region cuts those at its border alone."""
    grid = grid_of(400, 300, 64)
    whole = set(grid.within(grid.canvas))
    seen = Box(x=37, y=21, width=250, height=190)
    inside = {tile for tile in whole if seen.holds(tile.box)}
    assert len(inside) > 4
    assert inside <= set(grid.within(seen))


def test_tiles_are_those_with_an_edge_in_their_middle_in_any_frame():
    """None in a flat frame; where an edge runs in two frames, the tiles of both."""
    grid = grid_of(400, 300, 64)
    view = ShotView(first=1, seen=grid.canvas, working=padded(75, 100, 1))
    flat, left, right = np.zeros((3, 75, 100), np.float16)
    left[20:30, 10:15], right[20:30, 80:85] = 1.0, 0.4
    assert grid.with_edges(view, [flat, flat]) == ()
    alone = [set(grid.with_edges(view, [one])) for one in (left, right)]
    assert all(alone)
    assert set(grid.with_edges(view, [left, right])) == alone[0] | alone[1]
    assert all(tile.box.x < 100 for tile in alone[0])
    assert len(alone[0]) < len(list(grid.within(grid.canvas))) // 4


def test_tiles_join_without_a_seam_and_fade_where_there_are_none():
    """What one function makes of the whole plate is what its tiles make; nothing jumps."""
    grid = grid_of(300, 200, 64)
    y, x = np.mgrid[0:200, 0:300].astype(np.float32)
    whole = (0.5 + 0.5 * np.sin(x / 9) * np.cos(y / 7)).astype(np.float32)
    tiles = [
        (tile, tile.size.pad(whole[tile.box.slices_in(grid.canvas)][None])[0])
        for tile in grid.within(grid.canvas)
    ]
    made = 0 * whole
    grid.joined(tiles, grid.canvas).over(made, everywhere(made))
    np.testing.assert_allclose(made, whole, atol=1e-6)
    some = grid.joined(tiles[::3], grid.canvas)
    assert some.weights.min() == 0.0
    assert some.weights.max() > 1 - 1e-6
    steepest = 2 * 1.5 / 16  # two tiles' ramps of 16 pixels may fall at once
    for axis in (0, 1):
        assert np.abs(np.diff(some.weights, axis=axis)).max() < steepest
    made = whole.copy()
    some.over(made, everywhere(made))
    np.testing.assert_array_equal(made[some.weights == 0], whole[some.weights == 0])


def test_square_pixels_are_seen_of_an_anamorphic_plate():
    """A tile of pixels twice as wide as high is half as many of them wide."""
    grid = grid_of(400, 300, 64, aspect=2.0)
    tile = next(grid.within(grid.canvas))
    assert (tile.box.width, tile.box.height) == (32, 64)
    assert (tile.size.width, tile.size.height) == (64, 64)
    display = np.zeros((300, 400, 3), np.uint8)
    display[:, :16] = 255
    picture = tile.picture(display, grid.canvas)
    assert picture.shape == (3, 64, 64)
    assert (picture.max(), picture[..., 40:].max()) == (1.0, 0.0)
    assert tile.over_plate(picture[0]).shape == (64, 32)


def everywhere(picture: Image) -> tuple[Near, ...]:
    """Return the parts of a picture that is all band."""
    height, width = picture.shape
    return near_band(np.ones((1, 1), np.bool_), (height, width), height)


def all_over(alpha: Image) -> Closer:
    """Return what tiles say that cover everything."""
    return Closer(total=alpha, weights=np.ones_like(alpha))


def said(alpha: Image, shift: float) -> Image:
    """Return what a plausible model says: blurred by half a pixel, and shifted."""
    soft = cv2.GaussianBlur(alpha, (0, 0), 0.5)
    move = np.array([[1, 0, shift], [0, 1, shift]], np.float32)
    moved = cv2.warpAffine(soft, move, alpha.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


@pytest.mark.parametrize(("name", "least"), [("hairlight", 0.75), ("limb", 1.0)])
@pytest.mark.parametrize("ratio", [4, 2])
def test_a_second_look_mends_what_the_first_one_misplaced(name: str, least: float, ratio: int):
    """The same model errs by as many pixels of its own in both; a look that is off does no harm."""
    of = case(draw_scene(name, 5), ratio, 0.02, seed=5)
    coarse, near = said(of.alpha, 0.25), said(of.truth, 0.25)
    detail = refine(coarse, of.guide, Refine.DETAIL, SPREAD)
    tiled = refine(coarse, of.guide, Refine.DETAIL, SPREAD, all_over(near))
    assert error(tiled, of) < least * error(detail, of)
    off = 0.8 * near + np.float32(0.1)
    harmed = refine(coarse, of.guide, Refine.DETAIL, SPREAD, all_over(off))
    assert error(harmed, of) < max(error(detail, of), 0.5 * error(off, of))


def test_what_is_coarse_is_the_models():
    """A tile that is a tenth too opaque everywhere is not: averaged back the alpha is as it was."""
    y, x = np.mgrid[0:60, 0:90].astype(np.float32)
    alpha = (0.5 + 0.3 * np.sin(x / 9) * np.cos(y / 8)).astype(np.float32)
    of = case(draw_scene("edge", 5), 4, 0.0, seed=5)
    guide = replace(of.guide, display=of.guide.display[:240, :360])
    grown = cv2.resize(alpha, (360, 240)) + np.float32(0.1)
    tiled = refine(alpha, guide, Refine.DETAIL, SPREAD, all_over(grown))
    np.testing.assert_allclose(average(tiled, 60, 90), alpha, atol=5e-3)


def test_outside_the_band_tiles_change_nothing():
    """Whatever they say there: bilinear's bits stand where 3 x 3 working pixels have one value."""
    alpha = np.zeros((60, 90), np.float32)
    alpha[20:40, 30:60] = 1.0
    of = case(draw_scene("edge", 5), 4, 0.0, seed=5)
    guide = replace(of.guide, display=of.guide.display[:240, :360])
    noise = np.random.default_rng(1).random((240, 360), np.float32)
    tiled = refine(alpha, guide, Refine.DETAIL, SPREAD, all_over(noise))
    plain = refine(alpha, guide, Refine.NONE, SPREAD)
    band = cv2.dilate(alpha, np.ones((3, 3))) != cv2.erode(alpha, np.ones((3, 3)))
    band = np.repeat(np.repeat(band, 4, axis=0), 4, axis=1)
    np.testing.assert_array_equal(tiled[~band], plain[~band])
    assert (tiled[band] != plain[band]).any()


@dataclass
class Counting:
    """The test engine, which notes the shape of every window that it decodes."""

    shapes: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._engine = ENGINE.load(lambda _: None)
        self.encode, self.denoise = self._engine.encode, self._engine.denoise

    def decode(self, latents, *, chunk, halo, own=slice(None)):
        """Decode, and note it."""
        made = self._engine.decode(latents, chunk=chunk, halo=halo, own=own)
        self.shapes.append(made.shape)
        return made


WINDOW = WindowSettings(frames_per_window=5, overlap=2, size=32)
TILES = MatteKnobs(refine=Refine.TILES.value)


@pytest.fixture
def bench(tmp_path):
    """Stores and pools as a server has them."""
    with open_bench(tmp_path) as bench:
        yield bench


def run(
    bench: Bench, plate: DrawnPlate, frames=range(1, 21), **changes: object
) -> list[tuple[int, ...]]:
    """Matte by tiles, into a sink of its own; return the shapes that the engine decoded."""
    engine = Counting()
    changes = {"window": WINDOW, "knobs": TILES, **changes}
    bench.run(make_spec(bench, plate, frames, **changes), engine=engine)
    assert bench.ended[-1] is None, bench.ended
    return engine.shapes


def test_no_tile_is_larger_than_the_models_frame_and_each_runs_once(bench):
    """At most the number that is said before, for each window; the model's own shape each."""
    plate = DrawnPlate(1, 20, width=131, height=97)
    spec = make_spec(bench, plate, range(1, 21), window=WINDOW, knobs=TILES)
    whole = working_size_of(spec.geometry, WINDOW, ENGINE.pad_multiple)
    count = len(list(spec.tile_grid.within(spec.canvas)))
    (says,) = spec.advice
    assert f"up to {count} tiles of {whole.padded_width}x{whole.padded_height} plate pixels" in says
    windows = len(look_up(spec, bench.resources.cache).windows)
    shapes = run(bench, plate)
    assert set(shapes) == {(5, whole.padded_height, whole.padded_width)}
    assert len(shapes) == windows * (1 + count), "noise has an edge in every tile"


def test_a_knob_runs_no_tile_and_a_changed_frame_its_windows_only(bench):
    """Tiles are kept by their frames' content, and a window that is made anew takes its own."""
    plate = DrawnPlate(1, 20, width=131, height=97)
    first = run(bench, plate)
    assert run(bench, plate, knobs=replace(TILES, gamma=1.4)) == []
    plate.versions[12] += 1
    spec = make_spec(bench, plate, range(1, 21), window=WINDOW)
    windows = len(look_up(spec, bench.resources.cache).windows)
    changed = run(bench, plate)
    assert len(changed) == len(first) * len(windows_covering(spec.plan, 12)) // windows
    assert run(bench, plate) == []


def test_damaged_tiles_are_made_again_and_said(bench):
    """A bit of each kept window turned over: the same alphas."""
    plate = DrawnPlate(1, 5, width=131, height=97)
    run(bench, plate, range(1, 6))
    kept = sorted((bench.resources.cache.root / "windows").rglob("*.*"))
    for path in kept:
        data = bytearray(path.read_bytes())
        data[-40] ^= 16
        path.write_bytes(data)
    for folder in bench.resources.cache.root.iterdir():
        if folder.is_dir() and folder.name != "windows":  # a knob alone would read no window
            shutil.rmtree(folder)
    spec = make_spec(bench, plate, range(1, 6), window=WINDOW, knobs=replace(TILES, gamma=1.2))
    pipeline = bench.run(spec)
    assert bench.ended[-1] is None
    assert "damaged and made again" in " ".join(pipeline.notes)
    fresh = MemorySink(DiskCache(bench.resources.cache.root.parent / "other", 1 << 30))
    bench.run(replace(spec, sink=fresh))
    assert spec.sink.alphas == fresh.alphas


def test_an_engine_that_knows_no_parts_makes_detail_and_says_so(bench):
    """Its keys are detail's own, so nothing is made twice; a plate that is too small says that."""
    plate = DrawnPlate(1, 5, width=131, height=97)
    spec = make_spec(bench, plate, range(1, 6), window=WINDOW, knobs=TILES)
    plain = replace(spec, engine=replace(ENGINE, sees_parts=False))
    (says,) = plain.advice
    assert says == "The test engine knows no tiles: alphas come up as with detail."
    assert plain.refine_of(1) is Refine.DETAIL
    small = make_spec(bench, DrawnPlate(1, 5), range(1, 6), window=WINDOW, knobs=TILES)
    (says,) = small.advice
    assert "tiles begin above 1 times" in says
    assert "as with none" in says
