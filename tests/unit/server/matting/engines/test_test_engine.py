"""The test engine: deterministic, and sensitive to everything that a wrong plan would change."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines import test as test_engine
from gvm_server.matting.engines.base import Engine, Image


@pytest.fixture(autouse=True)
def no_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each test without faults, whatever the shell has set."""
    for name in ("SECONDS", "LOG", "FAIL_AT"):
        monkeypatch.delenv(f"GVM_TEST_ENGINE_{name}", raising=False)


def loaded() -> Engine:
    """Return the test engine."""
    return test_engine.info().load(lambda sentence: None)


def frames(count: int, seed: int = 0) -> list[Image]:
    """Return working frames [3, 4, 6]."""
    return list(np.random.default_rng(seed).random((count, 3, 4, 6), np.float32))


def matte(window: list[Image], *, steps: int = 1, chunk: int = 0) -> Image:
    """Run one window through all three verbs of a fresh engine."""
    engine = loaded()
    latents = engine.denoise([engine.encode(frame) for frame in window], steps=steps)
    return engine.decode(latents, chunk=chunk or len(window), halo=0)


def test_a_window_gives_the_same_bits_twice():
    """Nothing random, nothing kept."""
    window = frames(5)
    assert np.array_equal(matte(window), matte(window))


def test_alphas_are_in_range():
    """[T, h, w] float32 in 0..1, even of frames beyond it."""
    alphas = matte([3 * frame - 1 for frame in frames(3)], steps=3)
    assert alphas.shape == (3, 4, 6)
    assert alphas.dtype == np.float32
    assert alphas.min() >= 0.0
    assert alphas.max() <= 1.0


def test_a_frame_depends_on_every_other_frame_of_its_window():
    """Changing the last frame moves the first one's alpha."""
    window = frames(6)
    changed = [*window[:-1], 1 - window[-1]]
    assert not np.array_equal(matte(window)[0], matte(changed)[0])


def test_a_frame_depends_on_its_place():
    """A still clip does not give a still matte, as with the real model."""
    alphas = matte([frames(1)[0]] * 4)
    assert len({alpha.tobytes() for alpha in alphas}) == 4


def test_a_frame_depends_on_the_windows_length():
    """The same still frame in a shorter window is another matte."""
    still = frames(1)[0]
    assert not np.array_equal(matte([still] * 4)[0], matte([still] * 5)[0])


def test_a_frame_depends_on_steps_and_on_its_decode_chunk():
    """Both are part of the keys, so both must show."""
    window = frames(4)
    once = matte(window)
    assert not np.array_equal(once, matte(window, steps=2))
    assert not np.array_equal(once, matte(window, chunk=2))


def test_decoding_leaves_the_latents_as_they_were():
    """Latents are shared between windows; nobody writes into them."""
    engine = loaded()
    latents = [engine.encode(frame) for frame in frames(3)]
    before = [np.array(latent) for latent in latents]
    engine.decode(engine.denoise(latents, steps=1), chunk=2, halo=2)
    engine.decode(latents, chunk=2, halo=2)
    assert all(np.array_equal(a, b) for a, b in zip(latents, before, strict=True))


def test_the_log_has_a_line_per_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Tests count how often the model ran."""
    log = tmp_path / "windows.log"
    monkeypatch.setenv("GVM_TEST_ENGINE_LOG", str(log))
    matte(frames(4))
    matte(frames(2), steps=3)
    assert log.read_text() == "4 1\n2 3\n"


def test_the_window_that_was_told_to_fail_fails(monkeypatch: pytest.MonkeyPatch):
    """Only the second window raises."""
    monkeypatch.setenv("GVM_TEST_ENGINE_FAIL_AT", "2")
    engine = loaded()
    latents = [engine.encode(frame) for frame in frames(2)]
    engine.denoise(latents, steps=1)
    with pytest.raises(EngineError, match="fails on window 2") as raised:
        engine.denoise(latents, steps=1)
    assert raised.value.code is ErrorCode.ENGINE_FAILED
    engine.denoise(latents, steps=1)


def test_the_delay_is_taken_per_frame(monkeypatch: pytest.MonkeyPatch):
    """Three frames at 20 ms take 60 ms at least, over the three verbs."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "0.02")
    started = time.monotonic()
    matte(frames(3))
    assert time.monotonic() - started >= 0.06


def test_a_fault_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch):
    """The error names the variable and its value."""
    monkeypatch.setenv("GVM_TEST_ENGINE_SECONDS", "soon")
    with pytest.raises(EngineError, match="GVM_TEST_ENGINE_SECONDS is 'soon'") as raised:
        loaded()
    assert raised.value.code is ErrorCode.ENGINE_UNAVAILABLE


def test_it_says_that_its_mattes_mean_nothing():
    """Nobody mistakes it for an engine."""
    known = test_engine.info()
    assert known.name == "test"
    assert known.revision == "test-2"
    assert any("mean nothing" in note for note in known.notes)


def test_it_needs_no_torch():
    """The whole server can be tested where torch is slow to import or absent."""
    asks = (
        "import sys; from gvm_server.matting.engines import test as test_engine;"
        "test_engine.info().load(print); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asks], check=False).returncode == 0
