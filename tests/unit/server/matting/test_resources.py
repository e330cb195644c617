"""Latents in memory: recalled by key, bounded by bytes and by count."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gvm_server.matting.resources import LatentCache


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
