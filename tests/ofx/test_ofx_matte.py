"""The node with the real server and the test engine: the command line's pixels, in any order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import OpenImageIO as oiio
import pytest
from numpy.typing import NDArray

from gvm_server.matting.guides import feathered
from tests.ofx.conftest import FIRST, HEIGHT, LAST, WIDTH, alphas, host_like
from tests.ofx.fakehost import HOSTS, NUKE, Build, HostPlate, Open, hosting
from tests.ofx.wine import linux_only
from tests.support.colours import CONFIG
from tests.support.plates import moving_disc, read_alpha, write_exr
from tests.support.site import Site

FRAMES = range(FIRST, LAST + 1)
# What a trial that is written beside these tests needs.
__all__ = ["FIRST", "SHAPE", "SMALL", "alphas", "host_like", "site"]

SHAPE = (HEIGHT, WIDTH, 4)
SMALL = {"engine": 3, "size": 32, "framesPerWindow": 6, "overlap": 2}  # as the site's SMALL
STEPS = {"Byte": 255, "Short": 65535, "Half": 2048, "Float": 2**24}  # of alpha, near 1


@pytest.fixture(scope="module")
def site(warm_site: Site) -> Site:
    """One machine for all these tests."""
    return warm_site


Alphas = dict[int, NDArray[np.float32]]


def test_every_frame_has_the_command_lines_alpha(host_like: Open, alphas: Alphas):
    """In Nuke's manner, in random order: the source's colours, and just those alphas."""
    with host_like("nuke") as host:
        host.create(**SMALL)
        for frame in random.Random(4).sample(FRAMES, len(FRAMES)):
            picture = host.picture(frame, SHAPE)
            np.testing.assert_array_equal(picture[..., 3], alphas[frame])
            source = moving_disc(frame, WIDTH, HEIGHT).astype(np.float16).astype(np.float32)
            np.testing.assert_array_equal(picture[..., :3], source)
        assert host.tell("facts")["images_out"] == 0


@pytest.mark.parametrize("name", ["resolve", "natron"])
def test_other_hosts_get_the_same_alphas(host_like: Open, alphas: Alphas, name: str):
    """Offsets, identifiers and old suites change nothing in the pixels."""
    with host_like(name) as host:
        host.create(**SMALL, inputColourspace=2)
        for frame in (FIRST, 1005, 1012, LAST):
            np.testing.assert_array_equal(host.picture(frame, SHAPE)[..., 3], alphas[frame])


@pytest.mark.parametrize("rows", [{"negative_rows": True}, {"row_padding": 48}, {"offset_x": -13}])
def test_rows_may_lie_in_any_way(host_like: Open, alphas: Alphas, rows: dict[str, Any]):
    """Negative and padded rows, and bounds that begin anywhere."""
    with host_like("nuke", **rows) as host:
        host.create(**SMALL)
        np.testing.assert_array_equal(host.picture(1007, SHAPE)[..., 3], alphas[1007])


def test_instances_share_what_is_finished(host_like: Open, alphas: Alphas, site: Site):
    """An instance for every frame, as MLT makes them: the same pixels, no window twice."""
    with host_like("nuke") as host:
        host.create("first", **SMALL)
        host.tell("render", instance="first", frame=1003)
        before = len(site.windows_denoised())
        for frame in range(1001, 1005):
            name = host.create(f"of {frame}", **SMALL)
            picture = host.picture(frame, SHAPE, instance=name)
            np.testing.assert_array_equal(picture[..., 3], alphas[frame])
            host.tell("destroy", instance=name)
        assert len(site.windows_denoised()) == before


def write_integers(folder: Path, bits: int) -> str:
    """Write the clip as PNG files and return its pattern."""
    folder.mkdir()
    kind = np.uint8 if bits == 8 else np.uint16
    for frame in FRAMES:
        pixels = np.rint(moving_disc(frame, WIDTH, HEIGHT) * (2**bits - 1)).astype(kind)
        file = oiio.ImageOutput.create("png")
        assert file.open(
            str(folder / f"plate.{frame}.png"),
            oiio.ImageSpec(WIDTH, HEIGHT, 3, oiio.UINT8 if bits == 8 else oiio.UINT16),
        )
        assert file.write_image(pixels)
        file.close()
    return str(folder / "plate.%04d.png")


@pytest.fixture(scope="module")
def plain_plate(tmp_path_factory: pytest.TempPathFactory) -> HostPlate:
    """The clip as the host holds it before it makes integers of it."""
    folder = tmp_path_factory.mktemp("plain")
    plate = HostPlate(folder=folder, width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
    for frame in FRAMES:
        colours = moving_disc(frame, WIDTH, HEIGHT)
        plate.write(frame, np.dstack([colours, np.ones((HEIGHT, WIDTH), np.float32)]))
    return plate


@pytest.mark.parametrize(("depth", "bits"), [("Byte", 8), ("Short", 16)])
def test_integer_hosts_get_the_alphas_of_integer_files(
    host_like: Open, site: Site, plain_plate: HostPlate, tmp_path: Path, depth: str, bits: int
):
    """The same pixels as PNG files, within a step of the output's depth."""
    pattern = write_integers(tmp_path / "png", bits)
    ran = site.matte(pattern, tmp_path / "out", "--depth", "float", "--input-colorspace", "srgb")
    assert ran.code == 0, ran.stderr
    with host_like("nuke", depth=f"OfxBitDepth{depth}", plate=plain_plate) as host:
        host.create(**SMALL)
        for frame in (1001, 1009):
            wanted = read_alpha(tmp_path / "out" / f"plate.{frame}.exr")
            got = host.picture(frame, SHAPE)[..., 3]
            # A file of half rounds too: by less than a hundredth of a 16-bit step near black.
            assert np.abs(got - wanted).max() <= 0.51 / STEPS[depth]


def test_half_hosts_get_the_alphas_of_half_files(host_like: Open, alphas: Alphas):
    """A half output holds the float alpha to half a step."""
    with host_like("nuke", depth="OfxBitDepthHalf") as host:
        host.create(**SMALL)
        got = host.picture(1004, SHAPE)[..., 3]
        np.testing.assert_array_equal(got, alphas[1004].astype(np.float16).astype(np.float32))


def test_outputs_without_four_channels(host_like: Open, alphas: Alphas):
    """Alpha alone where the host has alpha images; the source may have no alpha."""
    one = (HEIGHT, WIDTH, 1)
    with host_like("nuke", output_components="OfxImageComponentAlpha") as host:
        host.create(**SMALL)
        np.testing.assert_array_equal(host.picture(1004, one)[..., 0], alphas[1004])
    with host_like("nuke", components="OfxImageComponentRGB") as host:
        host.create(**SMALL)
        np.testing.assert_array_equal(host.picture(1004, SHAPE)[..., 3], alphas[1004])


def test_output_modes(host_like: Open, alphas: Alphas):
    """Premultiplied colours, the matte as an opaque picture, the source as it is."""
    with host_like("nuke") as host:
        host.create(**SMALL)
        source = host.picture(1004, SHAPE)[..., :3]
        alpha = alphas[1004][..., None]
        host.tell("set", instance="node", param="outputMode", value=1)
        np.testing.assert_array_equal(host.picture(1004, SHAPE)[..., :3], source * alpha)
        host.tell("set", instance="node", param="outputMode", value=2)
        matte = host.picture(1004, SHAPE)
        np.testing.assert_array_equal(matte[..., :3], np.repeat(alpha, 3, axis=2))
        assert np.all(matte[..., 3] == 1.0)
        host.tell("set", instance="node", param="outputMode", value=3)
        assert np.all(host.picture(1004, SHAPE)[..., 3] == 1.0)


def test_the_edge_is_shown_and_no_model_runs_for_a_switch(host_like: Open):
    """1 where the alpha is neither 0 nor 1, by more than 0.02; an opaque picture."""
    with host_like("nuke") as host:
        host.create(**SMALL, matteBlack=0.3, matteWhite=0.7)
        alpha = host.picture(1004, SHAPE)[..., 3:]
        host.tell("set", instance="node", param="timeout", value=1.0)  # of whoever would ask again
        host.tell("set", instance="node", param="outputMode", value=4)
        edge = host.picture(1004, SHAPE)
        band = ((alpha > 0.02) & (alpha < 0.98)).astype(np.float32)
        assert 0 < band.mean() < 1
        np.testing.assert_array_equal(edge[..., :3], np.repeat(band, 3, axis=2))
        assert np.all(edge[..., 3] == 1.0)


def test_a_partial_window_writes_nothing_else(host_like: Open, alphas: Alphas):
    """What lies outside the render window stays the host's."""
    with host_like("nuke") as host:
        host.create(**SMALL)
        part = host.picture(1004, SHAPE, window=[10, 8, 50, 40])
        untouched = np.frombuffer(b"\xa5\xa5\xa5\xa5", np.float32)[0]
        inside = np.zeros((HEIGHT, WIDTH), bool)
        inside[HEIGHT - 40 : HEIGHT - 8, 10:50] = True
        np.testing.assert_array_equal(part[inside][:, 3], alphas[1004][inside])
        assert np.all(part[~inside] == untouched)


def test_a_proxy_render_has_its_own_matte(host_like: Open, alphas: Alphas, site: Site):
    """A third of the size: other pixels are matted, and the full size is not touched by it."""
    with host_like("nuke") as host:
        host.create(**SMALL)
        host.picture(1004, SHAPE)
        before = len(site.windows_denoised())
        proxy = host.picture(1004, (round(HEIGHT / 3), round(WIDTH / 3), 4), scale=1 / 3)
        assert len(site.windows_denoised()) > before
        assert 0.0 < proxy[..., 3].mean() < 1.0
        np.testing.assert_array_equal(host.picture(1004, SHAPE)[..., 3], alphas[1004])


def test_a_matte_knob_runs_no_model(host_like: Open, site: Site):
    """The levels are applied to what was made; only the frame on screen is asked for."""
    with host_like("nuke") as host:
        host.create(**SMALL)
        plain = host.picture(1004, SHAPE)[..., 3]
        before = len(site.windows_denoised())
        host.tell("set", instance="node", param="matteInvert", value=1)
        np.testing.assert_allclose(host.picture(1004, SHAPE)[..., 3], 1.0 - plain, atol=1e-6)
        assert len(site.windows_denoised()) == before


def test_a_purge_frees_the_mattes_and_they_come_again(host_like: Open, site: Site):
    """A host that is short of memory gets ours too; the server still has what was made."""
    with host_like("nuke") as host:
        host.create(**SMALL)
        before = host.picture(1004, SHAPE)
        count = len(site.windows_denoised())
        assert host.tell("action", instance="node", name="OfxActionPurgeCaches")["status"] == 0
        np.testing.assert_array_equal(host.picture(1004, SHAPE), before)
        assert len(site.windows_denoised()) == count


@pytest.mark.parametrize("way", ["host's frames", "plate on disk"])
def test_masks_force_the_alpha(
    host_like: Open, tmp_path: Path, alphas: Alphas, exr_plate: str, way: str
):
    """Garbage takes away, holdout brings back, and holdout is the last word."""
    masks = {}
    for name, columns in (("garbage", slice(0, 48)), ("holdout", slice(40, 56))):
        mask = HostPlate(folder=tmp_path / name, width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
        pixels = np.zeros(SHAPE, np.float32)
        pixels[:, columns, 3] = 1.0
        for frame in FRAMES:
            mask.write(frame, pixels)
        masks[name] = mask
    with host_like("natron", offset_x=0, offset_y=0) as host:
        host.tell("plates", plate={}, **{name: mask.said() for name, mask in masks.items()})
        host.create(
            **SMALL, inputColourspace=2, plateFile=exr_plate if way == "plate on disk" else ""
        )
        alpha = host.picture(1004, SHAPE)[..., 3]
        assert np.all(alpha[:, :40] == 0.0)
        assert np.all(alpha[:, 40:56] == 1.0)
        np.testing.assert_array_equal(alpha[:, 56:], alphas[1004][:, 56:])


@pytest.mark.parametrize("feather", [0.0, 5.0, 12.5, 40.0])
def test_soft_guides_are_laid_on_as_the_server_does(
    host_like: Open, tmp_path: Path, alphas: Alphas, site: Site, feather: float
):
    """Held out, then laid over; feathered by the same rule; and no model runs for them."""
    masks, guides = {}, {}
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    for name, left in (("garbage", 22.0), ("holdout", 64.0)):
        mask = HostPlate(folder=tmp_path / name, width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
        away = np.hypot(x - left, y - 30.0)
        guides[name] = np.clip((12.0 - away) / 4, 0, 1).astype(np.float32)
        pixels = np.zeros(SHAPE, np.float32)
        pixels[..., 3] = guides[name]
        mask.write(1004, pixels)
        masks[name] = mask.said()
    with host_like("natron", offset_x=0, offset_y=0) as host:
        host.create(**SMALL, inputColourspace=2)
        host.picture(1004, SHAPE)
        before = len(site.windows_denoised())
        host.tell("plates", plate={}, **masks)
        host.tell("destroy", instance="node")
        host.create(**SMALL, inputColourspace=2, guideFeather=feather)
        alpha = host.picture(1004, SHAPE)[..., 3]
        assert len(site.windows_denoised()) == before
    garbage, holdout = (feathered(guide, feather) for guide in guides.values())
    wanted = alphas[1004] * (1 - garbage) * (1 - holdout) + holdout
    np.testing.assert_allclose(alpha, wanted, atol=2e-3)
    assert (alpha[guides["holdout"] == 1] == 1).all()
    assert (alpha[(guides["garbage"] == 1) & (holdout == 0)] == 0).all()
    untouched = (garbage == 0) & (holdout == 0)
    np.testing.assert_array_equal(alpha[untouched], alphas[1004][untouched])


@pytest.mark.parametrize("feather", [0.0, 5.0])
def test_a_guide_s_pixel_that_is_no_number_holds_nothing(
    host_like: Open, tmp_path: Path, alphas: Alphas, feather: float
):
    """NaN guides come of a division by 0 upstream; a NaN alpha would go on through the comp."""
    masks = {}
    for name, row in (("garbage", 7), ("holdout", 20)):
        mask = HostPlate(folder=tmp_path / name, width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
        pixels = np.zeros(SHAPE, np.float32)
        pixels[row, 30:34, 3] = np.nan
        pixels[row, 60:64, 3] = np.inf, -np.inf, 2.0, -1.0
        mask.write(1004, pixels)
        masks[name] = mask.said()
    with host_like("natron", offset_x=0, offset_y=0) as host:
        host.tell("plates", plate={}, **masks)
        host.create(**SMALL, inputColourspace=2, guideFeather=feather)
        alpha = host.picture(1004, SHAPE)[..., 3]
    np.testing.assert_array_equal(alpha[:, 30:34], alphas[1004][:, 30:34])
    assert alpha[7, [60, 62]].tolist() == [0, 0]
    assert alpha[20, [60, 62]].tolist() == [1, 1]
    assert np.isfinite(alpha).all()


@pytest.mark.parametrize("feather", [float("nan"), -3.0, 1e6])
def test_a_guide_feather_that_is_no_length_is_refused(
    host_like: Open, tmp_path: Path, feather: float
):
    """An expression may make anything of a parameter; it is said, not taken as it is."""
    mask = HostPlate(folder=tmp_path / "mask", width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
    mask.write(1004, np.ones(SHAPE, np.float32))
    with host_like("natron", offset_x=0, offset_y=0) as host:
        host.tell("plates", plate={}, garbage=mask.said())
        host.create(**SMALL, guideFeather=feather)
        assert "Guide Feather is" in host.render(1004)["persistent"]


def test_a_sequence_fetches_every_frame_once(host_like: Open):
    """Within a final render nothing upstream changes: each frame is fetched and hashed once."""
    with host_like("nuke") as host:
        host.create(**SMALL)
        for frame in FRAMES:  # a matte that is still to be made has its frames fetched once more
            host.picture(frame, SHAPE)
        host.tell("forget_fetches")
        host.tell("begin", instance="node", first=FIRST, last=LAST, interactive=0)
        for frame in FRAMES:
            host.picture(frame, SHAPE)
        host.tell("end", instance="node")
        fetches = dict(host.tell("facts")["fetches"])
        # Once for its key in the window before it, once as the source of its own picture.
        assert max(fetches.values()) <= 2


def test_a_changed_frame_is_noticed_by_all_that_its_windows_cover(
    host_like: Open, tmp_path: Path, plate: HostPlate
):
    """No stale matte: painting on one frame changes its neighbours' mattes too."""
    edited = HostPlate(
        folder=tmp_path / "edited", width=WIDTH, height=HEIGHT, first=1001, last=1006
    )
    for frame in range(1001, 1007):
        (tmp_path / "edited").mkdir(exist_ok=True)
        raw = (plate.folder / f"{frame}.raw").read_bytes()
        (tmp_path / "edited" / f"{frame}.raw").write_bytes(raw)
    with host_like("nuke", plate=edited, row_padding=0) as host:
        host.create(**SMALL)
        before = host.picture(1002, SHAPE)[..., 3]
        pixels = np.fromfile(edited.folder / "1005.raw", np.float32).reshape(SHAPE)
        pixels[20:40, 20:40, :3] = 1.0
        edited.write(1005, pixels)
        host.tell("behave", row_padding=64)  # the host's own cache goes by this
        after = host.picture(1002, SHAPE)[..., 3]
        assert np.abs(after - before).max() > 0.001


def test_a_host_without_neighbours_reads_what_the_command_line_made(
    host_like: Open, site: Site, exr_plate: str, alphas: Alphas
):
    """MLT gives one frame at a time: the server reads the plate, and nothing is made twice."""
    with host_like("mlt") as host:
        host.create(**SMALL, plateFile=exr_plate, inputColourspace=2)
        before = len(site.windows_denoised())
        for frame in (1001, 1010, 1020):
            got = host.picture(frame, SHAPE)[..., 3]
            assert np.abs(got - alphas[frame]).max() <= 0.5001 / 255
        assert len(site.windows_denoised()) == before


def test_a_plate_files_overscan_and_crop_lie_where_they_are(
    host_like: Open, tmp_path: Path, site: Site
):
    """The host's picture is the file's display window, whatever its data window is."""
    folder = tmp_path / "cropped"
    folder.mkdir()
    seen = HostPlate(folder=tmp_path / "seen", width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
    for frame in FRAMES:
        spec = oiio.ImageSpec(40, 32, 3, "half")
        spec.x, spec.y = (30, 20) if frame % 2 else (-8, -8)
        spec.full_width, spec.full_height = WIDTH, HEIGHT
        file = oiio.ImageOutput.create("exr")
        assert file.open(str(folder / f"plate.{frame}.exr"), spec)
        file.write_image(np.full((32, 40, 3), 0.9, np.float32))
        file.close()
        picture = np.zeros(SHAPE, np.float32)
        picture[max(spec.y, 0) : spec.y + 32, max(spec.x, 0) : spec.x + 40] = 0.9
        seen.write(frame, picture)
    plate = str(folder / "plate.%04d.exr")
    assert site.matte(plate, folder / "out", "--depth", "float").code == 0
    with host_like("nuke", plate=seen) as host:
        host.create(**SMALL, plateFile=plate)
        for frame in (1003, 1004):
            shown = host.picture(frame, SHAPE)[..., 3]
            file = oiio.ImageInput.open(str(folder / "out" / f"plate.{frame}.exr"))
            x, y, pixels = file.spec().x, file.spec().y, file.read_image(oiio.FLOAT)[..., 0]
            file.close()
            expected = np.zeros((HEIGHT, WIDTH), np.float32)
            top, left = max(y, 0), max(x, 0)
            part = pixels[top - y :, left - x :]
            expected[top : top + part.shape[0], left : left + part.shape[1]] = part
            assert expected.any()
            np.testing.assert_array_equal(shown, expected)


def test_the_plate_file_may_be_larger_than_the_hosts_picture(
    host_like: Open, exr_plate: str, tmp_path: Path
):
    """A proxy of a host that reads the plate on disk gets the alpha scaled to its picture."""
    with host_like("nuke") as host:
        host.create(**SMALL, plateFile=exr_plate)
        full = host.picture(1004, SHAPE)[..., 3]
        half = host.picture(1004, (HEIGHT // 2, WIDTH // 2, 4), scale=0.5)[..., 3]
        boxes = full.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3))
        assert np.abs(half - boxes).max() < 0.01


def test_frames_may_be_negative(host_like: Open, tmp_path: Path, alphas: Alphas, plate: HostPlate):
    """The plan, the request and the answer go below zero: the same clip, numbered otherwise."""
    moved = HostPlate(folder=tmp_path / "moved", width=WIDTH, height=HEIGHT, first=-4, last=15)
    moved.folder.mkdir()
    for frame in FRAMES:
        raw = (plate.folder / f"{frame}.raw").read_bytes()
        (moved.folder / f"{frame - FIRST - 4}.raw").write_bytes(raw)
    with host_like("nuke", plate=moved) as host:
        host.create(**SMALL)
        for frame in (-4, -1, 0, 5):
            got = host.picture(frame, SHAPE)[..., 3]
            np.testing.assert_array_equal(got, alphas[frame + FIRST + 4])


def test_outside_its_range_a_clip_shows_its_ends(host_like: Open, alphas: Alphas):
    """A host that holds the last frame gets the last frame's matte with it."""
    with host_like("nuke", beyond=True) as host:
        host.create(**SMALL)
        np.testing.assert_array_equal(host.picture(LAST + 9, SHAPE)[..., 3], alphas[LAST])


def test_host_managed_colour_takes_what_the_host_says(host_like: Open, alphas: Alphas):
    """Scene-linear in the host's words is scene-linear in ours; another space is another matte."""
    with host_like("natron", colourspace="lin_rec709_srgb") as host:
        host.create(**SMALL, inputColourspace=7)
        np.testing.assert_array_equal(host.picture(1010, SHAPE)[..., 3], alphas[1010])
    with host_like("natron", colourspace="srgb_tx") as host:
        host.create(**SMALL, inputColourspace=7)
        assert np.abs(host.picture(1010, SHAPE)[..., 3] - alphas[1010]).max() > 0.001


def test_matte_range_now_makes_the_whole_clip(host_like: Open, site: Site, tmp_path: Path):
    """The button mattes every window once; renders after it find them finished."""
    with host_like("nuke") as host:
        host.create(**{**SMALL, "size": 48})
        host.click("matteRange")
        assert host.value("status") == "Matted 20 frames."
        before = len(site.windows_denoised())
        assert host.render(1011)["status"] == 0
        assert len(site.windows_denoised()) == before
        host.click("clearClip")
        assert host.render(1011)["status"] == 0
        assert len(site.windows_denoised()) == before  # the server has them still


def test_matte_range_now_takes_the_artists_range_and_cancel(host_like: Open):
    """First and last are the artist's; cancel ends it and keeps what is finished."""
    with host_like("nuke") as host:
        host.create(**{**SMALL, "size": 40}, rangeFirst=1003, rangeLast=1005)
        host.click("matteRange")
        assert host.value("status") == "Matted 3 frames."
    with host_like("nuke", progress_cancel_after=0) as host:
        host.create(**{**SMALL, "size": 44})
        host.click("matteRange")
        assert host.value("status").startswith("Cancelled after 0 frames")


def test_matte_range_now_says_what_to_do_about_a_range(host_like: Open):
    """Outside the source, the wrong way round, partly outside; the playhead may be anywhere."""
    with host_like("nuke") as host:
        host.create(**{**SMALL, "size": 40})
        for first, last, says in (
            (1, 10, "The range 1-10 lies outside the source, which is 1001-1020. Set First and"),
            (1010, 1005, "First, 1010, lies after Last, 1005. Swap them."),
            (
                1019,
                1030,
                "Matted 2 frames. The rest of 1019-1030 is outside the source's 1001-1020.",
            ),
        ):
            host.tell("set", instance="node", param="rangeFirst", value=first)
            host.tell("set", instance="node", param="rangeLast", value=last)
            host.click("matteRange", time=5.0)
            assert host.value("status").startswith(says)


@pytest.mark.parametrize("frames_of", ["host", "file"])
def test_bad_pixels_are_named_and_can_be_read_as_black(
    host_like: Open, tmp_path: Path, plate: HostPlate, frames_of: str
):
    """The remedy is a parameter of the node, not an option of the command line."""
    name = f"bad {frames_of}"
    bad = HostPlate(folder=tmp_path / name, width=WIDTH, height=HEIGHT, first=FIRST, last=FIRST)
    pixels = np.fromfile(plate.folder / f"{FIRST}.raw", np.float32).reshape(SHAPE)
    pixels[3, 5, 1] = np.nan
    bad.write(FIRST, pixels)
    write_exr(tmp_path / f"{name}.{FIRST}.exr", pixels[..., :3])
    with host_like("nuke", plate=bad) as host:
        host.create(
            **SMALL, plateFile=str(tmp_path / f"{name}.%04d.exr") if frames_of == "file" else ""
        )
        said = host.render(FIRST)["persistent"]
        assert "x 5, y 3" in said
        assert "the node's Bad Pixels (Read as Black)" in said
        assert "--" not in said
        host.tell("set", instance="node", param="badPixels", value=1)
        assert host.render(FIRST)["status"] == 0


def test_a_matte_knob_that_is_no_number_is_named(host_like: Open):
    """An expression may make anything of a parameter."""
    with host_like("nuke") as host:
        host.create(**SMALL, matteGamma=float("nan"))
        assert "gamma is nan; it must be a finite number" in host.render(FIRST)["persistent"]


def test_the_status_button_says_what_the_server_does(host_like: Open, alphas: Alphas):
    """Process, device and engine in one line."""
    with host_like("nuke") as host:
        host.create()
        host.click("askStatus")
        assert "test loaded" in host.value("status")


def test_the_preview_engine_is_labelled_on_the_node(build: Build, site: Site, tmp_path: Path):
    """An artist must see that a matte is preview grade."""
    small = HostPlate(folder=tmp_path / "one", width=WIDTH, height=HEIGHT, first=1, last=1)
    small.write(1, np.full(SHAPE, 0.5, np.float32))
    with hosting(build, tmp_path, plate=small, environment=site.environment, **NUKE) as host:
        host.create(engine=2)
        answer = host.render(1)
        assert answer["status"] == 0
        assert answer["persistent"].startswith("Preview matte")
        host.tell("set", instance="node", param="engine", value=3)
        assert host.render(1)["persistent"] == ""


@linux_only  # a path of Wine's means nothing to the Linux server
def test_an_edited_colour_configuration_counts_in_an_open_host(
    build: Build, tmp_path: Path, plate: HostPlate, site: Site
):
    """No stored alpha of the old one is shown."""
    config = tmp_path / "show.ocio"
    environment = {**site.environment, "OCIO": str(config)}
    seen = []
    with hosting(build, tmp_path, plate=plate, environment=environment, **HOSTS["nuke"]) as host:
        host.create(**SMALL)
        for gain in ("1.0", "0.125", "1.0"):
            config.write_text(CONFIG.replace("GAIN", gain) + "# " + gain)
            seen.append(host.picture(1003, SHAPE)[..., 3])
    assert not np.array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])
