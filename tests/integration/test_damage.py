"""Damage to anything that is kept gives the right mattes, and is said; so does another maker."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.protocol.messages import Done, Failed
from gvm_client.settings import MatteKnobs
from gvm_server.cli.main import main
from gvm_server.media import cache as cache_module
from gvm_server.media.cache import DiskCache
from gvm_server.service import scheduler as scheduler_module
from gvm_server.service.preparing import Preparing
from gvm_server.service.scheduler import Scheduler
from tests.fakes.listener import Listener
from tests.support.plates import read_alpha
from tests.support.runs import run
from tests.support.serving import until
from tests.support.shop import open_shop, request_in


def cut(path: Path, other: Path) -> None:
    """Cut a file in half."""
    os.truncate(path, path.stat().st_size // 2)


def flip_pixels(path: Path, other: Path) -> None:
    """Turn a bit over near the file's end, and set its times back."""
    status, data = path.stat(), bytearray(path.read_bytes())
    data[-40] ^= 16
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def flip_header(path: Path, other: Path) -> None:
    """Turn a bit over near the file's beginning, in no text that OpenImageIO could quote."""
    data = bytearray(path.read_bytes())
    data[21] ^= 128
    path.write_bytes(data)


def swap(path: Path, other: Path) -> None:
    """Put another entry's bytes under this one's name."""
    path.write_bytes(other.read_bytes())


DAMAGES = (cut, flip_pixels, flip_header, swap)


def again(request, out: str, **changes: object):
    """Return the request under another name, for another folder."""
    place = replace(request.output, path=str(Path(request.output.path).with_name(out)))
    return replace(request, job=uuid.uuid4().hex, output=place, **changes)


def alphas_in(folder: Path):
    """Return a folder's alphas."""
    return [read_alpha(path) for path in sorted(folder.glob("*.exr"))]


def assert_same(folder: Path, expected) -> None:
    """Compare a folder's alphas bit for bit."""
    found = alphas_in(folder)
    assert len(found) == len(expected)
    assert all(np.array_equal(one, two) for one, two in zip(found, expected, strict=True))


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_what_is_kept_gives_the_right_mattes(tmp_path, damage, caplog):
    """Alphas and windows of the cache, then the finished files in their place."""
    with open_shop(tmp_path) as (shop, site):
        request = request_in(tmp_path)
        assert run(request, shop, site).failure is None
        right = alphas_in(tmp_path / "out")
        for kind in ("alphas", "windows"):
            first, second, *_ = sorted((tmp_path / "cache" / kind).rglob("*.*"))
            damage(first, second)
        assert run(again(request, "copies"), shop, site).failure is None
        assert "removed from the cache" in caplog.text
        assert_same(tmp_path / "copies", right)
        finished = sorted((tmp_path / "out").glob("*.exr"))
        damage(finished[3], finished[4])
        in_place = run(again(request, "out"), shop, site)
        assert in_place.failure is None
        assert_same(tmp_path / "out", right)
        assert len(in_place.found.kept) == len(finished) - 1
        knob = again(request, "knob", knobs=MatteKnobs(gamma=1.5))
        assert run(knob, shop, site).failure is None


def test_a_finished_file_of_another_maker_is_kept_and_said(tmp_path):
    """Two makers on one folder: nothing is made again until that is asked for."""

    def there(info):
        return replace(info, maker=lambda: (("device", "there"), ("torch", "0.0")))

    with open_shop(tmp_path) as (shop, site):
        request = request_in(tmp_path)
        assert run(request, shop, site, engine=there).windows_run > 0
        kept = run(again(request, "out"), shop, site)
        assert (kept.windows_run, len(kept.found.kept), kept.delivered) == (0, 12, [])
        (said,) = kept.found.notes
        assert "12 finished frames" in said
        assert "device: there" in said
        assert "--same-maker" in said
        other = run(again(request, "elsewhere"), shop, site)
        assert other.windows_run > 0, "the cache needs the maker too"
        strict = replace(again(request, "out").output, same_maker=True)
        remade = run(replace(request, job=uuid.uuid4().hex, output=strict), shop, site)
        assert (len(remade.found.kept), len(remade.delivered), remade.found.notes) == (0, 12, ())
        assert run(again(request, "out"), shop, site).found.notes == ()


def test_verify_reads_all_alphas_and_names_those_that_are_not_whole(tmp_path, capsys):
    """Exit 0 where all are whole; 5 with the names of the damaged and the foreign ones."""
    with open_shop(tmp_path) as (shop, site):
        assert run(request_in(tmp_path), shop, site).failure is None
    out = tmp_path / "out"
    assert main(["verify", str(out)]) == 0
    assert "12 of 12" in capsys.readouterr().out
    files = sorted(out.glob("*.exr"))
    flip_pixels(files[2], files[3])
    files[5].write_bytes((tmp_path / "plate" / "plate.0001.exr").read_bytes())
    assert main(["verify", str(out)]) == 5
    said = capsys.readouterr().out
    assert f"{files[2]}: damaged" in said
    assert f"{files[5]}: not made by this program" in said
    assert "10 of 12" in said
    assert main(["verify", str(tmp_path / "none")]) == 3


def test_damage_to_the_cache_is_said_to_the_artist(tmp_path):
    """Which frames: of an alpha before the job, of a window when it is used."""
    with open_shop(tmp_path) as (shop, site):
        request = request_in(tmp_path)
        assert run(request, shop, site).failure is None
        first, second, *_ = sorted((tmp_path / "cache" / "alphas").rglob("*.exr"))
        flip_pixels(first, second)
        (said,) = run(again(request, "copies"), shop, site).found.notes
        assert "1 cached alpha was damaged" in said
        window, *_ = sorted((tmp_path / "cache" / "windows").rglob("*.window"))
        cut(window, window)
        knob = again(request, "knob", knobs=MatteKnobs(gamma=1.5))
        (said,) = run(knob, shop, site).notes
        assert "6 cached alphas were damaged and made again" in said


@pytest.mark.parametrize("damage", [cut, flip_pixels, swap, lambda path, _: path.unlink()])
def test_alphas_that_leave_the_cache_while_the_job_runs_are_made_again(
    tmp_path, damage, monkeypatch
):
    """Between the look at it and the copy: evicted by another server, or damaged; none is lost."""
    with serving_jobs(tmp_path) as scheduler:
        request = request_in(tmp_path)
        assert ask(scheduler, request).frames_written == 12
        right = alphas_in(tmp_path / "out")
        alphas = sorted((tmp_path / "cache" / "alphas").rglob("*.exr"))
        real = scheduler_module.survey

        def survey(order, cache, heed, *, recall):
            found = real(order, cache, heed, recall=recall)
            if found.cached:
                monkeypatch.setattr(scheduler_module, "survey", real)
                for path in alphas[:3]:
                    damage(path, alphas[5])
            return found

        monkeypatch.setattr(scheduler_module, "survey", survey)
        shutil.rmtree(tmp_path / "cache" / "windows")
        done = ask(scheduler, again(request, "copies"))
        assert_same(tmp_path / "copies", right)
        assert (done.frames_written, done.frames_kept) == (12, 0)
        assert done.windows_run > 0
        assert any("left the cache while the job ran" in note for note in done.notes)


def test_a_cache_that_loses_alphas_again_and_again_fails_no_job(tmp_path, monkeypatch):
    """Two servers share one that is too small: what it loses is made, and in the end all."""
    with serving_jobs(tmp_path) as scheduler:
        request = request_in(tmp_path)
        ask(scheduler, request)
        right = alphas_in(tmp_path / "out")
        real = DiskCache.alpha
        calls = Counter()

        def alpha(self, wanted, on_damage=None):
            calls[wanted] += 1
            return None if calls[wanted] % 2 == 0 else real(self, wanted)

        monkeypatch.setattr(DiskCache, "alpha", alpha)
        done = ask(scheduler, again(request, "copies"))
        assert_same(tmp_path / "copies", right)
        assert done.frames_written == 12
        assert set(calls.values()) == {2 * scheduler_module.MAX_RESUMPTIONS}


@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_finished_file_whose_header_is_destroyed_is_made_again(tmp_path, left):
    """The very file that we wrote, and no image any more; by the next server too."""
    with open_shop(tmp_path) as (shop, site):
        request = request_in(tmp_path)
        assert run(request, shop, site).failure is None
    right = alphas_in(tmp_path / "out")
    path = tmp_path / "out" / "plate.0004.exr"
    with path.open("r+b") as file:
        file.write(b"\xff" * 400)
        file.truncate(left)
    with open_shop(tmp_path) as (shop, site):
        made = run(again(request, "out"), shop, site)
    assert made.failure is None
    assert len(made.found.kept) == 11
    assert any("1 finished frame was damaged" in note for note in made.found.notes)
    assert_same(tmp_path / "out", right)


@pytest.mark.parametrize("how", ["image in place", "image renamed", "text renamed"])
def test_what_others_put_in_its_place_is_never_replaced(tmp_path, how):
    """Another program's picture, written into our file or over it, and any other file."""
    with open_shop(tmp_path) as (shop, site):
        request = request_in(tmp_path)
        assert run(request, shop, site).failure is None
        path = tmp_path / "out" / "plate.0004.exr"
        theirs = tmp_path / "theirs"
        theirs.write_bytes(
            b"notes" if "text" in how else (tmp_path / "plate" / "plate.0001.exr").read_bytes()
        )
        data = theirs.read_bytes()
        if "renamed" in how:
            theirs.replace(path)
        else:
            path.write_bytes(data)
        refused = run(again(request, "out"), shop, site).failure
        assert refused is not None
        assert refused.code is ErrorCode.OUTPUT_NOT_OURS
        assert path.read_bytes() == data


def test_a_cache_that_fills_up_is_said_when_the_job_is_done(tmp_path, monkeypatch):
    """The mattes are delivered."""

    def full(source, target, expected, *, flush):
        raise OutputError("No space is left for /cache.", code=ErrorCode.DISK_FULL)

    monkeypatch.setattr(cache_module, "copy_into_place", full)
    with serving_jobs(tmp_path) as scheduler:
        done = ask(scheduler, request_in(tmp_path))
    assert done.frames_written == 12
    (said,) = [note for note in done.notes if "cache" in note]
    assert "No space is left" in said


@contextmanager
def serving_jobs(folder: Path) -> Iterator[Scheduler]:
    """A scheduler that runs its jobs."""
    with open_shop(folder) as (shop, site), closing(Preparing()) as preparing:
        scheduler = Scheduler(shop=shop, site=site, preparing=preparing)
        gpu = threading.Thread(target=scheduler.run, name="gpu")
        gpu.start()
        try:
            yield scheduler
        finally:
            scheduler.stop()
            gpu.join()


def ask(scheduler: Scheduler, request):
    """Ask, and return how the job ended."""
    listener = Listener()
    scheduler.ask(request, peer=request.job.encode(), line=listener)
    assert until(lambda: listener.all_of(Done) or listener.all_of(Failed), seconds=120)
    return listener.heard[-1]
