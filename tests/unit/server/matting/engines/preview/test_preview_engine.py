"""The preview engine: what it finds, what it leaves empty, and what it costs to ask about it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.preview import engine as preview
from gvm_server.matting.engines.preview.engine import SPREAD, PreviewEngine, info, person_box
from tests.support.portrait import portrait


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Leave the machine's other cores to the other tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def engine() -> PreviewEngine:
    """Return the loaded engine."""
    return PreviewEngine()


def small_person(height: int, width: int, side: int) -> Image:
    """Return a plain wall [3, height, width] with the drawn person at its lower right."""
    wall = np.full((3, height, width), 0.6, np.float32)
    wall[:, -side:, -side:] = portrait(side, side)
    return wall


def test_a_drawn_person_is_found(engine: PreviewEngine):
    """The face's middle is opaque and the corners are empty, in both shapes of frame."""
    for height, width in ((180, 320), (320, 180)):
        alpha = np.asarray(engine.encode(portrait(height, width)))
        assert alpha.shape == (height, width)
        assert alpha.dtype == np.float32
        assert alpha[int(0.4 * height), width // 2] > 0.95
        assert max(alpha[0, 0], alpha[0, -1]) < 0.05
        assert alpha.min() >= 0.0
        assert alpha.max() <= 1.0


def test_an_empty_wall_gives_an_empty_matte(engine: PreviewEngine):
    """Where nobody is found every pixel is exactly 0."""
    alpha = np.asarray(engine.encode(np.full((3, 120, 200), 0.5, np.float32)))
    assert not alpha.any()


def test_outside_the_box_alpha_is_zero(engine: PreviewEngine):
    """A person in one corner leaves the other three quarters exactly empty."""
    alpha = np.asarray(engine.encode(small_person(360, 640, 170)))
    assert alpha[-80:, -110:-60].mean() > 0.9
    assert not alpha[:160].any()
    assert not alpha[:, :400].any()


def test_the_second_look_sharpens_a_small_person(
    engine: PreviewEngine, monkeypatch: pytest.MonkeyPatch
):
    """A small person's matte is nearer to the same person's close-up than one look gives."""
    side = 120
    close = np.asarray(engine.encode(portrait(480, 480)))
    wanted = cv2.resize(close, (side, side), interpolation=cv2.INTER_AREA)
    frame = small_person(360, 640, side)
    twice = np.asarray(engine.encode(frame))[-side:, -side:]
    monkeypatch.setattr(preview, "person_box", lambda alpha: None)
    with torch.inference_mode():
        once = engine._look(torch.tensor(frame)[None], preview.LANDSCAPE).numpy()[-side:, -side:]
    assert np.abs(twice - wanted).mean() < 0.5 * np.abs(once - wanted).mean()


def test_the_same_frame_gives_the_same_bits(engine: PreviewEngine):
    """Nothing is kept between calls: another frame in between changes nothing."""
    frame = portrait(144, 256)
    first = np.asarray(engine.encode(frame))
    engine.encode(small_person(144, 256, 100))
    assert np.array_equal(first, np.asarray(engine.encode(frame)))


def test_a_read_only_frame_is_taken(engine: PreviewEngine):
    """A frame from a shared, read-only buffer is read and left as it was."""
    frame = portrait(96, 128)
    frame.flags.writeable = False
    assert np.asarray(engine.encode(frame)).max() > 0.5


def test_denoise_and_decode_change_nothing(engine: PreviewEngine):
    """A window's alphas are its frames' latents, whatever steps and chunk say."""
    latents = [engine.encode(portrait(64, side)) for side in (96, 96)]
    alphas = engine.decode(engine.denoise(latents, steps=3), chunk=1, halo=2)
    assert alphas.shape == (2, 64, 96)
    assert np.array_equal(alphas[0], np.asarray(latents[0]))


def test_the_box_has_a_margin_and_stays_in_the_frame():
    """The box grows by a tenth of its longer side, cut at the frame's border."""
    alpha = np.zeros((100, 200), np.float32)
    alpha[5:45, 50:70] = 0.9
    rows, columns = person_box(alpha) or (slice(0), slice(0))
    assert (rows.start, rows.stop) == (1, 49)
    assert (columns.start, columns.stop) == (46, 74)
    alpha[0:5, 60] = 0.9
    rows, _ = person_box(alpha) or (slice(0), slice(0))
    assert rows.start == 0


def test_an_empty_alpha_has_no_box():
    """Half transparent haze is not a person."""
    assert person_box(np.full((8, 8), 0.5, np.float32)) is None


def test_the_engine_is_labelled_preview():
    """Name, revision, spread and notes say what this engine is."""
    known = info()
    assert known.name == "preview"
    assert known.preview
    assert known.revision.startswith("preview-2-")
    assert ("device", "cpu") in known.maker()
    assert known.spread == SPREAD
    assert known.pad_multiple == 1
    assert any("one person" in note for note in known.notes)


def test_asking_about_the_engine_does_not_import_torch():
    """The keys of a job are made on machines and in moments that should not load a model."""
    asks = (
        "import sys; from gvm_server.matting.engines.preview.engine import info; info();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asks], check=False).returncode == 0


def test_loading_says_what_it_loads():
    """The sentence that a person reads while waiting names the network and the device."""
    said: list[str] = []
    loaded = info().load(said.append)
    assert said == ["Loading the preview network on cpu."]
    loaded.release()


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A package without its weights gives an error with the path and the remedy."""
    monkeypatch.setattr(preview, "WEIGHTS", tmp_path)
    preview._weights_digest.cache_clear()
    with pytest.raises(EngineError) as raised:
        info()
    assert raised.value.code is ErrorCode.ENGINE_UNAVAILABLE
    assert raised.value.path == str(tmp_path / "square.safetensors")
    assert "Install" in raised.value.remedy
