"""The node's foreground: the command line's colours, in every depth, by a switch and no model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gvm_server.media.colour.encodings import srgb_from_linear
from gvm_server.media.openexr import read_channels
from tests.ofx.conftest import FIRST, HEIGHT, LAST, WIDTH
from tests.ofx.fakehost import HostPlate, Open
from tests.ofx.test_ofx_matte import SHAPE, SMALL, STEPS, write_integers
from tests.support.plates import moving_disc
from tests.support.site import Site

STRAIGHT, PREMULTIPLIED = 5, 6
FRAME = 1004
GREEN = 1


def colours_of(site: Site, plate: str, out: Path, *words: str) -> NDArray[np.float32]:
    """Return what the command line's file says, [H, W, 4]: straight colours, and the alpha."""
    wanted = ("--depth", "float", "--channels", "A,fg", "--frames", str(FRAME), *words)
    ran = site.matte(plate, out, *wanted)
    assert ran.code == 0, ran.stderr
    return read(out / f"plate.{FRAME}.exr", ("fg.R", "fg.G", "fg.B", "A"))


def read(path: Path, channels: Sequence[str]) -> NDArray[np.float32]:
    """Return these channels of a file."""
    found = read_channels(path, tuple(channels))
    assert found is not None
    return np.asarray(found.pixels, np.float32)


@pytest.fixture(scope="module")
def colours(warm_site: Site, exr_plate: str) -> NDArray[np.float32]:
    """The command line's colours and alpha of one frame."""
    return colours_of(warm_site, exr_plate, warm_site.folder / "colours")


def _source() -> NDArray[np.float32]:
    return moving_disc(FRAME, WIDTH, HEIGHT).astype(np.float16).astype(np.float32)


def test_a_switch_gives_the_command_line_s_colours_and_runs_no_model(
    host_like: Open, colours: NDArray[np.float32], warm_site: Site
):
    """From the matte to straight and premultiplied colours and back."""
    with host_like("nuke") as host:
        host.create(**SMALL)
        plain = host.picture(FRAME, SHAPE)
        before = len(warm_site.windows_denoised())
        host.tell("set", instance="node", param="outputMode", value=STRAIGHT)
        straight = host.picture(FRAME, SHAPE)
        np.testing.assert_array_equal(straight, colours)
        host.tell("set", instance="node", param="outputMode", value=PREMULTIPLIED)
        wanted = np.dstack([colours[..., :3] * colours[..., 3:], colours[..., 3]])
        np.testing.assert_array_equal(host.picture(FRAME, SHAPE), wanted)
        host.tell("set", instance="node", param="outputMode", value=0)
        np.testing.assert_array_equal(host.picture(FRAME, SHAPE), plain)
        assert len(warm_site.windows_denoised()) == before
        assert host.tell("facts")["images_out"] == 0
    soft = (colours[..., 3] > 0) & (colours[..., 3] < 1)
    assert soft.any()
    assert np.abs(straight[soft][:, :3] - plain[soft][:, :3]).max() > 0.01  # not the plate's
    solid = colours[..., 3] == 1
    np.testing.assert_array_equal(straight[solid], plain[solid])


def test_a_first_render_may_ask_for_it(host_like: Open, warm_site: Site):
    """In any order, by an instance for each frame; the matte then runs no model."""
    with host_like("natron", offset_x=0, offset_y=0) as host:
        for frame in (FRAME, FIRST, LAST):
            # Another matte than the other tests'.
            name = f"of {frame}"
            host.create(name, **SMALL, inputColourspace=2, matteExposure=1, outputMode=STRAIGHT)
            straight = host.picture(frame, SHAPE, instance=name)
            before = len(warm_site.windows_denoised())
            host.tell("set", instance=name, param="outputMode", value=0)
            alone = host.picture(frame, SHAPE, instance=name)
            np.testing.assert_array_equal(straight[..., 3], alone[..., 3])
            assert len(warm_site.windows_denoised()) == before > 0


@pytest.mark.parametrize(("depth", "bits"), [("Byte", 8), ("Short", 16)])
def test_integer_hosts_get_it_in_their_own_space(
    host_like: Open, warm_site: Site, tmp_path: Path, depth: str, bits: int
):
    """Found in linear light, and displayed again: within a step of the output's depth."""
    pattern = write_integers(tmp_path / "png", bits)
    wanted = colours_of(warm_site, pattern, tmp_path / "out", "--input-colorspace", "srgb")
    shown = srgb_from_linear(np.ascontiguousarray(wanted[..., :3]))
    step = 1 / STEPS[depth]
    plain = {frame: moving_disc(frame, WIDTH, HEIGHT) for frame in range(FIRST, LAST + 1)}
    plate = HostPlate.of(tmp_path / "plain", plain)
    with host_like("nuke", depth=f"OfxBitDepth{depth}", plate=plate) as host:
        host.create(**SMALL, outputMode=STRAIGHT)
        straight = host.picture(FRAME, SHAPE)
        assert np.abs(straight[..., :3] - shown).max() <= 0.6 * step
        assert np.abs(straight[..., 3] - wanted[..., 3]).max() <= 0.6 * step
        host.tell("set", instance="node", param="outputMode", value=PREMULTIPLIED)
        premultiplied = host.picture(FRAME, SHAPE)[..., :3]
        assert np.abs(premultiplied - shown * wanted[..., 3:]).max() <= 0.6 * step


def test_half_hosts_get_it_to_half_a_step(host_like: Open, colours: NDArray[np.float32]):
    """What a half holds of the float colours."""
    with host_like("nuke", depth="OfxBitDepthHalf") as host:
        host.create(**SMALL, outputMode=STRAIGHT)
        wanted = colours.astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(host.picture(FRAME, SHAPE), wanted)


@pytest.mark.parametrize("rows", [{"negative_rows": True}, {"offset_x": -13, "offset_y": 6}])
def test_rows_and_parts_may_lie_in_any_way(
    host_like: Open, colours: NDArray[np.float32], rows: dict[str, int]
):
    """Also a partial render window, and a source without alpha."""
    with host_like("nuke", components="OfxImageComponentRGB", **rows) as host:
        host.create(**SMALL, outputMode=STRAIGHT)
        np.testing.assert_array_equal(host.picture(FRAME, SHAPE), colours)
        left, low = rows.get("offset_x", 0), rows.get("offset_y", 0)
        window = [left + 10, low + 8, left + 50, low + 40]
        part = host.picture(FRAME, SHAPE, window=window)
        rows_of = slice(HEIGHT - 40, HEIGHT - 8)
        np.testing.assert_array_equal(part[rows_of, 10:50], colours[rows_of, 10:50])


def test_a_proxy_has_its_own_colours(host_like: Open):
    """A third of the size: the solid parts are the proxy's own pixels."""
    shape = (round(HEIGHT / 3), round(WIDTH / 3), 4)
    with host_like("nuke") as host:
        host.create(**SMALL)
        plain = host.picture(FRAME, shape, scale=1 / 3)
        host.tell("set", instance="node", param="outputMode", value=STRAIGHT)
        straight = host.picture(FRAME, shape, scale=1 / 3)
        np.testing.assert_array_equal(straight[..., 3], plain[..., 3])
        solid = plain[..., 3] == 1
        np.testing.assert_array_equal(straight[solid], plain[solid])
        assert np.abs(straight - plain).max() > 0.01


def test_a_region_s_colours_go_as_far_as_its_matte(host_like: Open):
    """Away from the region, whose border is soft, the alpha is 0 and so are its colours."""
    region = {"useRegion": 1, "regionLowerLeft": [8, 8], "regionUpperRight": [60, 56]}
    with host_like("nuke") as host:
        host.create(**SMALL, **region, outputMode=PREMULTIPLIED)
        picture = host.picture(FRAME, SHAPE)
        host.tell("set", instance="node", param="outputMode", value=0)
        np.testing.assert_array_equal(picture[..., 3], host.picture(FRAME, SHAPE)[..., 3])
    assert np.all(picture[:, 76:] == 0)
    assert picture[8:-8, 8:60, :3].max() > 0.1


def test_a_holdout_shows_the_source_and_garbage_nothing(
    host_like: Open, tmp_path: Path, colours: NDArray[np.float32]
):
    """Where the host's clips force the alpha: forced in is the plate, not the edge's extension."""
    masks = {}
    for name, columns in (("garbage", slice(0, 40)), ("holdout", slice(40, 56))):
        mask = HostPlate(folder=tmp_path / name, width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
        pixels = np.zeros(SHAPE, np.float32)
        pixels[:, columns, 3] = 1.0
        mask.write(FRAME, pixels)
        masks[name] = mask.said()
    with host_like("natron", offset_x=0, offset_y=0) as host:
        host.tell("plates", plate={}, **masks)
        host.create(**SMALL, inputColourspace=2, outputMode=PREMULTIPLIED)
        picture = host.picture(FRAME, SHAPE)
    assert np.all(picture[:, :40] == 0)
    np.testing.assert_allclose(picture[:, 40:56, :3], _source()[:, 40:56], atol=1e-6)
    wanted = colours[:, 56:, :3] * colours[:, 56:, 3:]
    np.testing.assert_array_equal(picture[:, 56:, :3], wanted)


def test_the_screen_s_light_is_taken_off(host_like: Open, warm_site: Site, exr_plate: str):
    """As `--despill green` does; solid pixels too."""
    out = warm_site.folder / "despilled"
    wanted = colours_of(warm_site, exr_plate, out, "--despill", "green")
    with host_like("nuke") as host:
        host.create(**SMALL, outputMode=STRAIGHT, despill=GREEN)
        np.testing.assert_array_equal(host.picture(FRAME, SHAPE), wanted)


def test_a_plate_file_s_colours_are_refused(host_like: Open, exr_plate: str):
    """A file's pixels need not be the picture's: the node says so, and what to do."""
    with host_like("nuke") as host:
        host.create(**SMALL, plateFile=exr_plate, outputMode=STRAIGHT)
        answer = host.render(FRAME)
        assert answer["status"] == 1
        assert "Choose another Output, or clear Plate File." in answer["messages"][-1]


def test_a_space_without_a_way_back_is_named(host_like: Open):
    """Before any model runs; the alpha alone is given."""
    with host_like("nuke") as host:
        space = {"inputColourspace": 6, "inputColourspaceName": "cineon"}
        host.create(**SMALL, **space, outputMode=STRAIGHT)
        answer = host.render(FRAME)
        assert answer["status"] == 1
        assert "Light cannot be turned into cineon again" in answer["messages"][-1]
        host.tell("set", instance="node", param="outputMode", value=0)
        assert host.render(FRAME)["status"] == 0
