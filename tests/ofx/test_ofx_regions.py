"""A clip whose region changes from frame to frame: the whole picture is matted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.ofx.conftest import FIRST, HEIGHT, WIDTH
from tests.ofx.fakehost import HOSTS, Build, FakeHost, HostPlate, Open, hosting, opening
from tests.support.site import Site

LAST = FIRST + 5
SHAPE = (HEIGHT, WIDTH, 4)
SMALL = {"engine": 3, "size": 32, "framesPerWindow": 3, "overlap": 1}
WHOLE = [0, 0, WIDTH, HEIGHT]
LATER = FIRST + 4  # its window does not see the first frame
REGION = "OfxImageEffectActionGetRegionOfDefinition"


@pytest.fixture
def host_like(build: Build, tmp_path: Path, plate: HostPlate, warm_site: Site) -> Open:
    """Hosts on the machine with the warm server, on the clip's first six frames."""
    short = HostPlate(folder=plate.folder, width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
    return opening(build, tmp_path, short, warm_site.environment)


def later(host: FakeHost) -> NDArray[np.float32]:
    """Return the alpha of a frame whose window sees whole frames only."""
    return host.picture(LATER, SHAPE)[..., 3]


@pytest.fixture(scope="module")
def wanted(
    build: Build, tmp_path_factory: pytest.TempPathFactory, plate: HostPlate, warm_site: Site
):
    """The alpha of that frame where every region is the whole picture."""
    short = HostPlate(folder=plate.folder, width=WIDTH, height=HEIGHT, first=FIRST, last=LAST)
    folder = tmp_path_factory.mktemp("wanted")
    environment = warm_site.environment
    with hosting(build, folder, plate=short, environment=environment, **HOSTS["nuke"]) as host:
        host.create(**SMALL)
        return later(host)


SMALL_FIRST = {str(FIRST): [0, 0, 8, 8]}
EMPTY_FIRST = {str(FIRST): [0, 0, 0, 0]}
WANDERING = {
    str(FIRST + step): [7 * step, 3 * step, 40 + 7 * step, 30 + 3 * step] for step in (0, 1)
}


@pytest.mark.parametrize("name", ["nuke", "resolve", "natron"])
@pytest.mark.parametrize("regions", [SMALL_FIRST, EMPTY_FIRST, WANDERING])
def test_later_frames_have_the_matte_that_they_have_without_it(
    host_like: Open, wanted: NDArray[np.float32], regions: dict[str, list[int]], name: str
):
    """A small, an empty and a wandering beginning change nothing of windows without them."""
    with host_like(name, regions=regions) as host:
        host.create(**SMALL, inputColourspace=2)
        np.testing.assert_array_equal(later(host), wanted)
        assert host.render(FIRST)["status"] == 0
        assert host.tell("facts")["images_out"] == 0


def test_regions_that_differ_are_windows_on_the_projects_picture(host_like: Open):
    """One region for all frames is the clip's format, whatever the project's is."""
    project = [0.0, 0.0, float(WIDTH), float(HEIGHT)]
    same = {str(frame): [10, 8, 60, 50] for frame in range(FIRST, LAST + 1)}
    differ = {**same, str(LAST): [10, 8, 61, 70]}
    for regions, whole in ((same, [10, 8, 60, 50]), (differ, [0, 0, WIDTH, 70])):
        with host_like(regions=regions, project=project) as host:
            host.create(**SMALL, matteInvert=1)
            answer = host.tell("action", instance="node", name=REGION, frame=FIRST)
            assert answer["out"]["OfxImageEffectPropRegionOfDefinition"] == whole


def test_an_empty_frame_is_black_with_no_matte_and_inverted_a_full_one(host_like: Open):
    """Its neighbours' windows see it as black; nothing fails."""
    with host_like(regions={str(FIRST + 1): [0, 0, 0, 0]}) as host:
        host.create(**SMALL)
        assert not host.picture(FIRST + 1, SHAPE).any()
        assert host.picture(FIRST, SHAPE)[..., 3].max() > 0
        host.tell("set", instance="node", param="matteInvert", value=1)
        assert (host.picture(FIRST + 1, SHAPE)[..., 3] == 1).all()


def test_an_inverted_matte_reaches_over_the_whole_picture(host_like: Open):
    """The node says so to the host, and is solid where no frame of the clip has pixels."""
    regions = {str(frame): [20, 16, 60, 50] for frame in range(FIRST, LAST + 1)}
    with host_like(regions=regions) as host:
        host.create(**SMALL)
        plain = host.tell("action", instance="node", name=REGION, frame=FIRST)
        assert plain["status"] == 14  # the host's own answer: the source's region
        host.tell("set", instance="node", param="matteInvert", value=1)
        answer = host.tell("action", instance="node", name=REGION, frame=FIRST)
        assert answer["out"]["OfxImageEffectPropRegionOfDefinition"] == [20, 16, 60, 50]
        alpha = host.picture(FIRST, SHAPE)[..., 3]
        assert (alpha[: HEIGHT - 52] == 1).all()
        assert (alpha[:, :18] == 1).all()


def test_regions_without_end_are_the_projects_rectangle(
    host_like: Open, wanted: NDArray[np.float32]
):
    """A constant, or a generator: the host says infinite and gives its format's pixels."""
    project = [0.0, 0.0, float(WIDTH), float(HEIGHT)]
    for known in ({"project": project}, {}):
        with host_like(infinite=True, **known) as host:
            host.create(**SMALL)
            np.testing.assert_array_equal(later(host), wanted)
