"""Promise 3: memory does not grow with the clip."""

from __future__ import annotations

from tests.perf.memory import peaks

FRAMES = 1200  # `python -m tests.perf.memory` does 5,000


def test_the_server_s_memory_stays_where_it_was_after_200_frames(site):
    """Frames in, frames out, and at most 5 % more memory."""
    before, after = peaks(site, FRAMES)
    assert after <= 1.05 * before
