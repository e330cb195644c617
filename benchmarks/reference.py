"""What the alphas of a plate must be, bit for bit: made once, by a server that nobody disturbs."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gvm_server.media.alphas.stamp import prove
from tests.support.plates import read_alpha, write_plate
from tests.support.site import machine

WIDTH, HEIGHT = 96, 64


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Files that are not what they must be; empty where all is well.

    Attributes:
        torn: whose checksum does not hold.
        wrong: that are whole, and no right matte of their frame.
        missing: that were to be there.
    """

    torn: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, other: Faults) -> None:
        """Take another look's faults in."""
        self.torn.extend(other.torn)
        self.wrong.extend(other.wrong)
        self.missing.extend(other.missing)

    def lines(self) -> Iterator[str]:
        """Yield a line for each fault."""
        yield from (f"Torn: {path}" for path in self.torn)
        yield from (f"Wrong: {path}" for path in self.wrong)
        yield from (f"Missing: {path}" for path in self.missing)

    def __str__(self) -> str:
        return f"{len(self.torn)} torn, {len(self.wrong)} wrong, {len(self.missing)} missing"

    def __bool__(self) -> bool:
        return bool(self.torn or self.wrong or self.missing)


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A plate and its right alphas.

    Attributes:
        plate: its pattern.
        alphas: for each setting, the pixels' bytes by file name.
    """

    plate: str
    alphas: Sequence[Mapping[str, bytes]]

    @classmethod
    def make(cls, folder: Path, frames: range, settings: Sequence[Sequence[str]]) -> Reference:
        """Write a plate into a folder, and matte it with each of these options of `gvm matte`."""
        plate = write_plate(folder / "plate", frames, width=WIDTH, height=HEIGHT)
        alphas = []
        with tempfile.TemporaryDirectory() as name, machine(Path(name)) as site:
            for number, words in enumerate(settings):
                ran = site.matte(plate, str(number), *words)
                assert ran.code == 0, ran.stderr
                found = sorted((Path(name) / str(number)).glob("*.exr"))
                assert len(found) == len(frames), found
                alphas.append({path.name: read_alpha(path).tobytes() for path in found})
        return cls(plate=plate, alphas=alphas)

    def look(
        self,
        folder: Path,
        allowed: Collection[int],
        *,
        names: Collection[str] = (),
        others: Collection[bytes] = (),
    ) -> Faults:
        """Look at every alpha of a folder, at any moment.

        Args:
            folder: where they lie.
            allowed: the settings that they may be of.
            names: of the files that must be there.
            others: contents of files that stood there before, and may stand there still.
        """
        faults = Faults()
        paths = sorted(folder.glob("[!.]*.exr"))
        for path in paths:
            data = path.read_bytes()
            if data in others:
                continue
            if prove(data) is None:
                faults.torn.append(str(path))
                continue
            pixels = read_alpha(path).tobytes()
            found = [alphas.get(path.name) == pixels for alphas in self.alphas]
            if not any(found[setting] for setting in allowed):
                which = f"of setting {found.index(True)}" if any(found) else "of no setting"
                faults.wrong.append(f"{path} is {which}, not of {list(allowed)}")
        there = {path.name for path in paths}
        faults.missing.extend(str(folder / name) for name in names if name not in there)
        return faults


def hear(process: subprocess.Popen[str], seconds: float) -> tuple[str, str]:
    """Return what a process wrote until its end; one that takes longer is killed."""
    try:
        return process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        return stdout, f"{stderr}It ran for more than {seconds:g} s."
