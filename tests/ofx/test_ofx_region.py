"""The node's region: the command line's alpha of it, wherever the host's pixels lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.ofx.conftest import FIRST, HEIGHT, LAST, WIDTH
from tests.ofx.fakehost import HOSTS, Open
from tests.support.plates import read_alpha, write_plate
from tests.support.site import Site

SHAPE = (HEIGHT, WIDTH, 4)
SMALL = {"engine": 3, "size": 32, "framesPerWindow": 6, "overlap": 2}  # as the site's SMALL
FRAME = FIRST + 6
# From the bottom left, and the same from the top left: rows 10 to 50 of 64.
LEFT, LOW, RIGHT, HIGH = 20, 14, 80, 54
ROI = f"{LEFT},{HEIGHT - HIGH},{RIGHT - LEFT},{HIGH - LOW}"
DRAWN = {"useRegion": 1, "regionLowerLeft": [LEFT, LOW], "regionUpperRight": [RIGHT, HIGH]}


@pytest.fixture(scope="module")
def region_alphas(warm_site: Site, exr_plate: str) -> dict[str, NDArray[np.float32]]:
    """The command line's alphas of a frame, by the region's scale."""
    made = {}
    for scale in ("1", "2"):
        out = warm_site.folder / f"region{scale}"
        words = ("--roi", ROI, "--roi-scale", scale, "--depth", "float")
        assert warm_site.matte(exr_plate, out, "--frames", str(FRAME), *words).code == 0
        made[scale] = read_alpha(out / f"plate.{FRAME}.exr")
    return made


def test_the_region_has_the_command_line_s_alpha(
    host_like: Open, region_alphas: dict[str, NDArray[np.float32]]
):
    """Bit for bit, at both scales; without it the whole picture is matted again."""
    with host_like() as host:
        host.create(**SMALL, **DRAWN)
        made = host.picture(FRAME, SHAPE)[..., 3]
        np.testing.assert_array_equal(made, region_alphas["1"])
        assert made[HEIGHT - HIGH : HEIGHT - LOW, LEFT:RIGHT].max() > 0.1
        assert not made[:, RIGHT + 16 :].any()
        host.tell("set", instance="node", param="regionScale", value=2.0)
        np.testing.assert_array_equal(host.picture(FRAME, SHAPE)[..., 3], region_alphas["2"])
        host.tell("set", instance="node", param="useRegion", value=0)
        assert (host.picture(FRAME, SHAPE)[..., 3] != region_alphas["1"]).any()


@pytest.mark.parametrize("name", ["resolve", "natron"])
def test_offsets_and_other_hosts_change_nothing(
    host_like: Open, region_alphas: dict[str, NDArray[np.float32]], name: str
):
    """The rectangle is drawn where the picture lies, also where that begins elsewhere than at 0."""
    with host_like(name) as host:
        x, y = HOSTS[name].get("offset_x", 0), HOSTS[name].get("offset_y", 0)
        corners = {
            "regionLowerLeft": [LEFT + x, LOW + y],
            "regionUpperRight": [RIGHT + x, HIGH + y],
        }
        host.create(**SMALL, inputColourspace=2, **{**DRAWN, **corners})
        np.testing.assert_array_equal(host.picture(FRAME, SHAPE)[..., 3], region_alphas["1"])


def test_wide_pixels_are_drawn_wide(host_like: Open, region_alphas: dict[str, NDArray[np.float32]]):
    """X of what an artist draws counts as it is looked at, twice the pixels here."""
    with host_like(pixel_aspect=2.0) as host:
        wide = {"regionLowerLeft": [2 * LEFT, LOW], "regionUpperRight": [2 * RIGHT, HIGH]}
        host.create(**SMALL, **{**DRAWN, **wide})
        alpha = host.picture(FRAME, SHAPE)[..., 3]
        assert not alpha[:, RIGHT + 16 :].any()
        assert alpha[HEIGHT - HIGH : HEIGHT - LOW, LEFT:RIGHT].max() > 0.1


def test_a_proxy_s_region_is_the_same_part_of_the_picture(host_like: Open):
    """At half the size it is half as far from the corner."""
    with host_like() as host:
        host.create(**SMALL, **DRAWN)
        path = host._folder / "half.raw"
        assert host.render(FRAME, scale=0.5, save=str(path))["status"] == 0
        half = np.fromfile(path, np.float32).reshape(HEIGHT // 2, WIDTH // 2, 4)[..., 3]
        assert not half[:, (RIGHT + 32) // 2 :].any()
        top, low = (HEIGHT - HIGH) // 2, (HEIGHT - LOW) // 2
        assert half[top:low, LEFT // 2 : RIGHT // 2].max() > 0.1


def test_a_region_on_disk_is_the_same(
    host_like: Open, region_alphas: dict[str, NDArray[np.float32]], exr_plate: str
):
    """The server reads the file itself."""
    with host_like() as host:
        host.create(**SMALL, **DRAWN, plateFile=exr_plate)
        made = host.picture(FRAME, SHAPE)[..., 3]
        np.testing.assert_allclose(made, region_alphas["1"], atol=1e-3)  # halves on their way
        assert not made[:, RIGHT + 16 :].any()


def test_a_plate_on_disk_of_another_size_is_refused_with_a_region(host_like: Open, tmp_path: Path):
    """The region would lie elsewhere in it: both sizes are said; without a region it is taken."""
    larger = write_plate(tmp_path / "large", range(FIRST, LAST + 1), width=192, height=128)
    with host_like() as host:
        host.create(**SMALL, **DRAWN, plateFile=larger, plateCheck=2)
        answer = host.render(FRAME)
        assert answer["status"] == 1
        assert "192x128 pixels and the clip 96x64" in answer["persistent"]
        host.tell("set", instance="node", param="useRegion", value=0)
        assert host.render(FRAME)["status"] == 0


def test_a_subject_that_the_region_cuts_is_said_on_the_node(host_like: Open):
    """Delivered, with the sides; a region that holds all of it says nothing."""
    with host_like() as host:
        host.create(**SMALL, **{**DRAWN, "regionUpperRight": [50, 40]})
        answer = host.render(FRAME)
        assert answer["status"] == 0
        assert "touches the region's border" in answer["persistent"]
        assert "the subject is cut there" in answer["persistent"]
        host.tell("set", instance="node", param="regionLowerLeft", value=[0, 0])
        host.tell("set", instance="node", param="regionUpperRight", value=[WIDTH, HEIGHT])
        assert host.render(FRAME)["persistent"] == ""


def test_moving_the_region_runs_the_model_and_moving_it_back_does_not(
    host_like: Open, warm_site: Site
):
    """What was made is found again."""
    with host_like() as host:
        host.create(**SMALL, **DRAWN)
        host.picture(FRAME, SHAPE)
        before = len(warm_site.windows_denoised())
        host.tell("set", instance="node", param="regionUpperRight", value=[70, 50])
        host.picture(FRAME, SHAPE)
        moved = len(warm_site.windows_denoised())
        assert moved > before
        host.tell("set", instance="node", param="regionUpperRight", value=[RIGHT, HIGH])
        host.picture(FRAME, SHAPE)
        assert len(warm_site.windows_denoised()) == moved


@pytest.mark.parametrize(
    ("corners", "says"),
    [
        ({"regionUpperRight": [LEFT, HIGH]}, "has no area"),
        ({"regionLowerLeft": [0.0, 0.0], "regionUpperRight": [0.0, 0.0]}, "has no area"),
        (
            {"regionLowerLeft": [5000.0, 0.0], "regionUpperRight": [5010.0, 9.0]},
            "outside the picture",
        ),
        ({"regionScale": 9.0}, "roi_scale"),
    ],
)
def test_a_region_that_cannot_be_is_said_on_the_node(
    host_like: Open, corners: dict[str, Any], says: str
):
    """What the artist chose for errors stands there."""
    with host_like() as host:
        host.create(**SMALL, **{**DRAWN, **corners})
        answer = host.render(FRAME)
        assert answer["status"] == 1
        assert says in answer["persistent"]


def test_switching_it_on_gives_the_whole_picture_to_draw_on(host_like: Open):
    """In canonical coordinates; a region that was drawn stays."""
    with host_like("natron", pixel_aspect=2.0) as host:
        host.create(**SMALL)
        host.tell("set", instance="node", param="useRegion", value=1)
        host.click("useRegion")
        x, y = HOSTS["natron"]["offset_x"], HOSTS["natron"]["offset_y"]
        assert host.value("regionLowerLeft") == [2 * x, y]
        assert host.value("regionUpperRight") == [2 * (x + WIDTH), y + HEIGHT]
        host.tell("set", instance="node", param="regionUpperRight", value=[50, 50])
        host.click("useRegion")
        assert host.value("regionUpperRight") == [50, 50]


def test_a_range_is_matted_in_the_region(host_like: Open, warm_site: Site):
    """Matte Range Now makes what the renders then find."""
    with host_like() as host:
        host.create(**SMALL, **{**DRAWN, "regionUpperRight": [76, 52]})
        host.tell("set", instance="node", param="rangeFirst", value=FIRST)
        host.tell("set", instance="node", param="rangeLast", value=LAST)
        host.click("matteRange")
        assert host.value("status") == f"Matted {LAST - FIRST + 1} frames."
        before = len(warm_site.windows_denoised())
        host.picture(FRAME, SHAPE)
        assert len(warm_site.windows_denoised()) == before
