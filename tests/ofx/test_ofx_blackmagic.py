"""The node in hosts that behave as Resolve and Fusion do, so their plug-ins' authors say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.ofx.conftest import FIRST, HEIGHT, LAST, WIDTH
from tests.ofx.fakehost import HOSTS, Build, FakeHost, HostPlate, hosting
from tests.support.plates import moving_disc, read_alpha
from tests.support.site import Site, machine

SHAPE = (HEIGHT, WIDTH, 4)
SMALL = {"engine": 3, "size": 32, "framesPerWindow": 6, "overlap": 2}  # as the site's SMALL
LINEAR = {"inputColourspace": 2}
NEEDED = "OfxImageClipPropFrameRange_Source"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One machine for all these tests."""
    with machine(tmp_path_factory.mktemp("site")) as site:
        site.environment["GVM_SERVER"] = f"{sys.executable} -m gvm_server serve"
        yield site


Alphas = dict[int, NDArray[np.float32]]


@pytest.fixture(scope="module")
def alphas(site: Site, exr_plate: str) -> Alphas:
    """The command line's alphas of the clip."""
    out = site.folder / "alphas"
    assert site.matte(exr_plate, out, "--depth", "float").code == 0
    return {frame: read_alpha(out / f"plate.{frame}.exr") for frame in range(FIRST, LAST + 1)}


class Open(Protocol):
    """Opens a host on the clip."""

    def __call__(self, name: str = "resolve", **behaviour: Any) -> AbstractContextManager[FakeHost]:
        """Return a host that behaves like the one of that name."""
        ...


@pytest.fixture
def host_like(build: Build, tmp_path: Path, plate: HostPlate, site: Site) -> Open:
    """Hosts on the machine with the warm server."""

    def open_host(name: str = "resolve", **behaviour: Any) -> AbstractContextManager[FakeHost]:
        like = {**HOSTS[name], **behaviour}
        return hosting(build, tmp_path, plate=plate, environment=site.environment, **like)

    return open_host


def test_a_filmstrip_s_picture_shows_the_source_and_asks_nobody(host_like: Open, alphas: Alphas):
    """Resolve says it of the clip, in a render of full scale; each would have run a window."""
    with host_like() as host:
        host.create(**SMALL, **LINEAR)
        host.tell("forget_fetches")
        shown = host.picture(1003, SHAPE, clip_thumbnail=1)
        assert np.all(shown[..., 3] == 1.0)
        assert dict(host.tell("facts")["fetches"]) == {1003: 1}
        needed = host.tell("frames_needed", instance="node", frame=1003)["out"][NEEDED]
        assert needed == [1003, 1003]
        shown = host.picture(1003, SHAPE, clip_thumbnail=0)
        np.testing.assert_array_equal(shown[..., 3], alphas[1003])


@pytest.mark.parametrize("said", ["lin_rec709_srgb", "ofx_scene_linear"])
@pytest.mark.parametrize(
    "edition", ["DaVinciResolveLite", "DaVinciResolve", "DaVinciResolveStudio"]
)
def test_what_resolve_says_of_its_colours_is_taken(
    host_like: Open, alphas: Alphas, edition: str, said: str
):
    """A colour-managed project is not Rec.709; *Ask for Status* says what was taken."""
    with host_like(host=edition, colourspace=said) as host:
        host.create(**SMALL)
        np.testing.assert_array_equal(host.picture(1010, SHAPE)[..., 3], alphas[1010])
        host.click("askStatus")
        assert host.value("status").endswith("The source is read as scene_linear.")


@pytest.mark.parametrize("edition", ["DaVinciResolveLite", "DaVinciResolve"])
@pytest.mark.parametrize("said", ["", "rec1886_rec709_display", "davinci_intermediate_widegamut"])
def test_what_resolve_does_not_say_or_nobody_knows_is_rec709(
    host_like: Open, alphas: Alphas, edition: str, said: str
):
    """Its timeline's; an unknown name ends no render."""
    with host_like(host=edition, colourspace=said) as host:
        host.create(**SMALL)
        shown = host.picture(1010, SHAPE)[..., 3]
        host.tell("set", instance="node", param="inputColourspace", value=4)
        np.testing.assert_array_equal(host.picture(1010, SHAPE)[..., 3], shown)
        assert np.abs(shown - alphas[1010]).max() > 0.001


@pytest.mark.parametrize(
    "said", ["lin_rec2020", "lin_p3d65", "lin_davinci_widegamut", "ACES2065-1", "ACEScct"]
)
def test_wide_spaces_that_resolve_says_are_read(host_like: Open, alphas: Alphas, said: str):
    """By their primaries, whatever OCIO configuration the server has."""
    with host_like(colourspace=said) as host:
        host.create(**SMALL)
        assert np.abs(host.picture(1010, SHAPE)[..., 3] - alphas[1010]).max() > 0.0001
