"""Drives the fake OpenFX host: one JSON command a line, one answer a line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# How the hosts behave, as far as a plug-in can tell; what is not named is the fake host's default.
GENERAL = "OfxImageEffectContextGeneral"
NUKE: Mapping[str, Any] = {"host": "uk.co.thefoundry.nuke", "row_padding": 32}
RESOLVE: Mapping[str, Any] = {
    "host": "DaVinciResolveLite",
    "hollow_message_suite": True,
    "identifiers": "random",
    "progress_suite": 1,
}
FUSION: Mapping[str, Any] = {
    "host": "com.blackmagicdesign.Fusion",
    "shared_buffers": True,
    "message_suite": 1,
    "progress_suite": 1,
}
NATRON: Mapping[str, Any] = {
    "host": "fr.inria.Natron",
    "context": GENERAL,
    "identifiers": "hash",
    "arguments_as_one": True,
    "offset_x": -7,
    "offset_y": 5,
}
MLT: Mapping[str, Any] = {
    "host": "MLT",
    "temporal": 0,
    "alpha_listed": False,
    "depth": "OfxBitDepthByte",
    "negative_rows": True,
    "identifiers": "random",
    "message_suite": 1,
    "progress_suite": 1,
}
HOSTS = {"nuke": NUKE, "resolve": RESOLVE, "fusion": FUSION, "natron": NATRON, "mlt": MLT}


@dataclass(frozen=True, kw_only=True)
class Build:
    """What was built: the plug-in in its bundle, the fake host, the bridge's probe."""

    folder: Path
    binaries: str = "Linux-x86-64"
    programs: Path | None = None
    """Where the test programs lie; None is the same folder."""
    runner: tuple[str, ...] = ()
    """What runs its programs; nothing on the system that they are for."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the programs want to be told."""
    server: str = ""
    """The command that its hosts start where a site's is this Python's server; "" is the same."""
    stand_in: str = ""
    """The program that does there what `false` and `sleep` do."""

    @property
    def bundle(self) -> Path:
        """The bundle as hosts install it."""
        return self.folder / "GVM.ofx.bundle"

    @property
    def plugin(self) -> Path:
        """The binary that hosts load."""
        return self.bundle / "Contents" / self.binaries / "GVM.ofx"

    def program(self, name: str) -> list[str]:
        """Return the words that start one of the test programs."""
        folder = self.folder if self.programs is None else self.programs
        return [*self.runner, str(folder / (f"{name}.exe" if self.runner else name))]

    def told(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a host that is to have these variables."""
        told = {**os.environ, **self.environment, **environment}
        line = told.get("GVM_SERVER", "")
        if self.server and "-m gvm_server serve" in line:
            told["GVM_SERVER"] = self.server
        elif self.server and line.split(" ")[0] in ("false", "sleep"):
            told["GVM_SERVER"] = f"{self.stand_in} {line}"
        return told

    def probe(self, *words: str, text: str = "") -> Any:
        """Ask the bridge's probe."""
        ran = subprocess.run(
            [*self.program("bridge_probe"), *words],
            input=text,
            capture_output=True,
            text=True,
            env={**os.environ, **self.environment},
            check=True,
            timeout=60,
        )
        return json.loads(ran.stdout)


@dataclass(frozen=True, kw_only=True)
class HostPlate:
    """Float RGBA frames on disk for the fake host, rows from the top down."""

    folder: Path
    width: int
    height: int
    first: int
    last: int

    @classmethod
    def of(cls, folder: Path, pictures: Mapping[int, NDArray[np.float32]]) -> HostPlate:
        """Write a clip's frames, [H, W, 3] each; they are opaque."""
        height, width = next(iter(pictures.values())).shape[:2]
        plate = cls(
            folder=folder, width=width, height=height, first=min(pictures), last=max(pictures)
        )
        for frame, colours in pictures.items():
            plate.write(frame, np.dstack([colours, np.ones((height, width), np.float32)]))
        return plate

    def said(self) -> dict[str, Any]:
        """Return it as the host takes it."""
        return {
            "folder": str(self.folder),
            "width": self.width,
            "height": self.height,
            "first": self.first,
            "last": self.last,
        }

    def write(self, frame: int, pixels: NDArray[np.float32]) -> None:
        """Write one frame, [H, W, 4]."""
        self.folder.mkdir(parents=True, exist_ok=True)
        pixels.astype(np.float32).tofile(self.folder / f"{frame}.raw")


def _is_nan(word: object) -> bool:
    return isinstance(word, float) and isnan(word)


class FakeHost:
    """A running host with the plug-in loaded.

    Attributes:
        described: what the plug-in said of itself.
        may_die: whether it need not end well.
    """

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder
        self.described: dict[str, Any] = {}
        self.may_die = False

    def tell(self, verb: str, **words: Any) -> Any:
        """Send a command and return the answer."""
        self.send(verb, **words)
        return self.hear()

    def send(self, verb: str, **words: Any) -> None:
        """Send a command whose answer is not waited for."""
        assert self._process.stdin is not None
        said = {name: None if _is_nan(word) else word for name, word in words.items()}
        self._process.stdin.write(json.dumps({"do": verb, **said}) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """Return the next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"The host has died with code {self._process.wait()}."
        answer = json.loads(line)
        assert "error" not in answer, answer
        return answer

    def mourn(self) -> None:
        """Say that this host was killed on purpose."""
        self.may_die = True

    def create(
        self, instance: str = "node", *, told_range: tuple[int, int] | None = None, **values: Any
    ) -> str:
        """Make an instance with some parameters set, and return its name.

        Args:
            instance: the name.
            told_range: the frames that this instance is told; None means the plate's.
            values: by parameter.
        """
        told = {} if told_range is None else {"range": list(told_range)}
        assert self.tell("create", instance=instance, **told)["status"] == 0
        for param, value in values.items():
            self.tell("set", instance=instance, param=param, value=value)
        return instance

    def render(self, frame: float, **words: Any) -> Any:
        """Render a frame of the instance `node`, which takes no source frame it did not name."""
        answer = self.tell("render", **{"instance": "node", "frame": frame, **words})
        assert answer["unannounced"] == []
        return answer

    def picture(self, frame: float, shape: tuple[int, ...], **words: Any) -> NDArray[np.float32]:
        """Render a frame that must come, and return it from the top down."""
        path = self._folder / "output.raw"
        answer = self.render(frame, save=str(path), **words)
        assert answer["status"] == 0, answer
        return np.fromfile(path, np.float32).reshape(shape)

    def value(self, param: str, instance: str = "node") -> Any:
        """Return a parameter's value."""
        return self.tell("get", instance=instance, param=param)["value"]

    def click(self, param: str, instance: str = "node", **words: Any) -> None:
        """Do what an artist's click or edit does."""
        assert self.tell("changed", instance=instance, param=param, **words)["status"] in (0, 14)


@contextmanager
def hosting(
    build: Build,
    folder: Path,
    *,
    plate: HostPlate | None = None,
    environment: Mapping[str, str] | None = None,
    **behaviour: Any,
) -> Iterator[FakeHost]:
    """Run a host that behaves so, with the plug-in loaded; it must end by itself, and in time."""
    process = subprocess.Popen(
        build.program("fake_host"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=build.told(environment or {}),
    )
    host = FakeHost(process, folder)
    try:
        if plate is not None:
            host.tell("plates", plate=plate.said())
        host.described = host.tell("load", path=str(build.plugin), behave=behaviour)
        yield host
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0 or host.may_die
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


class Open(Protocol):
    """Opens a host on a clip, on the machine with the warm server."""

    def __call__(self, name: str = ..., **behaviour: Any) -> AbstractContextManager[FakeHost]:
        """Return a host that behaves like the one of that name, but for what is said of it."""
        ...


def opening(
    build: Build, folder: Path, plate: HostPlate, environment: Mapping[str, str], like: str = "nuke"
) -> Open:
    """Return what opens hosts on a plate; another one may be said with the behaviour.

    Args:
        build: what was built.
        folder: of the test.
        plate: the clip.
        environment: of the machine that the server runs on.
        like: whom a host is like where no name is said.
    """

    def open_host(name: str = like, **behaviour: Any) -> AbstractContextManager[FakeHost]:
        said = {"plate": plate, **HOSTS[name], **behaviour}
        return hosting(build, folder, environment=environment, **said)

    return open_host
