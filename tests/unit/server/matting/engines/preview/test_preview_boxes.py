"""The boxes in which the preview engine looks again: one for each who stands apart."""

from __future__ import annotations

import numpy as np

from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.preview.boxes import Box, beyond, people, without_specks


def _rough(*parts: tuple[slice, slice]) -> Image:
    alpha = np.zeros((100, 200), np.float32)
    for part in parts:
        alpha[part] = 0.9
    return alpha


LEFT = (slice(20, 80), slice(10, 40))
RIGHT = (slice(10, 60), slice(120, 150))


def test_people_who_stand_apart_get_boxes_of_their_own():
    """From the top down, tight, in the frame's pixels."""
    boxes = people(_rough(LEFT, RIGHT), 200, 400)
    assert boxes == (
        Box(top=20, bottom=120, left=240, right=300),
        Box(top=40, bottom=160, left=20, right=80),
    )


def test_people_whose_boxes_meet_share_one():
    """Also where a third one is what joins two."""
    near = (slice(30, 70), slice(45, 60))
    assert people(_rough(LEFT, near), 100, 200) == (Box(top=20, bottom=80, left=10, right=60),)
    chain = [(slice(30, 60), slice(first, first + 28)) for first in (10, 74, 42)]
    assert people(_rough(*chain), 100, 200) == (Box(top=30, bottom=60, left=10, right=102),)


def test_haze_and_specks_are_nobody():
    """What is half transparent, or smaller than a five-hundredth of the frame."""
    assert people(np.full((100, 200), 0.5, np.float32), 100, 200) == ()
    assert people(_rough((slice(3, 8), slice(3, 8))), 100, 200) == ()


def test_a_margin_grows_with_the_longer_side_and_ends_at_the_frame():
    """A tenth of 60 rows on each side."""
    box = Box(top=20, bottom=80, left=3, right=40).widened(0.1, 100, 42)
    assert box == Box(top=14, bottom=86, left=0, right=42)


def test_specks_go_and_people_stay_as_they_are():
    """A lone blob where nobody was found goes; a person's soft fringe and a found part stay."""
    rough = _rough(LEFT)
    alpha = np.zeros((200, 400), np.float32)
    alpha[38:162, 18:82] = 0.02
    alpha[40:160, 20:80] = 1.0
    person = alpha.copy()
    alpha[190:196, 300:306] = 0.6
    np.testing.assert_array_equal(without_specks(alpha, rough), person)
    np.testing.assert_array_equal(without_specks(person, rough), person)


def test_a_head_apart_from_its_body_is_part_of_it():
    """What is too small for a person is not left out where a larger part is near."""
    head = (slice(12, 17), slice(22, 27))
    assert people(_rough(LEFT, head), 100, 200) == (Box(top=12, bottom=80, left=10, right=40),)


def test_who_goes_on_beyond_a_box_is_found_to():
    """The box around what is found, in the frame's pixels, where it touches an inner side."""
    box = Box(top=20, bottom=60, left=0, right=30)
    alpha = np.zeros((40, 30), np.float32)
    alpha[10:30, 0:20] = 0.9
    assert beyond(alpha, box, 100, 200) is None, "the frame ends at the left"
    alpha[0:10, 12:15] = 0.9
    assert beyond(alpha, box, 100, 200) == Box(top=20, bottom=50, left=0, right=20)
    assert beyond(alpha, Box(top=0, bottom=40, left=0, right=30), 100, 200) is None
