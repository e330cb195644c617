"""A busy studio's requests, for `benchmarks/soak.py`: many kinds, each with the end it should have.

Every seat has shots of its own, copies of a sequence and of three movies, in which frames are now
and then rendered again. Their pictures stay the same, so that any matte can be compared, bit for
bit, with the one that the server made before the load.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random

import numpy as np

from gvm_client.client import Client
from gvm_client.connection import read_connection
from gvm_client.errors import ErrorCode, GvmError, JobFailed
from gvm_client.folders import pixels_dir
from gvm_client.pixels import PixelBuffer, delete_frame, open_frame
from gvm_client.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    EngineName,
    Failed,
    FileOutput,
    FilePlate,
    FrameKey,
    FrameReady,
    GiveFrames,
    JobEvent,
    MappedFrame,
    MappedOutput,
    Matte,
    NeedFrames,
    PixelType,
    PushedPlate,
)
from gvm_client.settings import Depth, MatteKnobs, Priority, WindowSettings
from gvm_client.windows import Plan, needs
from tests.fakes.plates import MovieSpec, write_movie
from tests.support.plates import moving_disc, read_alpha, write_plate
from tests.support.site import Site

FRAMES, WIDTH, HEIGHT = 16, 64, 48
SEQUENCE = "plate/plate.%04d.exr"
MOVIES = {
    "waits.mp4": MovieSpec(frames=FRAMES),  # with B-frames
    "waits.mov": MovieSpec(frames=FRAMES, options={"g": "4", "bf": "1"}),
    "uneven.mkv": MovieSpec(frames=FRAMES, times=[t * 42 + t % 3 * 13 for t in range(FRAMES)]),
}
WINDOWS = (
    WindowSettings(frames_per_window=6, overlap=2, size=32),
    WindowSettings(frames_per_window=4, overlap=1, size=32),
)
KNOBS = (MatteKnobs(), MatteKnobs(grow=1.5, blur=0.7), MatteKnobs(gamma=2.0, invert=True))
LOOKS = tuple((window, knobs) for window in WINDOWS for knobs in KNOBS)
HANG_SECONDS = 120.0


class Surprise(Exception):
    """A request that did not end as it should."""


class Studio:
    """What all seats share: the server, the shots, and the mattes as they should be.

    Args:
        site: the machine; the server is started here.
    """

    def __init__(self, site: Site) -> None:
        self.folder = site.folder
        self.shots = site.folder / "shots"
        write_plate(self.shots / "plate", range(1, FRAMES + 1), width=WIDTH, height=HEIGHT)
        for name, spec in MOVIES.items():
            write_movie(self.shots / name, spec)
        _damage(self.shots)
        started = site.matte(str(self.shots / SEQUENCE), "first")
        assert started.code == 0, started.stderr
        self.connection = read_connection(site.runtime)
        self.buffers = pixels_dir(site.runtime)
        self._alphas: dict[tuple[str, int, int], bytes] = {}
        for shot in (SEQUENCE, *MOVIES):
            for look in range(len(LOOKS)):
                self._make(shot, look)

    def alpha(self, shot: str, look: int, frame: int) -> bytes:
        """Return the float pixels of an alpha as they should be."""
        return self._alphas[shot, look, frame]

    @cached_property
    def pictures(self) -> Mapping[int, bytes]:
        """The sequence's float pixels, as a host would hold them."""
        frames = range(1, FRAMES + 1)
        halves = {frame: moving_disc(frame, WIDTH, HEIGHT).astype(np.float16) for frame in frames}
        return {frame: half.astype(np.float32).tobytes() for frame, half in halves.items()}

    def _make(self, shot: str, look: int) -> None:
        out = self.folder / "mattes" / uuid.uuid4().hex
        with Client(self.connection) as client:
            for event in client.matte(request(self.shots / shot, out, look=look)):
                if isinstance(event, FrameReady):
                    alpha = read_alpha(Path(event.path))
                    self._alphas[shot, look, event.frame] = alpha.tobytes()
        assert isinstance(event, Done), event


def request(shot: Path, out: Path, *, look: int, frames: str = "") -> Matte:
    """Return a request for EXR alphas of one of the `LOOKS`."""
    window, knobs = LOOKS[look]
    return Matte(
        job=uuid.uuid4().hex,
        plate=FilePlate(path=str(shot)),
        output=FileOutput(path=str(out), depth=Depth.FLOAT),
        frames=frames,
        window=window,
        knobs=knobs,
        engine=EngineName.TEST,
    )


@dataclass(frozen=True, kw_only=True)
class _Wish:
    """A request, and what its mattes are to be compared with."""

    request: Matte
    shot: str
    look: int


class Seat:
    """One client after the other at one desk, with shots of its own; used by one thread.

    Attributes:
        outcomes: how many requests of each kind, and what became of their frames and windows.
        surprises: what did not go as it should, in words.
    """

    def __init__(self, studio: Studio, number: int, *, seed: int) -> None:
        self._studio = studio
        self._random = Random(f"{seed} {number}")
        self._folder = studio.folder / f"seat{number}"
        shutil.copytree(studio.shots, self._folder)
        self._last: _Wish | None = None
        self._renders = 0  # what the keys of pushed frames tell apart
        self.outcomes: Counter[str] = Counter()
        self.surprises: list[str] = []

    def work(self, tickets: SimpleQueue[int]) -> None:
        """Make one request for each ticket, until there are no more."""
        kinds, shares = zip(*KINDS.items(), strict=True)
        with suppress(Empty):
            while True:
                tickets.get_nowait()
                (kind,) = self._random.choices(kinds, shares)
                self.outcomes[kind.__name__] += 1
                try:
                    kind(self)
                except (Surprise, GvmError) as surprise:
                    self.surprises.append(f"{kind.__name__}: {surprise}")

    # ---- what is asked for ---------------------------------------------------------------------

    def made(self) -> None:
        """Ask for frames, some of them rendered again; the ones before are thrown away."""
        if self._last is not None:
            shutil.rmtree(self._last.request.output.path, ignore_errors=True)
        self._last = self._wish()
        self._finish(self._last)

    def again(self) -> None:
        """Ask once more for the last frames: they stand, or lie in the cache."""
        if self._last is None:
            self.made()
        elif self._random.random() < 0.5:
            self._finish(self._renamed(self._last))
        else:
            wish = self._renamed(self._last, output=self._output())
            self._finish(wish)
            shutil.rmtree(wish.request.output.path)

    def pushed(self) -> None:
        """Ask as a host that holds its pixels."""
        with self._client() as client, ExitStack() as lent:
            wish = self._pushed_wish()
            for event in self._events(client, wish.request):
                if isinstance(event, NeedFrames):
                    client.answer(self._give(event, lent))
                elif isinstance(event, FrameReady):
                    assert event.mapped is not None
                    with open_frame(self._studio.buffers, event.mapped) as view:
                        self._compare(wish, event.frame, bytes(view))
                    delete_frame(self._studio.buffers, event.mapped)
            self._count(event)

    def cancelled(self) -> None:
        """Cancel half way, by a word or by leaving."""
        wish, begun = self._wish(), self._random.choice((Accepted, FrameReady))
        leaves = self._random.random() < 0.3
        with self._client() as client, closing(self._events(client, wish.request)) as events:
            for event in events:
                if isinstance(event, begun):
                    if leaves:
                        return
                    with suppress(JobFailed):  # it has ended meanwhile
                        client.cancel(wish.request.job)
            if not isinstance(event, Cancelled | Done):
                raise Surprise(event)

    def vanished(self) -> None:
        """End the connection half way, without a word."""
        wish = self._random.choice((self._wish, self._pushed_wish))()
        last = FrameReady if isinstance(wish.request.plate, FilePlate) else NeedFrames
        begun = self._random.choice((Accepted, last))
        client = Client(self._studio.connection)
        with closing(self._events(client, wish.request)) as events:
            next((event for event in events if isinstance(event, begun | Done)), None)
            client._context.destroy(linger=0)  # noqa: SLF001 (as the system does for the dead)

    def failing(self) -> None:
        """Ask for what cannot be had."""
        shot, changes, code = self._random.choice(FAILURES)
        wish = self._wish(shot)
        plate = replace(wish.request.plate, path=str(self._folder / shot), **changes)
        asked = replace(wish.request, plate=plate, frames="")
        with self._client() as client:
            *_, end = self._events(client, asked)
        if not isinstance(end, Failed) or end.code is not code:
            raise Surprise(f"{shot} {changes}: {end}")

    def unwritable(self) -> None:
        """Ask for mattes where a file stands in the folder's place."""
        wish = self._wish()
        output = replace(wish.request.output, path=f"{self._folder}/noise.mov/mattes")
        with self._client() as client:
            *_, end = self._events(client, replace(wish.request, output=output))
        if not isinstance(end, Failed) or end.code is not ErrorCode.OUTPUT_UNWRITABLE:
            raise Surprise(end)

    def status(self) -> None:
        """Look at what the server does."""
        with self._client() as client:
            client.ping()
            assert client.status().pid == self._studio.connection.pid

    # ---- how ------------------------------------------------------------------------------------

    def _client(self) -> Client:
        return Client(self._studio.connection)

    def _output(self) -> FileOutput:
        return FileOutput(path=str(self._folder / "out" / uuid.uuid4().hex), depth=Depth.FLOAT)

    def _span(self) -> str:
        first = self._random.randint(1, FRAMES)
        return f"{first}-{min(FRAMES, first + self._random.randrange(8))}"

    def _wish(self, shot: str = "") -> _Wish:
        """Return a request for some frames of a shot, into a folder of its own."""
        shot = shot or self._random.choice((SEQUENCE, SEQUENCE, *MOVIES))
        if self._random.random() < 0.5:
            self._render_again(shot)
        look = self._random.randrange(len(LOOKS))
        asked = request(self._folder / shot, self._folder, look=look, frames=self._span())
        wish = _Wish(request=asked, shot=shot, look=look)
        return self._renamed(
            wish, output=self._output(), priority=self._random.choice(list(Priority))
        )

    def _renamed(self, wish: _Wish, **changes: object) -> _Wish:
        return replace(wish, request=replace(wish.request, job=uuid.uuid4().hex, **changes))

    def _render_again(self, shot: str) -> None:
        """Make a file of a shot another one to the server, with the same pictures."""
        path = self._folder / (shot % self._random.randint(1, FRAMES) if "%" in shot else shot)
        if not path.is_file():
            return
        if "%" in shot:
            with path.open("ab") as file:  # readers look at nothing behind the pixels
                file.write(b"+")
        else:
            os.utime(path)

    def _pushed_wish(self) -> _Wish:
        self._renders += self._random.random() < 0.3
        look, frames = self._random.randrange(len(LOOKS)), self._random.randint(1, FRAMES)
        window, knobs = LOOKS[look]
        plan = Plan.of(window, first=1, last=FRAMES)
        plate = PushedPlate(
            name="Read1",
            first=1,
            last=FRAMES,
            width=WIDTH,
            height=HEIGHT,
            frames=tuple(
                FrameKey(frame=frame, key=self._key(frame)) for frame in needs(plan, frames).frames
            ),
        )
        asked = Matte(
            job=uuid.uuid4().hex,
            plate=plate,
            output=MappedOutput(),
            frames=str(frames),
            window=window,
            knobs=knobs,
            engine=EngineName.TEST,
            priority=Priority.INTERACTIVE,
        )
        return _Wish(request=asked, shot=SEQUENCE, look=look)

    def _key(self, frame: int) -> str:
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self._folder} {self._renders} {frame}").hex

    def _give(self, need: NeedFrames, lent: ExitStack) -> GiveFrames:
        given = []
        for frame in need.frames:
            picture = self._studio.pictures[frame]
            buffer = PixelBuffer.create(self._studio.buffers, len(picture))
            lent.enter_context(buffer).write(picture)
            given.append(
                MappedFrame(
                    frame=frame,
                    key=self._key(frame),
                    buffer=buffer.name,
                    offset=0,
                    width=WIDTH,
                    height=HEIGHT,
                    channels=3,
                    pixel_type=PixelType.FLOAT,
                )
            )
        return GiveFrames(job=need.job, frames=tuple(given))

    def _finish(self, wish: _Wish) -> None:
        """Wait for a request's end, and compare one of its alphas."""
        ready = dict[int, str]()
        with self._client() as client:
            for event in self._events(client, wish.request):
                if isinstance(event, FrameReady) and event.path:
                    ready[event.frame] = event.path
        self._count(event)
        if ready:
            frame = self._random.choice(sorted(ready))
            self._compare(wish, frame, read_alpha(Path(ready[frame])).tobytes())

    def _events(self, client: Client, asked: Matte) -> Generator[JobEvent, None, None]:
        """Yield a job's events; one that does not end is a surprise."""
        deadline = time.monotonic() + HANG_SECONDS
        with closing(client.matte(asked)) as events:
            for event in events:
                yield event
                if time.monotonic() > deadline:
                    raise Surprise(f"no end within {HANG_SECONDS:g} s: {event}")

    def _count(self, end: JobEvent) -> None:
        if not isinstance(end, Done):
            raise Surprise(end)
        for name in ("windows_run", "windows_cached", "frames_written", "frames_kept"):
            self.outcomes[name] += getattr(end, name)

    def _compare(self, wish: _Wish, frame: int, alpha: bytes) -> None:
        self.outcomes["alphas_compared"] += 1
        if alpha != self._studio.alpha(wish.shot, wish.look, frame):
            raise Surprise(f"another matte of {wish.shot}, frame {frame}, {LOOKS[wish.look]}")


# How many of a hundred requests are of each kind.
KINDS: Mapping[Callable[[Seat], None], int] = {
    Seat.made: 36,
    Seat.again: 14,
    Seat.pushed: 16,
    Seat.cancelled: 8,
    Seat.vanished: 8,
    Seat.failing: 9,
    Seat.unwritable: 2,
    Seat.status: 7,
}

FAILURES: tuple[tuple[str, Mapping[str, object], ErrorCode], ...] = (
    ("nothing/plate.%04d.exr", {}, ErrorCode.PLATE_MISSING),
    ("nothing.mov", {}, ErrorCode.PLATE_MISSING),
    ("cut.mp4", {}, ErrorCode.PLATE_UNREADABLE),
    ("noise.mov", {}, ErrorCode.PLATE_UNREADABLE),
    ("damaged/plate.%04d.exr", {}, ErrorCode.PLATE_UNREADABLE),
    ("waits.mp4", {"last": FRAMES + 1}, ErrorCode.RANGE_OUTSIDE),
    ("waits.mov", {"colourspace": "of the moon"}, ErrorCode.COLOURSPACE_UNKNOWN),
    (SEQUENCE, {"colourspace": "of the moon"}, ErrorCode.COLOURSPACE_UNKNOWN),
    (SEQUENCE, {"layer": "of paint"}, ErrorCode.PLATE_MISMATCH),
    (SEQUENCE, {"first": 9, "last": 3}, ErrorCode.BAD_REQUEST),
)


def _damage(shots: Path) -> None:
    """Add what cannot be read: a movie cut in half, one of noise, a sequence with half a frame."""
    whole = (shots / "waits.mp4").read_bytes()
    (shots / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (shots / "noise.mov").write_bytes(Random(0).randbytes(4096))
    shutil.copytree(shots / "plate", shots / "damaged")
    half = shots / "damaged" / "plate.0005.exr"
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
