"""A plate that changes in the middle of a job leaves nothing wrong: no file, no cache entry."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gvm_client.errors import ErrorCode
from gvm_client.protocol.messages import EngineName, FileOutput, FilePlate, Matte
from gvm_client.settings import PlateKeys
from gvm_server.media.plates import sequence
from tests.support.plates import moving_disc, read_alpha, write_exr
from tests.support.resources import WINDOW, open_resources
from tests.support.runs import run

FRAMES = range(1, 9)  # two windows
MOMENTS = 10
# Of a sequence, `auto` is `content`: one path.
each_kind_of_key = pytest.mark.parametrize("keys", [PlateKeys.AUTO, PlateKeys.STAT])


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of the plate; those that there are have files of one size.

    Attributes:
        folder: has its files, which no test changes.
        alphas: of a clean run, by name.
    """

    folder: Path
    alphas: Mapping[str, np.ndarray]

    def write_to(self, folder: Path) -> None:
        """Write the files into a folder, over those that are there."""
        folder.mkdir(exist_ok=True)
        for path in self.folder.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Version]:
    """The plate as it was and as it is later, and what is right of each, with an empty cache."""
    made = {}
    for version in (1, 2):
        folder = tmp_path_factory.mktemp("version")
        plate = folder / "plate"
        plate.mkdir()
        for frame in FRAMES:
            pixels = moving_disc(frame, 48, 32)
            pixels = pixels if version == 1 else pixels[:, ::-1].copy()
            write_exr(plate / f"plate.{frame:04d}.exr", pixels, compression="none")
        with open_resources(folder) as (resources, site):
            done = run(request_for(plate, folder / "out", PlateKeys.STAT), resources, site)
        assert done.failure is None
        made[version] = Version(folder=plate, alphas=alphas_in(folder / "out"))
    return made


def request_for(plate: Path, out: Path, keys: PlateKeys) -> Matte:
    """Return a request for a plate's alphas."""
    return Matte(
        job=uuid.uuid4().hex,
        plate=FilePlate(path=str(plate / "plate.%04d.exr"), keys=keys),
        output=FileOutput(path=str(out)),
        window=WINDOW,
        engine=EngineName.TEST,
    )


def alphas_in(folder: Path) -> dict[str, np.ndarray]:
    """Return a folder's alphas by name."""
    return {path.name: read_alpha(path) for path in sorted(folder.glob("*.exr"))}


def change_at(monkeypatch, moment: int, *, after: bool, change) -> None:
    """Change the plate at the n-th read of the job that follows, before its bytes or after."""
    real, count, lock = sequence.read_image, iter(range(1, 1000)), threading.Lock()

    def read(image):
        with lock:
            due = next(count) == moment
            if due and not after:
                change()
            found = real(image)
            if due and after:
                change()
        return found

    monkeypatch.setattr(sequence, "read_image", read)


def assert_all_right(
    folder: Path, expected: Mapping[str, np.ndarray], *, whole: bool = True
) -> None:
    """Compare a folder's alphas with those of a clean run, bit for bit."""
    found = alphas_in(folder)
    assert not whole or found.keys() == expected.keys()
    for name, alpha in found.items():
        assert np.array_equal(alpha, expected[name]), name


@each_kind_of_key
def test_a_link_that_moves_and_moves_back_leaves_nothing_wrong(
    tmp_path, monkeypatch, versions, keys
):
    """At ten moments: an error that names a frame, right files, and a cache that holds no trap."""
    latest = tmp_path / "latest"

    def point_to(version: int) -> None:
        link = tmp_path / "next"
        link.symlink_to(versions[version].folder)
        link.replace(latest)

    dice = random.Random(9)
    for number in range(MOMENTS):
        folder = tmp_path / f"job{number}"
        folder.mkdir()
        point_to(1)
        with open_resources(folder) as (resources, site), monkeypatch.context() as patch:
            moment, after = dice.randint(1, len(FRAMES)), dice.random() < 0.5
            change_at(patch, moment, after=after, change=lambda: point_to(2))
            failure = run(request_for(latest, folder / "out", keys), resources, site).failure
            assert failure is not None
            assert failure.code is ErrorCode.PLATE_MISMATCH
            assert failure.frame in FRAMES
            assert_all_right(folder / "out", versions[1].alphas, whole=False)
            patch.undo()
            for version in (2, 1):
                point_to(version)
                for out in ("out", f"other{version}"):
                    done = run(request_for(latest, folder / out, keys), resources, site)
                    assert done.failure is None
                    assert_all_right(folder / out, versions[version].alphas)


@each_kind_of_key
def test_a_render_in_place_leaves_nothing_wrong(tmp_path, monkeypatch, versions, keys):
    """The frames are written again while the job runs; asked twice after, all are the new ones."""
    old, new = versions[1], versions[2]
    dice = random.Random(10)
    for number in range(MOMENTS):
        folder = tmp_path / f"job{number}"
        folder.mkdir()
        plate = folder / "live"
        old.write_to(plate)
        with open_resources(folder) as (resources, site), monkeypatch.context() as patch:
            moment, after = dice.randint(1, len(FRAMES)), dice.random() < 0.5
            change_at(patch, moment, after=after, change=partial(new.write_to, plate))
            failure = run(request_for(plate, folder / "out", keys), resources, site).failure
            assert failure is not None
            assert failure.frame in FRAMES
            assert_all_right(folder / "out", old.alphas, whole=False)
            patch.undo()
            for out in ("out", "out", "other"):
                assert run(request_for(plate, folder / out, keys), resources, site).failure is None
                assert_all_right(folder / out, new.alphas)
