"""A plate that changes in the middle of a job leaves nothing wrong: no file, no cache entry."""

from __future__ import annotations

import random
import threading
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gvm_client.errors import ErrorCode
from gvm_client.protocol.messages import FileOutput, FilePlate
from gvm_client.settings import PlateKeys
from gvm_server.media.plates import sequence
from tests.support.plates import moving_disc, read_alpha, write_exr
from tests.support.resources import open_resources, request_in
from tests.support.runs import run

FRAMES = range(1, 13)
MOMENTS = 10


def write_version(folder: Path, version: int) -> None:
    """Write a plate; two versions have files of one size."""
    folder.mkdir(exist_ok=True)
    for frame in FRAMES:
        pixels = moving_disc(frame, 48, 32)
        pixels = pixels if version == 1 else pixels[:, ::-1].copy()
        write_exr(folder / f"plate.{frame:04d}.exr", pixels, compression="none")


def request_for(plate: Path, out: Path, keys: PlateKeys):
    """Return a request for a plate's alphas."""
    request = request_in(out.parent)
    return replace(
        request,
        job=uuid.uuid4().hex,
        plate=FilePlate(path=str(plate / "plate.%04d.exr"), keys=keys),
        output=FileOutput(path=str(out)),
    )


def alphas_in(folder: Path) -> dict[str, np.ndarray]:
    """Return a folder's alphas by name."""
    return {path.name: read_alpha(path) for path in sorted(folder.glob("*.exr"))}


def clean(plate: Path, folder: Path) -> dict[str, np.ndarray]:
    """Return the alphas of a plate that nothing happens to, with an empty cache."""
    folder.mkdir()
    with open_resources(folder) as (resources, site):
        assert (
            run(request_for(plate, folder / "out", PlateKeys.STAT), resources, site).failure is None
        )
    return alphas_in(folder / "out")


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


def assert_all_right(folder: Path, expected: dict[str, np.ndarray], *, whole: bool = True) -> None:
    """Compare a folder's alphas with those of a clean run, bit for bit."""
    found = alphas_in(folder)
    assert not whole or found.keys() == expected.keys()
    for name, alpha in found.items():
        assert np.array_equal(alpha, expected[name]), name


@pytest.mark.parametrize("keys", PlateKeys)
def test_a_link_that_moves_and_moves_back_leaves_nothing_wrong(tmp_path, monkeypatch, keys):
    """At ten moments: an error that names a frame, right files, and a cache that holds no trap."""
    for version in (1, 2):
        write_version(tmp_path / f"v{version}", version)
    latest = tmp_path / "latest"

    def point_to(version: int) -> None:
        link = tmp_path / "next"
        link.symlink_to(tmp_path / f"v{version}")
        link.replace(latest)

    right = {of: clean(tmp_path / f"v{of}", tmp_path / f"c{of}") for of in (1, 2)}
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
            assert_all_right(folder / "out", right[1], whole=False)
            patch.undo()
            for version in (2, 1):
                point_to(version)
                for out in ("out", f"other{version}"):
                    done = run(request_for(latest, folder / out, keys), resources, site)
                    assert done.failure is None
                    assert_all_right(folder / out, right[version])


@pytest.mark.parametrize("keys", PlateKeys)
def test_a_render_in_place_leaves_nothing_wrong(tmp_path, monkeypatch, keys):
    """The frames are written again while the job runs; asked twice after, all are the new ones."""
    write_version(tmp_path / "old", 1)
    write_version(tmp_path / "new", 2)
    old, new = clean(tmp_path / "old", tmp_path / "c1"), clean(tmp_path / "new", tmp_path / "c2")
    dice = random.Random(10)
    for number in range(MOMENTS):
        folder = tmp_path / f"job{number}"
        folder.mkdir()
        plate = folder / "live"
        write_version(plate, 1)
        with open_resources(folder) as (resources, site), monkeypatch.context() as patch:
            moment, after = dice.randint(1, len(FRAMES)), dice.random() < 0.5
            change_at(patch, moment, after=after, change=partial(write_version, plate, 2))
            failure = run(request_for(plate, folder / "out", keys), resources, site).failure
            assert failure is not None
            assert failure.frame in FRAMES
            assert_all_right(folder / "out", old, whole=False)
            patch.undo()
            for out in ("out", "out", "other"):
                assert run(request_for(plate, folder / out, keys), resources, site).failure is None
                assert_all_right(folder / out, new)
