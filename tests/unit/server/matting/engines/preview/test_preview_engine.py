"""The preview engine: what it finds, what it leaves empty, and what it costs to ask about it."""

from __future__ import annotations

import subprocess
import sys
from typing import cast

import cv2
import numpy as np
import pytest

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.preview.engine import MANNER, MANNERS, PreviewEngine, info
from gvm_server.matting.engines.preview.looks import levelled
from gvm_server.matting.engines.preview.nets import LANDSCAPE, Nets
from gvm_server.matting.engines.preview.steady import Seen
from tests.support.portrait import portrait


@pytest.fixture(scope="module")
def engine() -> PreviewEngine:
    """Return the loaded engine."""
    return PreviewEngine()


def alpha_of(engine: PreviewEngine, frame: Image) -> Image:
    """Return what the engine makes of one frame by itself."""
    return cast("Seen", engine.encode(frame)).alpha


def small_person(height: int, width: int, side: int) -> Image:
    """Return a plain wall [3, height, width] with the drawn person at its lower right."""
    wall = np.full((3, height, width), 0.6, np.float32)
    wall[:, -side:, -side:] = portrait(side, side)
    return wall


def test_a_drawn_person_is_found(engine: PreviewEngine):
    """The face's middle is opaque and the corners are empty, in both shapes of frame."""
    for height, width in ((180, 320), (320, 180)):
        alpha = alpha_of(engine, portrait(height, width))
        assert alpha.shape == (height, width)
        assert alpha.dtype == np.float32
        assert alpha[int(0.4 * height), width // 2] > 0.95
        assert max(alpha[0, 0], alpha[0, -1]) < 0.05
        assert alpha.min() >= 0.0
        assert alpha.max() <= 1.0


def test_an_empty_wall_gives_an_empty_matte(engine: PreviewEngine):
    """Where nobody is found every pixel is exactly 0."""
    alpha = alpha_of(engine, np.full((3, 120, 200), 0.5, np.float32))
    assert not alpha.any()


def test_outside_the_box_alpha_is_zero(engine: PreviewEngine):
    """A person in one corner leaves the other three quarters exactly empty."""
    alpha = alpha_of(engine, small_person(360, 640, 170))
    assert alpha[-80:, -110:-60].mean() > 0.9
    assert not alpha[:160].any()
    assert not alpha[:, :400].any()


def test_the_close_look_sharpens_a_small_person(engine: PreviewEngine):
    """A small person's matte is nearer to the same person's close-up than one look gives."""
    side = 120
    close = alpha_of(engine, portrait(480, 480))
    wanted = cv2.resize(close, (side, side), interpolation=cv2.INTER_AREA)
    frame = small_person(360, 640, side)
    twice = alpha_of(engine, frame)[-side:, -side:]
    small = cv2.resize(frame.transpose(1, 2, 0), (256, 144), interpolation=cv2.INTER_AREA)
    rough = levelled(Nets().see(LANDSCAPE, small.transpose(2, 0, 1)[np.newaxis])[0])
    once = cv2.resize(rough, (640, 360))[-side:, -side:]
    assert np.abs(twice - wanted).mean() < 0.5 * np.abs(once - wanted).mean()


def test_two_people_who_stand_apart_are_both_found(engine: PreviewEngine):
    """Each as by himself: a second one far away makes the first no worse."""
    alone = np.full((3, 360, 640), 0.6, np.float32)
    alone[:, -150:, :150] = portrait(150, 150)
    both = alone.copy()
    both[:, -150:, -150:] = portrait(150, 150)
    one, two = alpha_of(engine, alone), alpha_of(engine, both)
    assert np.abs(one - two)[:, :320].mean() < 0.002
    assert np.abs(two[:, :150] - two[:, -150:]).mean() < 0.01
    assert two[-60:, -110:-40].mean() > 0.9


def test_the_same_frame_gives_the_same_bits(engine: PreviewEngine):
    """Nothing is kept between calls: another frame in between changes nothing."""
    frame = portrait(144, 256)
    first = alpha_of(engine, frame)
    engine.encode(small_person(144, 256, 100))
    assert np.array_equal(first, alpha_of(engine, frame))


def test_a_read_only_frame_is_taken(engine: PreviewEngine):
    """A frame from a shared, read-only buffer is read and left as it was."""
    frame = portrait(96, 128)
    frame.flags.writeable = False
    assert alpha_of(engine, frame).max() > 0.5


def test_a_still_clip_stays_as_each_frame_is(engine: PreviewEngine):
    """The mean over equal frames is the frame's own matte, whatever steps and chunk say."""
    latents = [engine.encode(portrait(64, 96)) for _ in range(5)]
    alphas = engine.decode(engine.denoise(latents, steps=3), chunk=1, halo=2)
    assert alphas.shape == (5, 64, 96)
    assert alphas.dtype == np.float32
    np.testing.assert_array_equal(alphas, np.stack([alphas[0]] * 5))
    np.testing.assert_array_equal(alphas[0], alpha_of(engine, portrait(64, 96)))


def test_the_engine_is_labelled_preview():
    """Name, revision, upsampling and notes say what this engine is."""
    known = info()
    assert known.name == "preview"
    assert known.preview
    assert known.revision.startswith("preview-5-")
    assert {"onnxruntime", "device"} < dict(known.maker()).keys()
    assert known.spread == 0.35
    assert known.pad_multiple == 1
    assert any("garbage or core" in note for note in known.notes)
    assert known.reach == 2
    assert known.parallel


def test_the_engine_runs_without_torch():
    """Asking for its keys loads no run time at all; a matte loads none but its own."""
    works = (
        "import sys, numpy; from gvm_server.matting.engines.preview import engine\n"
        "known = engine.info(); known.maker()\n"
        "asked = 'onnxruntime' in sys.modules\n"
        "made = known.load(print)\n"
        "made.decode([made.encode(numpy.ones((3, 40, 60), 'f4'))], chunk=1, halo=0)\n"
        "sys.exit(asked or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", works], check=False).returncode == 0


def test_another_manner_is_another_revision(monkeypatch: pytest.MonkeyPatch):
    """It is told apart in every key, and a name that is none is refused."""
    best = info()
    monkeypatch.setenv(MANNER, "single-look")
    single = info()
    assert single.revision == best.revision + "-single-look"
    assert single.reach == 0
    monkeypatch.setenv(MANNER, "matting")
    assert (info().revision, info().reach) == (best.revision + "-matting", best.reach)
    monkeypatch.setenv(MANNER, "glance")
    with pytest.raises(EngineError, match=r"glance.*single-look") as raised:
        info()
    assert raised.value.code is ErrorCode.ENGINE_UNAVAILABLE
    assert MANNER in raised.value.remedy


def test_a_single_look_sees_each_frame_alone():
    """Its window is its frames' own mattes."""
    engine = PreviewEngine(MANNERS["single-look"])
    latents = [engine.encode(portrait(64, side)) for side in (96, 96)]
    alphas = engine.decode(latents, chunk=2, halo=0)
    np.testing.assert_array_equal(alphas[1], cast("Seen", latents[1]).alpha)
    assert alphas.max() > 0.9


def test_loading_says_what_it_loads():
    """The sentence that a person reads while waiting names the network and the device."""
    said: list[str] = []
    loaded = info().load(said.append)
    assert said == ["Loading the preview network on cpu."]
    loaded.release()


def test_frames_that_a_job_has_begun_are_looked_at_after_the_release():
    """They are encoded ahead: the job that waits meanwhile failed with an unexpected error."""
    engine, frame = PreviewEngine(), portrait(90, 160)
    before = alpha_of(engine, frame)
    engine.release()
    np.testing.assert_array_equal(alpha_of(engine, frame), before)
