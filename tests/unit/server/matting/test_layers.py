"""Layers beside the alpha: the raw matte's parts, and colours where the plate has some."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest

from benchmarks.truth.scenes import SCENES as TRUE_SCENES
from benchmarks.truth.scenes import draw as draw_true
from gvm_client.file_content import CHANNELS, FileContent, switches
from gvm_server.matting.layers import SOLID, layers_of
from gvm_server.matting.resources import LAYERS_BYTES
from tests.support.layered import SCENES, draw, recomposite
from tests.support.threads import hashes

ALL = FileContent(**switches(CHANNELS))
WHOLE = (slice(None), slice(None))


def refused() -> np.ndarray:
    """Stand for what is not to be computed."""
    pytest.fail("nobody asked for it")


def made(content, alpha, plate, raw=None, data=WHOLE):
    """Return the layers of a frame."""
    matte = alpha if raw is None else raw
    return layers_of(
        content, alpha=lambda: alpha, raw=lambda: matte, plate=lambda: plate, data=data
    )


def test_core_and_edge_make_the_raw_matte_again():
    """A ramp from 0 to 1: solid within 2 % of either end, the band between; none of it is lost."""
    raw = np.linspace(0, 1, 101, dtype=np.float32)[None].repeat(4, axis=0)
    layers = made(ALL, np.zeros_like(raw), np.zeros((*raw.shape, 3), np.float32), raw)
    edge, core = layers["matte.edge"], layers["matte.core"]
    assert list(np.flatnonzero(edge[0])) == list(range(3, 98))  # hundredths
    assert SOLID == 0.02
    assert set(np.unique(edge)) == {0, 1}
    assert np.array_equal(core, np.where(edge == 1, 0, raw))
    assert np.array_equal(core + edge * raw, raw)
    assert np.array_equal(layers["matte.raw"], raw)


def test_only_what_is_asked_for_is_made():
    """An alpha alone needs neither the raw matte nor the plate."""
    alpha = np.zeros((4, 5), np.float32)
    assert (
        layers_of(FileContent(), alpha=lambda: alpha, raw=refused, plate=refused, data=WHOLE) == {}
    )
    matte = FileContent(matte_raw=True)
    made_of = layers_of(matte, alpha=lambda: alpha, raw=lambda: alpha, plate=refused, data=WHOLE)
    assert list(made_of) == ["matte.raw"]
    plate = np.ones((4, 5, 3), np.float32)
    colours = FileContent(foreground=True)
    made_of = layers_of(colours, alpha=lambda: alpha, raw=refused, plate=lambda: plate, data=WHOLE)
    assert list(made_of) == ["fg.R", "fg.G", "fg.B"]


def test_beyond_the_plate_s_pixels_colours_are_0():
    """An alpha that a knob grew over the display window: there is no plate to take them from."""
    alpha = np.ones((10, 12), np.float32)
    plate = np.full((6, 5, 3), 0.5, np.float32)
    layers = made(ALL, alpha, plate, data=(slice(2, 8), slice(3, 8)))
    inside = np.zeros_like(alpha)
    inside[2:8, 3:8] = 0.5
    for name in ("fg.R", "fg.G", "fg.B", "R", "G", "B"):
        assert np.array_equal(layers[name], inside), name


def test_every_plane_may_be_written_as_it_lies():
    """Contiguous and float32: a writer that ignores strides would mix the colours."""
    scene = draw("strands")
    for name, plane in made(ALL, scene.alpha, scene.plate).items():
        assert plane.flags.c_contiguous, name
        assert plane.dtype == np.float32, name


@pytest.mark.parametrize("name", SCENES)
def test_the_layer_over_a_new_background_beats_the_plate(name):
    """What the file holds, whatever the scene: less of the old background than in the plate."""
    scene = draw(name)
    layers = made(ALL, scene.alpha, scene.plate)
    fg = np.stack([layers[f"fg.{one}"] for one in "RGB"], axis=-1)
    assert recomposite(scene, fg) < 0.75 * recomposite(scene, scene.plate)
    premultiplied = np.stack([layers[one] for one in "RGB"], axis=-1)
    assert np.array_equal(premultiplied, fg * scene.alpha[..., None])


@pytest.mark.parametrize("name", TRUE_SCENES)
def test_on_the_truth_s_scenes_it_beats_the_plate_too(name):
    """Each of `benchmarks/truth`, over black and over white, against what was drawn."""
    scene = draw_true(name, 1)
    alpha = scene.alpha[..., None]
    layers = made(FileContent(foreground=True), scene.alpha, scene.plate)
    fg = np.stack([layers[f"fg.{one}"] for one in "RGB"], axis=-1)
    band = cv2.dilate(((alpha > 0) & (alpha < 1)).astype(np.uint8)[..., 0], np.ones((9, 9))) > 0
    errors = []
    for colours in (fg, scene.plate):
        over = alpha * colours - scene.premultiplied  # the same over any background
        errors.append(float(np.abs(over)[band].mean()))
    assert errors[0] < errors[1]


def test_the_screen_s_green_leaves_with_despill():
    """A grey subject before a green screen whose light falls on it: none of it is left."""
    alpha = cv2.GaussianBlur(np.pad(np.ones((40, 40), np.float32), 30), (0, 0), 3)
    share = alpha[..., None]
    grey, green = np.array((0.4, 0.55, 0.4), np.float32), np.array((0.05, 0.8, 0.1), np.float32)
    plate = share * grey + (1 - share) * green
    kept = made(FileContent(foreground=True), alpha, plate)
    cleaned = made(FileContent(foreground=True, despill="green"), alpha, plate)
    solid = alpha > 0.99
    assert np.all(kept["fg.G"][solid] > kept["fg.R"][solid] + 0.1)
    assert np.all(cleaned["fg.G"] <= (cleaned["fg.R"] + cleaned["fg.B"]) / 2 + 1e-6)


def test_the_count_of_threads_changes_no_bit_of_a_layer():
    """Every count from 1 to 7 gives one set of planes."""
    scene = draw("strands")
    assert len(set(hashes(lambda: np.stack([*made(ALL, scene.alpha, scene.plate).values()])))) == 1


def test_a_frame_s_layers_take_no_more_memory_than_a_job_counts_with():
    """At their worst moment, the planes themselves among it."""
    scene = draw("strands")
    alpha, plate = np.tile(scene.alpha, (3, 3)), np.tile(scene.plate, (3, 3, 1))
    made(ALL, alpha, plate)  # what is loaded once is not this frame's
    tracemalloc.start()
    made(ALL, alpha, plate)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / alpha.size < LAYERS_BYTES
