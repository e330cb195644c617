"""Which file of a Read is shown at a time."""

from __future__ import annotations

import pytest

from gvm_nodes.natron.plate import TimedPlate


def placed(beyond: str, *, last: int = 4) -> TimedPlate:
    """Return a clip of files 1 to 4, a hundred later on the timeline."""
    return TimedPlate(
        path="/p.%04d.exr", first=1, last=last, shift=100, before=beyond, after=beyond
    )


@pytest.mark.parametrize(
    ("beyond", "numbers"),
    [
        ("hold", [1, 1, 1, 1, 2, 3, 4, 4, 4, 4]),
        ("loop", [2, 3, 4, 1, 2, 3, 4, 1, 2, 3]),
        ("bounce", [4, 3, 2, 1, 2, 3, 4, 3, 2, 1]),
        ("black", [None, None, None, 1, 2, 3, 4, None, None, None]),
        ("error", [None, None, None, 1, 2, 3, 4, None, None, None]),
    ],
)
def test_beyond_its_clip_a_read_holds_loops_bounces_or_shows_nothing(beyond, numbers):
    """As Natron's Read does, so that a render asks for the file that is seen."""
    assert [placed(beyond).number(time) for time in range(98, 108)] == numbers


@pytest.mark.parametrize("beyond", ["hold", "loop", "bounce"])
def test_a_clip_of_one_frame_shows_that_frame(beyond):
    """Always."""
    assert {placed(beyond, last=1).number(time) for time in range(95, 108)} == {1}
