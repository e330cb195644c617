"""The node in hosts that behave as Resolve and Fusion do, so their plug-ins' authors say."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.ofx.conftest import FIRST, HEIGHT, LAST, WIDTH
from tests.ofx.fakehost import Build, HostPlate, Open, opening
from tests.support.plates import moving_disc, read_alpha
from tests.support.site import Site

SHAPE = (HEIGHT, WIDTH, 4)
SMALL = {"engine": 3, "size": 32, "framesPerWindow": 6, "overlap": 2}  # as the site's SMALL
LINEAR = {"inputColourspace": 2}
NEEDED = "OfxImageClipPropFrameRange_Source"


Alphas = dict[int, NDArray[np.float32]]


@pytest.fixture
def host_like(build: Build, tmp_path: Path, plate: HostPlate, warm_site: Site) -> Open:
    """Hosts on the machine with the warm server."""
    return opening(build, tmp_path, plate, warm_site.environment, like="resolve")


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


FRAMES = 8  # of the movie


@pytest.fixture(scope="module")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clip's first frames as a lossless movie."""
    path = tmp_path_factory.mktemp("movie") / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "bgr0"
        for frame in range(FIRST, FIRST + FRAMES):
            pixels = np.rint(moving_disc(frame, WIDTH, HEIGHT) * 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def by_index(tmp_path_factory: pytest.TempPathFactory, plate: HostPlate) -> HostPlate:
    """The clip as Resolve counts it: from 0."""
    folder = tmp_path_factory.mktemp("index")
    for frame in range(FIRST, LAST + 1):
        raw = (plate.folder / f"{frame}.raw").read_bytes()
        (folder / f"{frame - FIRST}.raw").write_bytes(raw)
    return HostPlate(folder=folder, width=WIDTH, height=HEIGHT, first=0, last=LAST - FIRST)


def test_the_media_that_resolve_names_is_read_where_the_artist_says_so(
    host_like: Open, warm_site: Site, movie: Path, by_index: HostPlate, tmp_path: Path
):
    """The movie's own frame is matted, and no neighbour is fetched from the host."""
    out = tmp_path / "out"
    words = ("--depth", "float", "--input-colorspace", "rec709")
    assert warm_site.matte(str(movie), out, *words).code == 0
    wanted = read_alpha(sorted(out.glob("*.exr"))[4])
    with host_like(source_path=str(movie)) as host:
        host.tell("plates", plate=by_index.said())
        host.create(**SMALL, readMedia=1)
        host.tell("forget_fetches")
        got = host.picture(4, SHAPE, source_frame=4)
        np.testing.assert_array_equal(got[..., 3], wanted)
        assert dict(host.tell("facts")["fetches"]) == {4: 1}


def test_the_media_that_resolve_names_may_be_another_picture(
    host_like: Open, alphas: Alphas, movie: Path, by_index: HostPlate
):
    """Zoomed, stabilised, graded: the node sees what comes before it, and so does the server."""
    with host_like(source_path=str(movie)) as host:
        host.tell("plates", plate=by_index.said())
        host.create(**SMALL, **LINEAR)
        np.testing.assert_array_equal(host.picture(4, SHAPE, source_frame=4)[..., 3], alphas[1005])


@pytest.mark.parametrize("source_frame", [3, 215404, -1])
def test_a_source_frame_of_another_base_is_not_used(
    host_like: Open, alphas: Alphas, movie: Path, by_index: HostPlate, source_frame: int
):
    """In some projects it counts from a time code, and may lie in the file all the same."""
    with host_like(source_path=str(movie)) as host:
        host.tell("plates", plate=by_index.said())
        host.create(**SMALL, **LINEAR, readMedia=1)
        got = host.picture(4, SHAPE, source_frame=source_frame)
        np.testing.assert_array_equal(got[..., 3], alphas[1005])


def test_a_clip_that_does_not_begin_with_0_does_not_count_its_media(
    host_like: Open, alphas: Alphas, movie: Path
):
    """Time and source frame agree, and neither is the movie's."""
    with host_like(source_path=str(movie)) as host:
        host.create(**SMALL, **LINEAR, readMedia=1)
        got = host.picture(1003, SHAPE, source_frame=1003)
        np.testing.assert_array_equal(got[..., 3], alphas[1003])


def test_media_that_the_server_cannot_read_leaves_the_hosts_frames(
    host_like: Open, alphas: Alphas, by_index: HostPlate, tmp_path: Path
):
    """Camera raw, or a file that is gone."""
    broken = tmp_path / "clip.mov"
    broken.write_bytes(b"no movie")
    for path in (str(broken), "/nowhere/clip.mov"):
        with host_like(source_path=path) as host:
            host.tell("plates", plate=by_index.said())
            host.create(**SMALL, **LINEAR, readMedia=1)
            got = host.picture(9, SHAPE, source_frame=9)
            np.testing.assert_array_equal(got[..., 3], alphas[1010])


MEDIA = {"source_path": "/p/A001_C002.braw"}  # the same for all instances of a clip


@pytest.mark.parametrize("order", [("whole", "short"), ("short", "whole")])
def test_instances_of_one_clip_share_mattes_though_their_ranges_differ(
    host_like: Open, warm_site: Site, alphas: Alphas, order: tuple[str, str]
):
    """Playback, filmstrip and eyes are told ranges a frame or two apart; no window runs twice."""
    with host_like(**MEDIA) as host:
        host.create("whole", **SMALL, **LINEAR)
        host.create("short", told_range=(FIRST, LAST - 1), **SMALL, **LINEAR)
        for name in order:  # as when a timeline is opened
            host.tell("frames_needed", instance=name, frame=FIRST)
        host.tell("render", instance=order[0], frame=LAST - 2)
        before = len(warm_site.windows_denoised())
        shown = host.picture(LAST - 2, SHAPE, instance=order[1])
        assert len(warm_site.windows_denoised()) == before
        np.testing.assert_array_equal(shown[..., 3], alphas[LAST - 2])
        for name in order:
            last = host.picture(LAST, SHAPE, instance=name)
            np.testing.assert_array_equal(last[..., 3], alphas[LAST])


def test_an_instance_that_is_not_given_the_other_s_frames_keeps_to_its_own(
    host_like: Open, alphas: Alphas
):
    """Its own clip's mattes, and no error at its end; the others keep the whole clip's."""
    with host_like(**MEDIA, only_own_range=True) as host:
        host.create("whole", **SMALL, **LINEAR)
        host.create("short", told_range=(FIRST, LAST - 1), **SMALL, **LINEAR)
        host.tell("frames_needed", instance="whole", frame=FIRST)
        shown = host.picture(LAST - 1, SHAPE, instance="short")
        assert 0.0 < shown[..., 3].mean() < 1.0
        last = host.picture(LAST, SHAPE, instance="whole")
        np.testing.assert_array_equal(last[..., 3], alphas[LAST])


def test_other_clips_of_the_same_media_keep_their_own_ranges(host_like: Open):
    """A subclip is no clip whose range was told wrongly; without media nothing tells them apart."""
    for media, last in ((MEDIA, LAST - 9), ({}, LAST - 1)):
        with host_like(**media) as host:
            host.create("whole", **SMALL)
            host.create("part", told_range=(FIRST, last), **SMALL)
            for name, end in (("whole", LAST), ("part", last), ("whole", LAST)):
                asked = host.tell("frames_needed", instance=name, frame=end)
                assert asked["out"][NEEDED][1] == end


def test_an_old_message_suite_opens_no_window_for_each_instance(host_like: Open):
    """Once for each text in the process; *Ask for Status* says it again on any node."""
    with host_like() as host:
        messages: list[str] = []
        for name in ("playback", "filmstrip", "left"):
            host.create(name, **SMALL, plateFile="/nowhere/a.%04d.exr")
            answer = host.tell("render", instance=name, frame=1003)
            assert answer["status"] == 1
            messages += answer["messages"]
        assert len(messages) == 1
        assert "/nowhere" in messages[0]
        host.click("askStatus", instance="left")
        assert f"Last said: {messages[0]}" in host.value("status", instance="left")


def test_branches_that_are_lent_one_buffer_put_out_their_own_pictures(
    host_like: Open, tmp_path: Path
):
    """Fusion writes over what it lent to another branch, and keeps the wrong frame in its cache."""
    with host_like("fusion") as host:
        jobs = []
        for branch, frame in (("left", 1003), ("right", 1012)):
            host.create(branch, **{**SMALL, "size": 36}, **LINEAR)
            save = str(tmp_path / f"{branch}.raw")
            jobs.append({"instance": branch, "frame": frame, "save": save})
        answers = host.tell("render_many", threads=2, jobs=jobs)["answers"]
        assert [answer["status"] for answer in answers] == [0, 0]
        assert host.tell("facts")["images_out"] == 0
        for job in jobs:
            shown = np.fromfile(job["save"], np.float32).reshape(SHAPE)
            source = moving_disc(job["frame"], WIDTH, HEIGHT).astype(np.float16)
            np.testing.assert_array_equal(shown[..., :3], source.astype(np.float32))
            alone = host.picture(job["frame"], SHAPE, instance=job["instance"])
            np.testing.assert_array_equal(shown, alone)
