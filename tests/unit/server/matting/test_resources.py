"""Latents in memory: recalled by key, bounded by bytes and by count; what frames take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import EngineError
from gvm_client.windows import Plan
from gvm_server.matting.region import ShotView
from gvm_server.matting.resources import FramesInHand, LatentCache, check_memory
from gvm_server.matting.working_size import padded
from gvm_server.media.geometry import Box, ClipGeometry


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 50)), max_size=60))
def test_the_bounds_hold_whatever_is_kept(kept: list[tuple[int, int]]):
    """Bytes and count stay below the bounds, and the bytes held are those of the latents there."""
    store = LatentCache(limit_bytes=400, limit_frames=5)
    for number, count in kept:
        store.keep(b"%d" % number, np.zeros(count, np.float32))
        held = [store.recall(b"%d" % known) for known in range(21)]
        there = [latent for latent in held if latent is not None]
        assert len(there) <= 5
        assert store.nbytes == sum(latent.nbytes for latent in there) <= 400


def test_the_least_recently_used_leaves_first():
    """Recalling counts as use."""
    store = LatentCache(limit_bytes=1 << 20, limit_frames=2)
    for name in (b"a", b"b"):
        store.keep(name, np.zeros(1, np.float32))
    assert store.recall(b"a") is not None
    store.keep(b"c", np.zeros(1, np.float32))
    assert b"a" in store
    assert b"b" not in store
    store.clear()
    assert b"a" not in store
    assert store.nbytes == 0


def test_latents_that_turned_out_wrong_are_dropped():
    """Those of a window that failed; the others stay, and what is held is theirs."""
    store = LatentCache(limit_bytes=1 << 20)
    for name in (b"a", b"b", b"c"):
        store.keep(name, np.zeros(10, np.float32))
    store.drop([b"a", b"c", b"unknown"])
    assert [name in store for name in (b"a", b"b", b"c")] == [False, True, False]
    assert store.nbytes == 40


def test_frames_that_an_engine_looks_at_besides_count_too():
    """A window that fits without them is refused with them, and the sentence says both."""
    box = Box(x=0, y=0, width=4096, height=2304)
    view = ShotView(first=1, seen=box, working=padded(576, 1024, 1))
    plan = Plan(first=1, last=99, frames_per_window=4, overlap=1)
    alone = FramesInHand(view=view, plan=plan, hands=2)
    among = replace(alone, plan=replace(plan, reach=2))
    bare = alone.nbytes(box)
    longer = replace(alone, plan=replace(plan, frames_per_window=6)).nbytes(box)
    assert among.nbytes(box) == longer, "two windows are in hand"
    geometry = ClipGeometry(display=box, canvas=box)
    check_memory("p", geometry, alone, available=lambda: bare)
    with pytest.raises(EngineError, match="Windows of 4 frames and the 2 on each side of p"):
        check_memory("p", geometry, among, available=lambda: bare)
