"""The node with a plate file: it mattes the picture that the host shows, or says that it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.ofx.fakehost import HOSTS, NUKE, Build, HostPlate, Open, hosting, opening
from tests.support.pictures import CLIPS, HEIGHT, WIDTH, letterboxed, linear, srgb
from tests.support.plates import read_alpha, write_exr
from tests.support.site import Site

LAST = 16
FRAMES = range(1, LAST + 1)
SHAPE = (HEIGHT, WIDTH, 4)
SMALL = {"engine": 3, "size": 32, "framesPerWindow": 6, "overlap": 2, "inputColourspace": 2}
REFUSE, SEARCH, NONE = 0, 1, 2
STEP = 0.5001 / 255  # of an alpha in 8 bit

Alphas = dict[int, NDArray[np.float32]]


def light(frame: int) -> NDArray[np.float32]:
    """Return the clip's picture in linear light, as half floats hold it."""
    return linear(CLIPS["walk"](2 * frame)).astype(np.float16).astype(np.float32)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The clip on disk."""
    folder = tmp_path_factory.mktemp("file")
    for frame in FRAMES:
        write_exr(folder / f"clip.{frame:04d}.exr", light(frame))
    return str(folder / "clip.%04d.exr")


@pytest.fixture(scope="module")
def alphas(warm_site: Site, file: str) -> Alphas:
    """The command line's alphas of the file."""
    out = warm_site.folder / "alphas"
    assert warm_site.matte(file, out, "--depth", "float").code == 0
    return {frame: read_alpha(out / f"clip.{frame:04d}.exr") for frame in FRAMES}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> HostPlate:
    """The clip as a video host shows it: display-referred."""
    return HostPlate.of(
        tmp_path_factory.mktemp("shown"), {frame: srgb(light(frame)) for frame in FRAMES}
    )


@pytest.fixture
def mlt(build: Build, tmp_path: Path, shown: HostPlate, warm_site: Site) -> Open:
    """Hosts that behave like MLT."""
    return opening(build, tmp_path, shown, warm_site.environment, like="mlt")


def _same(picture: NDArray[np.float32], alpha: NDArray[np.float32]) -> bool:
    return bool(np.abs(picture[..., 3] - alpha).max() <= STEP)


def test_after_a_cut_another_frame_s_alpha_is_an_error(mlt: Open, file: str, alphas: Alphas):
    """MLT counts from the cut: the node names the frame, and what to set."""
    with mlt(cut=6) as host:
        host.create(**SMALL, plateFile=file)
        answer = host.render(3)
        assert answer["status"] == 1
        said = answer["messages"][-1]
        assert "The host shows another picture than frame 3 of" in said
        assert "it is that of frame 9" in said
        assert "Plate Offset, here by +6" in said
        host.tell("set", instance="node", param="plateOffset", value=6)
        assert _same(host.picture(3, SHAPE), alphas[9])


def test_no_other_picture_s_alpha_is_in_the_output_of_an_error(mlt: Open, file: str):
    """MLT does not look at the status: what it takes is the source."""
    with mlt(cut=6) as host:
        host.create(**SMALL, plateFile=file, onError=2)
        assert np.all(host.picture(3, SHAPE)[..., 3] == 1.0)


@pytest.mark.parametrize(
    ("manner", "frame_of"),
    [
        ({"cut": 6}, lambda time: time + 6),
        ({"rate": 24 / 50}, lambda time: 1 + round((time - 1) * 24 / 50)),
        ({"cut": 3, "rate": 25 / 12}, lambda time: 4 + round((time - 1) * 25 / 12)),
    ],
    ids=["cut", "slower", "cut and faster"],
)
def test_a_search_finds_what_the_host_shows(
    mlt: Open, file: str, alphas: Alphas, manner: dict[str, Any], frame_of
):
    """After a cut and at another frame rate, in any order, by an instance for each frame."""
    with mlt(**manner) as host:
        for time in (5, 2, 6, 1):
            host.create(f"of {time}", **SMALL, plateFile=file, plateCheck=SEARCH)
            picture = host.picture(time, SHAPE, instance=f"of {time}")
            assert _same(picture, alphas[frame_of(time)]), time


def test_a_search_finds_no_other_clip(mlt: Open, file: str, tmp_path: Path):
    """The node says that the file is the wrong one."""
    other = HostPlate.of(tmp_path / "other", {frame: CLIPS["pan"](frame) for frame in (1, 2)})
    with mlt(plate=other) as host:
        host.create(**SMALL, plateFile=file, plateCheck=SEARCH)
        answer = host.render(2)
        assert answer["status"] == 1
        assert "shows the host's picture" in answer["messages"][-1]
        host.tell("set", instance="node", param="plateCheck", value=NONE)
        assert host.render(2)["status"] == 0


@pytest.mark.parametrize("aspect", [4 / 3, 2.39])
def test_between_bars_the_alpha_lies_on_the_picture(
    mlt: Open, file: str, alphas: Alphas, tmp_path: Path, aspect: float
):
    """A profile of another aspect: nothing is stretched over the bars."""
    pictures = {frame: letterboxed(srgb(light(frame)), aspect) for frame in (7, 8)}
    with mlt(plate=HostPlate.of(tmp_path / "bars", pictures)) as host:
        host.create(**SMALL, plateFile=file)
        picture = host.picture(8, (*pictures[8].shape[:2], 4))
        assert _same(picture, letterboxed(alphas[8][..., None], aspect)[..., 0])


@pytest.mark.parametrize("depth", ["Byte", "Short", "Half", "Float"])
@pytest.mark.parametrize("stops", [-2, 2])
def test_exposure_and_depth_are_no_other_picture(
    mlt: Open, file: str, alphas: Alphas, tmp_path: Path, depth: str, stops: int
):
    """What an artist grades before the node is the same frame."""
    graded = {frame: srgb(light(frame) * np.float32(2.0**stops)) for frame in (7, 8)}
    with mlt(plate=HostPlate.of(tmp_path / "graded", graded), depth=f"OfxBitDepth{depth}") as host:
        host.create(**SMALL, plateFile=file)
        assert _same(host.picture(8, SHAPE), alphas[8])


def test_a_proxy_is_the_same_picture(
    build: Build, tmp_path: Path, shown: HostPlate, warm_site: Site, file: str
):
    """At half and a quarter of the size, whatever filter the host has."""
    with hosting(build, tmp_path, plate=shown, environment=warm_site.environment, **NUKE) as host:
        host.create(**SMALL, plateFile=file)
        for scale in (0.5, 0.25):
            assert host.render(8, scale=scale)["status"] == 0


def test_matte_range_now_compares_too(
    build: Build, tmp_path: Path, shown: HostPlate, warm_site: Site, file: str
):
    """Where the host gives pictures of other times."""
    host_of = hosting(
        build, tmp_path, plate=shown, environment=warm_site.environment, cut=3, **NUKE
    )
    with host_of as host:
        host.create(**SMALL, plateFile=file, rangeFirst=2, rangeLast=5)
        host.click("matteRange")
        assert "another picture than frame 2" in host.value("status")
        host.tell("set", instance="node", param="plateCheck", value=SEARCH)
        host.click("matteRange")
        assert host.value("status") == "Matted 4 frames."


def test_media_that_shows_another_frame_leaves_the_host_s_frames(
    build: Build, tmp_path: Path, warm_site: Site
):
    """Equal aspect does not prove the same picture: what Resolve names may be another one."""
    plate = HostPlate.of(tmp_path / "plate", {frame - 1: srgb(light(frame)) for frame in FRAMES})
    for late, fetched in ((0, 1), (5, 6)):
        movie = tmp_path / f"clip{late}.mkv"
        with av.open(str(movie), "w") as container:
            stream = container.add_stream("ffv1", rate=24)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
            for frame in FRAMES:
                pixels = np.rint(srgb(light(frame + late)) * 255).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode())
        with hosting(
            build,
            tmp_path,
            plate=plate,
            environment=warm_site.environment,
            source_path=str(movie),
            **HOSTS["resolve"],
        ) as host:
            host.create(**{**SMALL, "inputColourspace": 1, "readMedia": 1})
            host.tell("forget_fetches")
            assert host.render(7, source_frame=7)["status"] == 0
            assert len(host.tell("facts")["fetches"]) == fetched
