"""The looks at a frame: the one more at whom the frame's lower border cuts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.preview.boxes import people
from gvm_server.matting.engines.preview.looks import COUNTS_FROM, Looks, levelled, look
from gvm_server.matting.engines.preview.nets import Net, Nets
from tests.support.portrait import portrait

HEIGHT, WIDTH = 180, 320
AS_BEFORE = replace(Looks(), lower_border=False)


class CountedNets(Nets):
    """The networks, which count the pictures that they see."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures = 0

    def see(self, net: Net, pictures: Image) -> Image:
        """See so many pictures."""
        self.pictures += len(pictures)
        return super().see(net, pictures)


@pytest.fixture
def nets() -> CountedNets:
    """Return networks that have seen nothing."""
    return CountedNets()


def drawn(height: int, width: int) -> Image:
    """Return the drawn person [h, w, 3]."""
    return np.ascontiguousarray(portrait(height, width).transpose(1, 2, 0))


def test_whom_the_lower_border_cuts_is_looked_at_once_more(nets: CountedNets):
    """As it is and mirrored; it counts near the border, and nothing changes far above it."""
    frame = drawn(HEIGHT, WIDTH)
    before = look(frame, nets, AS_BEFORE)
    seen = nets.pictures
    now = look(frame, nets, Looks())
    assert nets.pictures - seen == seen + 2
    (person,) = people(levelled(before), HEIGHT, WIDTH)
    assert person.bottom == HEIGHT
    far = HEIGHT - person.pixels(COUNTS_FROM)
    np.testing.assert_array_equal(now[:far], before[:far])
    assert np.abs(now - before)[far:].max() > 0.0
    assert now[-1, WIDTH // 2] > 0.95


def test_who_ends_above_the_lower_border_is_not(nets: CountedNets):
    """His matte is as it was, to the bit, for as many looks."""
    frame = np.full((HEIGHT, WIDTH, 3), 0.6, np.float32)
    frame[20:120, 100:220] = drawn(100, 120)
    before = look(frame, nets, AS_BEFORE)
    seen = nets.pictures
    np.testing.assert_array_equal(look(frame, nets, Looks()), before)
    assert nets.pictures == 2 * seen
    assert before.max() > 0.95


class SureNets(Nets):
    """Networks that see a person everywhere."""

    def see(self, net: Net, pictures: Image) -> Image:
        """See nothing else."""
        return np.ones((len(pictures), net.height, net.width), np.float32)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (3, 2), (5, 400), (400, 5)])
def test_a_person_of_a_few_pixels_is_cut_as_any_other(size: tuple[int, int]):
    """Of whom a margin is no pixel, its part divides nothing."""
    alpha = look(drawn(*size), SureNets(), Looks())
    np.testing.assert_array_equal(alpha, np.ones(size, np.float32))
