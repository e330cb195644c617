"""Pixels that a host holds: pushed through mapped files, alphas back through mapped files."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gvm_client.client import Client
from gvm_client.connection import read_connection
from gvm_client.errors import ErrorCode
from gvm_client.folders import pixels_dir
from gvm_client.pixels import PixelBuffer, delete_frame, open_frame
from gvm_client.protocol.messages import (
    Done,
    EngineName,
    Failed,
    FilePlate,
    FrameKey,
    FrameReady,
    GiveFrames,
    MappedFrame,
    MappedOutput,
    Matte,
    NeedFrames,
    PixelType,
    PushedPlate,
)
from gvm_client.settings import Priority, WindowSettings
from gvm_client.windows import Plan, needs
from tests.support.plates import moving_disc, read_alpha, write_plate
from tests.support.serving import until

WIDTH, HEIGHT = 96, 64
WINDOW = WindowSettings(frames_per_window=6, overlap=2, size=32)  # as the fixture's SMALL
PLAN = Plan(first=1, last=40, frames_per_window=6, overlap=2)


def _pixels(frame: int) -> np.ndarray:
    """Return what a half EXR of the frame holds, as float."""
    return moving_disc(frame, WIDTH, HEIGHT).astype(np.float16).astype(np.float32)


class Host:
    """A host that holds a clip, and gives the frames that the server asks for."""

    def __init__(self, client: Client, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.given: list[int] = []
        self.asks = 0

    def render(self, frame: int, **changes: object) -> tuple[np.ndarray, Done]:
        """Ask for one frame's alpha as a node does."""
        wanted = needs(PLAN, frame)
        keys = tuple(FrameKey(frame=t, key=_hash(t)) for t in wanted.frames)
        plate = PushedPlate(name="node", first=1, last=40, width=WIDTH, height=HEIGHT, frames=keys)
        request = Matte(
            job=uuid.uuid4().hex,
            plate=replace(plate, **changes),
            output=MappedOutput(),
            frames=str(frame),
            window=WINDOW,
            engine=EngineName.TEST,
            priority=Priority.INTERACTIVE,
        )
        alpha = None
        with ExitStack() as lent:
            for event in self.client.matte(request):
                if isinstance(event, NeedFrames):
                    self._give(event, lent)
                elif isinstance(event, FrameReady):
                    with open_frame(self.folder, event.mapped) as view:
                        alpha = np.frombuffer(view, np.float32).reshape(HEIGHT, WIDTH).copy()
                    delete_frame(self.folder, event.mapped)
        assert isinstance(event, Done), event
        return alpha, event

    def _give(self, need: NeedFrames, lent: ExitStack) -> None:
        frames = []
        for frame in need.frames:
            pixels = _pixels(frame)
            buffer = lent.enter_context(PixelBuffer.create(self.folder, pixels.nbytes))
            buffer.write(pixels.tobytes())
            frames.append(
                MappedFrame(
                    frame=frame,
                    key=_hash(frame),
                    buffer=buffer.name,
                    offset=0,
                    width=WIDTH,
                    height=HEIGHT,
                    channels=3,
                    pixel_type=PixelType.FLOAT,
                )
            )
        self.given += need.frames
        self.asks += 1
        self.client.answer(GiveFrames(job=need.job, frames=tuple(frames)))


def _hash(frame: int) -> str:
    return hashlib.blake2b(_pixels(frame).tobytes(), digest_size=16).hexdigest()


@pytest.fixture
def host(site, tmp_path) -> Iterator[Host]:
    """A host connected to a running server."""
    plate = write_plate(tmp_path / "plate", range(1, 41))
    assert site.matte(plate, "out", "--depth", "float").code == 0
    site.gvm("cache", "clear")
    with _connected(site) as host:
        yield host


@contextmanager
def _connected(site) -> Iterator[Host]:
    with Client(read_connection(site.runtime)) as client:
        yield Host(client, pixels_dir(site.runtime))


def test_a_host_s_pixels_give_the_command_line_s_alphas(site, host, tmp_path):
    """Frames pushed in any order equal the EXRs bit for bit; each is given once a job at most."""
    for frame in (17, 3, 40, 5, 17):
        alpha, _ = host.render(frame)
        assert alpha.tobytes() == read_alpha(tmp_path / "out" / f"plate.{frame:04d}.exr").tobytes()
    assert not list(host.folder.iterdir()), "a buffer was left"


def test_a_frame_that_was_made_needs_no_pixels(host):
    """The second render of a frame comes from the cache and asks the host for nothing."""
    host.render(20)
    host.given.clear()
    _, done = host.render(20)
    assert host.given == []
    assert done.windows_run == 0


def test_a_window_that_is_found_damaged_has_its_frames_from_the_host(host, tmp_path):
    """All at once, as for any window: the device does not wait for a host frame by frame."""
    host.render(20)
    host.client.release()  # the latents too
    host.given.clear()
    host.asks = 0
    for path in (tmp_path / "cache" / "windows").rglob("*.window"):
        os.truncate(path, 100)
    alpha, done = host.render(19)
    assert alpha.tobytes() == read_alpha(tmp_path / "out" / "plate.0019.exr").tobytes()
    assert done.windows_run > 0
    assert "damaged and made again" in " ".join(done.notes)
    assert sorted(host.given) == list(needs(PLAN, 19).frames)
    assert host.asks <= 1 + done.windows_run


def test_a_host_that_names_too_few_frames_is_told(host):
    """A plate without the frames of the window fails with their numbers."""
    few = (FrameKey(frame=20, key=_hash(20)),)
    with pytest.raises(AssertionError) as caught:
        host.render(20, frames=few)
    assert "plate_missing" in str(caught.value)


def test_a_file_s_foreground_is_refused_before_a_model_runs(site, host, tmp_path):
    """A file's pixels need not be those that a host shows."""
    request = Matte(
        job=uuid.uuid4().hex,
        plate=FilePlate(path=str(tmp_path / "plate" / "plate.%04d.exr")),
        output=MappedOutput(foreground=True),
        frames="3",
        window=WINDOW,
        engine=EngineName.TEST,
    )
    *_, failed = host.client.matte(request)
    assert isinstance(failed, Failed)
    assert failed.code is ErrorCode.BAD_REQUEST
    assert "Clear the node's Plate File" in failed.remedy


def test_the_buffers_of_a_host_that_died_go_while_the_server_runs(site, host):
    """They may lie in memory; nobody waits for the next server."""
    code = "import sys; from pathlib import Path; from gvm_client.pixels import PixelBuffer; "
    code += "PixelBuffer.create(Path(sys.argv[1]), 1 << 20)"
    subprocess.run([sys.executable, "-c", code, str(host.folder)], check=True)
    assert list(host.folder.iterdir())
    assert until(lambda: not list(host.folder.iterdir()), seconds=20)


def test_a_buffer_that_is_not_there_fails_the_job_and_not_the_server(site, host):
    """Pixels that cannot be taken are the job's failure."""
    wanted = tuple(FrameKey(frame=t, key=_hash(t)) for t in needs(PLAN, 30).frames)
    plate = PushedPlate(name="node", first=1, last=40, width=WIDTH, height=HEIGHT, frames=wanted)
    request = Matte(
        job=uuid.uuid4().hex,
        plate=plate,
        output=MappedOutput(),
        frames="30",
        window=WINDOW,
        engine=EngineName.TEST,
    )
    for event in host.client.matte(request):
        if isinstance(event, NeedFrames):
            gone = [
                MappedFrame(
                    frame=frame,
                    key=_hash(frame),
                    buffer="gone",
                    offset=0,
                    width=WIDTH,
                    height=HEIGHT,
                    channels=3,
                    pixel_type=PixelType.FLOAT,
                )
                for frame in event.frames
            ]
            host.client.answer(GiveFrames(job=event.job, frames=tuple(gone)))
    assert isinstance(event, Failed)
    assert event.code is ErrorCode.PLATE_UNREADABLE
    assert host.render(30)[1].frames_written == 1
