"""The test engine: arithmetic in place of a model, so that everything around a model can be tested.

- It is bit for bit deterministic and needs numpy only.
- Like the real model, a frame's alpha depends on every frame of its window, on its place in the
  window, on the window's length, and on its decode chunk: a wrong plan shows in the pixels.
- Faults and delays come from the environment, read when it is loaded:
   GVM_TEST_ENGINE_SECONDS   time per frame, a third of it in each verb
   GVM_TEST_ENGINE_LOG       a file that gets one line per window denoised: its length and steps
   GVM_TEST_ENGINE_FAIL_AT   the window, counted from 1 at load, that fails with an EngineError
   GVM_TEST_ENGINE_LOST      a file; while it is there, the next window takes it away and the device
   GVM_TEST_ENGINE_ROOM      frames that its pretended memory has room for; a longer window fails
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.base import (
    ALL,
    APACHE,
    LUMA,
    DeviceLost,
    EngineEntry,
    EngineInfo,
    Image,
    Latent,
)
from gvm_server.matting.engines.maker import host_maker

CODE_VERSION = 2  # part of the keys
WEIGHTS = np.array(LUMA, dtype=np.float32)
OWN, WINDOW, PLACE = np.float32(0.6), np.float32(0.3), np.float32(0.1)  # shares in denoise
CHUNK = np.float32(0.1)  # the decode chunk's share in decode


def info() -> EngineInfo:
    """Return what is known of the test engine."""
    return EngineInfo(
        licence=APACHE,
        name="test",
        revision=f"test-{CODE_VERSION}",
        maker=host_maker,
        preview=False,
        spread=0.0,
        pad_multiple=32,  # as the real model's, so that padding is tested too
        load=_load,
        sees_parts=True,
        notes=("The test engine is arithmetic, not a model: its mattes mean nothing.",),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Faults:
    """Delays and failures to act out.

    Attributes:
        seconds: time per frame.
        log: the file that gets a line per window, or None.
        fail_at: the window that fails, counted from 1; 0 means none.
        room: the longest window that memory has room for; 0 means any.
        lost: the file whose presence makes the device fail for good, or None.
    """

    seconds: float = 0.0
    log: Path | None = None
    fail_at: int = 0
    room: int = 0
    lost: Path | None = None

    @classmethod
    def from_environment(cls) -> Faults:
        """Read the variables.

        Raises:
            EngineError: one of them is not a number.
        """
        log = os.environ.get("GVM_TEST_ENGINE_LOG", "")
        lost = os.environ.get("GVM_TEST_ENGINE_LOST", "")
        return cls(
            seconds=_number("GVM_TEST_ENGINE_SECONDS"),
            log=Path(log) if log else None,
            fail_at=int(_number("GVM_TEST_ENGINE_FAIL_AT")),
            room=int(_number("GVM_TEST_ENGINE_ROOM")),
            lost=Path(lost) if lost else None,
        )


class TestEngine:
    """The test engine, loaded; it remembers only how many windows it denoised, to fail on time."""

    __test__ = False  # a class of this name would be taken for tests

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._windows = 0

    def encode(self, frame: Image) -> Latent:
        """Return the luminance [h, w] of a frame [3, h, w]."""
        self._take_time(1)
        red, green, blue = frame * WEIGHTS[:, None, None]
        return cast("Image", red + green + blue)

    def denoise(self, latents: Sequence[Latent], *, steps: int) -> Sequence[Latent]:
        """Mix each frame with its window's mean and its place in the window, `steps` times.

        Raises:
            EngineError: this is the window that was to fail, or it is too long.
        """
        self._windows += 1
        if 0 < self._faults.room < len(latents):
            raise EngineError(
                f"The test engine has room for {self._faults.room} frames, not {len(latents)}.",
                remedy="Use fewer frames per window, or --on-oom backoff.",
                code=ErrorCode.OUT_OF_MEMORY,
            )
        self._take_time(len(latents))
        if self._faults.log is not None:
            with self._faults.log.open("a", encoding="utf-8") as log:
                log.write(f"{len(latents)} {steps}\n")
        if self._faults.lost is not None and self._faults.lost.exists():
            self._faults.lost.unlink()
            raise DeviceLost("The test engine's device failed, as it was told to.")
        if self._windows == self._faults.fail_at:
            raise EngineError(
                f"The test engine fails on window {self._windows}, as it was told to.",
                remedy="Unset GVM_TEST_ENGINE_FAIL_AT.",
            )
        window = np.stack(cast("Sequence[Image]", latents))
        places = np.arange(1, len(window) + 1, dtype=np.float32) / np.float32(len(window) + 1)
        for _ in range(steps):
            mean = window.mean(axis=0, dtype=np.float32)
            window = OWN * window + WINDOW * mean + PLACE * places[:, None, None]
        return list(window)

    def decode(
        self, latents: Sequence[Latent], *, chunk: int, halo: int, own: slice = ALL
    ) -> Image:
        """Mix each frame with the mean of its chunk and its halo: [T, h, w] in 0..1."""
        self._take_time(len(latents))
        window = np.stack(cast("Sequence[Image]", latents))
        mixed = np.empty_like(window)
        for first in range(0, len(window), chunk):
            part = slice(first, first + chunk)
            seen = window[max(0, first - halo) : first + chunk + halo]
            mean = seen.mean(axis=0, dtype=np.float32)
            mixed[part] = window[part] + CHUNK * (mean - window[part])
        return np.clip(mixed[own], 0.0, 1.0)

    def release(self) -> None:
        """Do nothing: it holds no memory."""

    def _take_time(self, frames: int) -> None:
        if self._faults.seconds:
            time.sleep(self._faults.seconds * frames / 3)


def _load(say: Callable[[str], None]) -> TestEngine:
    say("Loading the test engine.")
    return TestEngine(Faults.from_environment())


def _number(variable: str) -> float:
    value = os.environ.get(variable, "") or "0"
    try:
        return float(value)
    except ValueError:
        raise EngineError(
            f"{variable} is {value!r}; it must be a number.",
            remedy=f"Set {variable} to a number, or unset it.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
        ) from None


ENTRY = EngineEntry(describe=lambda _model, _machine: info())
