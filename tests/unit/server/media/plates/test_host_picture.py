"""A host's picture is told from the other frames of its clip, whatever the host made of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from gvm_client.errors import ErrorCode, InputError, JobCancelled
from gvm_server.media.geometry import Box
from gvm_server.media.plates.host_picture import Match, Picture, boxes_of, match
from tests.support.pictures import (
    CLIPS,
    FRAMES,
    HEIGHT,
    SHOWN,
    WIDTH,
    Pixels,
    eight_bit,
    letterboxed,
    linear,
    log,
)
from tests.support.shown import ClipInMemory, flat, picture_of

OWN = 20  # the frame that is shown
WHOLE = Box(x=0, y=0, width=WIDTH, height=HEIGHT)


@pytest.fixture(scope="module")
def walk() -> list[Pixels]:
    """A person who walks through the picture."""
    return [CLIPS["walk"](frame) for frame in range(FRAMES)]


@pytest.fixture(scope="module", params=CLIPS)
def moving(request: pytest.FixtureRequest, walk: list[Pixels]) -> ClipInMemory:
    """A clip that moves."""
    if request.param == "walk":
        return ClipInMemory(walk)
    return ClipInMemory([CLIPS[request.param](frame) for frame in range(FRAMES)])


def matched(clip: ClipInMemory, picture: Picture, frame: int) -> Match:
    """Return the match of a picture with a frame of a clip."""
    return match(clip, clip.geometry(), picture, frame, clip.thumbnails, check_ending=lambda: None)


def refused(clip: ClipInMemory, picture: Picture, frame: int) -> InputError | None:
    """Return the error of a picture that is not the frame's; None where it is."""
    try:
        matched(clip, picture, frame)
    except InputError as error:
        return error if error.code is ErrorCode.PLATE_MISMATCH else None
    return None


@pytest.mark.parametrize("made", SHOWN)
def test_a_picture_passes_at_its_own_number_only(moving: ClipInMemory, made: str):
    """Two stops, log, 8 bit, half size and bars are no difference; 5 frames are."""
    picture = picture_of(SHOWN[made](linear(moving.read(OWN).pixels)))
    assert matched(moving, picture, OWN).frame == OWN
    numbers = [OWN - 10, OWN - 5, OWN + 5, OWN + 9, OWN + 20]
    assert all(refused(moving, picture, number) for number in numbers)


def test_one_frame_is_read_where_it_is_the_one(walk: list[Pixels]):
    """A render costs its own frame's thumbnail, and no second one when it is rendered again."""
    clip = ClipInMemory(walk)
    for made in ("as it is", "log, 8 bit", "two stops down, 8 bit"):
        picture = picture_of(SHOWN[made](linear(walk[OWN - 1])))
        matched(clip, picture, OWN)
    assert clip.reads == [OWN]


def test_neighbours_that_cannot_be_told_apart_pass(walk: list[Pixels]):
    """A held frame has the matte of each of its copies."""
    clip = ClipInMemory([walk[0]] * 12)
    assert matched(clip, picture_of(log(linear(walk[0]))), 7).frame == 7


def test_the_refusal_names_the_frame_and_what_to_set(walk: list[Pixels]):
    """Where the right frame is near, the artist reads by how much the offset is wrong."""
    clip, picture = ClipInMemory(walk), picture_of(walk[OWN - 1])
    near = refused(clip, picture, OWN - 1)
    assert near is not None
    assert f"frame {OWN - 1} of /plate/clip.mov has; it is that of frame {OWN}" in near.message
    assert "Plate Offset, here by +1, or set its Plate Check" in near.remedy
    far = refused(clip, picture, OWN + 20)
    assert far is not None
    assert "Plate Offset, or set its Plate Check to Search the Clip" in far.remedy


def test_a_search_finds_the_frame_wherever_it_is(moving: ClipInMemory):
    """From a number in the clip, at its ends and beyond; in half size and 8 bit too."""
    for made in ("as it is", "half size, log, two stops down, 8 bit"):
        picture = picture_of(SHOWN[made](linear(moving.read(OWN).pixels)), search=True)
        for number in (OWN, OWN + 1, 1, FRAMES, FRAMES + 200, -7):
            assert matched(moving, picture, number).frame == OWN


def test_a_search_passes_over_frames_that_are_gone(walk: list[Pixels]):
    """Holes in a sequence are not what is shown."""
    clip = ClipInMemory(walk, gone=[1, 2, 19])
    assert matched(clip, picture_of(walk[OWN - 1], search=True), 1).frame == OWN


def test_another_clip_s_picture_is_never_found(walk: list[Pixels]):
    """The error says that the file is the wrong one."""
    clip = ClipInMemory(walk)
    error = refused(clip, picture_of(CLIPS["pan"](3), search=True), OWN)
    assert error is not None
    assert "No frame of /plate/clip.mov shows the host's picture" in error.message
    assert "Plate File" in error.remedy


def test_a_search_ends_with_its_job(walk: list[Pixels]):
    """Long clips are looked through frame by frame; a cancel is heard between two."""

    def check_ending() -> None:
        if len(clip.reads) == 3:
            raise JobCancelled("Enough.")

    clip, picture = ClipInMemory(walk), picture_of(CLIPS["pan"](3), search=True)
    with pytest.raises(JobCancelled):
        match(clip, clip.geometry(), picture, OWN, clip.thumbnails, check_ending)
    assert len(clip.reads) == 3


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_picture_without_detail_is_a_flat_frame_s_only(walk: list[Pixels], value: float):
    """A black slug is not the plate's frame; a black frame is."""
    assert refused(ClipInMemory(walk), picture_of(flat(value)), OWN)
    assert refused(ClipInMemory([flat(0.3)] * 3), picture_of(flat(value)), 2) is None


@pytest.mark.parametrize(
    ("shown", "box"),
    [
        (lambda light: letterboxed(light, 4 / 3), Box(x=0, y=-60, width=640, height=480)),
        (lambda light: letterboxed(light, 2.0), Box(x=-40, y=0, width=720, height=360)),
        (lambda light: light[:, 80:560], Box(x=80, y=0, width=480, height=360)),
        (lambda light: light[40:320], Box(x=0, y=40, width=640, height=280)),
        (lambda light: np.repeat(light, 2, axis=1), WHOLE),
        (lambda light: light[::2, ::2], WHOLE),
    ],
    ids=["bars above", "bars beside", "sides cut", "top cut", "stretched", "small"],
)
def test_the_matte_lies_where_the_picture_lies(walk: list[Pixels], shown, box: Box):
    """Between bars, cropped and stretched: what the host's picture covers of the file's."""
    picture = picture_of(eight_bit(log(shown(linear(walk[OWN - 1])))))
    assert matched(ClipInMemory(walk), picture, OWN).box == box


def test_a_host_of_odd_pixels_has_the_same_picture():
    """One row more or less, after a proxy's rounding, is no other aspect."""
    clip = ClipInMemory([flat(0.3, 361, 640)])
    assert boxes_of(clip.geometry(), 640 / 360) == [clip.geometry().display]


def test_a_picture_that_is_nearly_all_bars_takes_no_memory():
    """Its aspect is a request's word; what it covers is bounded."""
    clip = ClipInMemory([flat(0.3)])
    boxes: Sequence[Box] = boxes_of(clip.geometry(), 100.0)
    assert all(box.area <= 4 * clip.geometry().display.area for box in boxes)


def test_a_frame_outside_of_the_clip_is_said_elsewhere(walk: list[Pixels]):
    """By the look-up, with the clip's extent."""
    clip = ClipInMemory(walk)
    assert matched(clip, picture_of(walk[3]), FRAMES + 10).frame == FRAMES + 10
    assert clip.reads == []
