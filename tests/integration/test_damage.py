"""Damage to anything that is kept gives the right mattes, and is said; so does another maker."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.frames import abbreviated_frames
from gvm_client.protocol.messages import Accepted, Done, Failed, FrameReady, MappedOutput
from gvm_client.settings import Depth, MatteKnobs
from gvm_server.cli.main import main
from gvm_server.media.store import cache as cache_module
from gvm_server.media.store.cache import DiskCache
from gvm_server.service import scheduler as scheduler_module
from gvm_server.service.prepare import PreparationPool
from gvm_server.service.scheduler import Scheduler
from tests.fakes.listener import Listener
from tests.support.plates import moving_disc, read_alpha, write_exr
from tests.support.resources import FRAMES, open_resources, request_in
from tests.support.runs import run
from tests.support.serving import until


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
    with open_resources(tmp_path) as (resources, site):
        request = request_in(tmp_path)
        assert run(request, resources, site).failure is None
        right = alphas_in(tmp_path / "out")
        for kind in ("alphas", "windows"):
            first, second, *_ = sorted((tmp_path / "cache" / kind).rglob("*.*"))
            damage(first, second)
        assert run(again(request, "copies"), resources, site).failure is None
        assert "removed from the cache" in caplog.text
        assert_same(tmp_path / "copies", right)
        finished = sorted((tmp_path / "out").glob("*.exr"))
        damage(finished[3], finished[4])
        in_place = run(again(request, "out"), resources, site)
        assert in_place.failure is None
        assert_same(tmp_path / "out", right)
        assert len(in_place.found.kept) == len(finished) - 1
        knob = again(request, "knob", knobs=MatteKnobs(gamma=1.5))
        assert run(knob, resources, site).failure is None


def test_a_finished_file_of_another_maker_is_kept_and_said(tmp_path):
    """Two makers on one folder: nothing is made again until that is asked for."""

    def there(info):
        return replace(info, maker=lambda: (("device", "there"), ("torch", "0.0")))

    with open_resources(tmp_path) as (resources, site):
        request = request_in(tmp_path)
        assert run(request, resources, site, engine=there).windows_run > 0
        kept = run(again(request, "out"), resources, site)
        assert (kept.windows_run, len(kept.found.kept), kept.delivered) == (0, 12, [])
        (said,) = kept.found.notes
        assert "12 finished frames" in said
        assert "device: there" in said
        assert "--same-maker" in said
        other = run(again(request, "elsewhere"), resources, site)
        assert other.windows_run > 0, "the cache needs the maker too"
        strict = replace(again(request, "out").output, same_maker=True)
        remade = run(replace(request, job=uuid.uuid4().hex, output=strict), resources, site)
        assert (len(remade.found.kept), len(remade.delivered), remade.found.notes) == (0, 12, ())
        assert run(again(request, "out"), resources, site).found.notes == ()


def test_verify_reads_all_alphas_and_names_those_that_are_not_whole(tmp_path, capsys, monkeypatch):
    """Exit 0 where all are whole; 5 with the names of the damaged and the foreign ones."""
    monkeypatch.setenv("GVM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path / "runtime"))
    with open_resources(tmp_path) as (resources, site):
        assert run(request_in(tmp_path), resources, site).failure is None
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


def test_verify_does_not_pass_where_nothing_was_verified(tmp_path, capsys):
    """An empty folder, and one above the alphas': a farm's check of the wrong folder fails."""
    (tmp_path / "alphas").mkdir()
    (tmp_path / "alphas" / "a.0001.exr").write_bytes(b"")
    assert main(["verify", str(tmp_path)]) == 3
    assert "holds no EXR file" in capsys.readouterr().err


class Unreadable:
    """Files that the disk refuses to read, until others stand in their place."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._files: set[tuple[int, int]] = set()
        for name in ("open", "read_bytes"):
            monkeypatch.setattr(Path, name, self._guarding(getattr(Path, name)))

    def __call__(self, path: Path, other: Path) -> None:
        """Refuse this file from now on; its mode changes as `chmod` would change it."""
        path.chmod(0o600)
        self._files.add(self._name(path))

    def _guarding(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(path: Path, *words: Any, **named: Any) -> Any:
            if path.exists() and self._name(path) in self._files:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return real(path, *words, **named)

        return guarded

    @staticmethod
    def _name(path: Path) -> tuple[int, int]:
        status = path.stat()
        return status.st_ino, status.st_mtime_ns


def remove(path: Path, other: Path) -> None:
    """Evict it, as another server does."""
    path.unlink()


HARMS = {"cut": cut, "flip": flip_pixels, "swap": swap, "remove": remove, "unreadable": Unreadable}


@pytest.fixture(params=HARMS)
def harm(request, monkeypatch):
    """What befalls a file."""
    chosen = HARMS[request.param]
    return Unreadable(monkeypatch) if chosen is Unreadable else chosen


def befall(when: str, strike: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Strike before the next job, or between the look at what stands and its use."""
    if when == "before":
        strike()
        return
    real = scheduler_module.look_up

    def look_up(spec, cache, heed, lost):
        found = real(spec, cache, heed, lost)
        monkeypatch.setattr(scheduler_module, "look_up", real)
        strike()
        return found

    monkeypatch.setattr(scheduler_module, "look_up", look_up)


def entries(folder: Path, kind: str) -> list[Path]:
    """Return the cache's files of a kind."""
    return sorted((folder / "cache" / kind).rglob("*.*"))


def forget_neutral(folder: Path) -> None:
    """Remove the cache's alphas that no folder has: what they are made of under other knobs."""
    delivered = {path.read_bytes() for path in (folder / "out").glob("*.exr")}
    for path in entries(folder, "alphas"):
        if path.read_bytes() not in delivered:
            path.unlink()


def frame_of(entry: Path, out: Path) -> int:
    """Return which of a folder's frames an alpha of the cache is."""
    data = entry.read_bytes()
    return next(int(one.stem[-4:]) for one in out.glob("*.exr") if one.read_bytes() == data)


@pytest.mark.parametrize("when", ["before", "between"])
@pytest.mark.parametrize("output", ["files", "memory"])
def test_harm_to_cached_alphas_is_undone_and_said(tmp_path, monkeypatch, harm, when, output):
    """In the same job, with nothing lost."""
    with serving_jobs(tmp_path) as scheduler:
        request = request_in(tmp_path)
        request = replace(request, output=replace(request.output, depth=Depth.FLOAT))
        assert ask(scheduler, request).frames_written == 12
        right = alphas_in(tmp_path / "out")
        forget_neutral(tmp_path)
        *struck, other = entries(tmp_path, "alphas")[:4]
        frames = abbreviated_frames(sorted(frame_of(path, tmp_path / "out") for path in struck))
        shutil.rmtree(tmp_path / "cache" / "windows")
        befall(when, lambda: [harm(path, other) for path in struck], monkeypatch)
        request = again(request, "copies")
        if output == "memory":
            request = replace(request, output=MappedOutput())
        listener = Listener()
        done = ask(scheduler, request, listener)
        assert (done.frames_written, done.frames_kept) == (12, 0)
        assert done.windows_run > 0
        if output == "files":
            assert_same(tmp_path / "copies", right)
        else:
            ready = sorted(listener.all_of(FrameReady), key=lambda event: event.frame)
            assert [event.frame for event in ready] == list(FRAMES)
            for event, alpha in zip(ready, right, strict=True):
                pixels = np.fromfile(tmp_path / event.mapped.buffer, np.float32)
                assert np.array_equal(pixels, alpha.ravel())
        notes = said_by(listener)
        if harm is not remove:
            assert f"3 cached alphas were damaged and made again: frames {frames}." in notes
        elif when == "between":
            assert (
                f"3 alphas left the cache while the job ran and were made again: frames {frames}"
                in (notes)
            )
        else:
            assert "cache" not in notes


@pytest.mark.parametrize("when", ["before", "between"])
def test_harm_to_cached_windows_is_undone_and_said(tmp_path, monkeypatch, harm, when):
    """They were counted as cached; those that are not whole are made when their turn comes."""
    with serving_jobs(tmp_path) as scheduler:
        request = replace(request_in(tmp_path), knobs=MatteKnobs(gamma=1.5))
        assert ask(scheduler, request).windows_run == 3
        right = alphas_in(tmp_path / "out")
        shutil.rmtree(tmp_path / "cache" / "alphas")
        first, second, other = entries(tmp_path, "windows")
        befall(when, lambda: [harm(path, other) for path in (first, second)], monkeypatch)
        listener = Listener()
        done = ask(scheduler, again(request, "copies"), listener)
        assert (done.windows_run, done.windows_cached) == (2, 1)
        assert_same(tmp_path / "copies", right)
        said = "2 cached windows were damaged and made again: frames" in said_by(listener)
        assert said == (harm is not remove)


def test_harm_to_finished_files_is_undone_and_said(tmp_path, harm):
    """Another of our alphas in the place, and an empty place, are no damage."""
    with serving_jobs(tmp_path) as scheduler:
        request = request_in(tmp_path)
        assert ask(scheduler, request).frames_written == 12
        right = alphas_in(tmp_path / "out")
        files = sorted((tmp_path / "out").glob("*.exr"))
        harm(files[3], files[5])
        listener = Listener()
        done = ask(scheduler, again(request, "out"), listener)
        assert (done.frames_written, done.frames_kept) == (1, 11)
        assert_same(tmp_path / "out", right)
        said = "1 finished frame was damaged and made again: frame 4." in said_by(listener)
        assert said == (harm not in (remove, swap))


def test_a_cache_that_loses_alphas_again_and_again_costs_time_only(tmp_path, monkeypatch):
    """What it lost once is made, whatever it says then."""
    with serving_jobs(tmp_path) as scheduler:
        request = request_in(tmp_path)
        ask(scheduler, request)
        right = alphas_in(tmp_path / "out")
        real, calls = DiskCache.alpha, Counter()

        def alpha(self, wanted, on_damage):
            calls[wanted] += 1
            return None if calls[wanted] % 2 == 0 else real(self, wanted, on_damage)

        monkeypatch.setattr(DiskCache, "alpha", alpha)
        assert ask(scheduler, again(request, "copies")).frames_written == 12
        assert_same(tmp_path / "copies", right)


def test_an_alpha_that_is_lost_is_not_made_of_another_plate(tmp_path, monkeypatch):
    """The job ends as it does where a plate changes; what was copied before stays."""
    with serving_jobs(tmp_path) as scheduler:
        request = request_in(tmp_path)
        ask(scheduler, request)
        first, *_ = entries(tmp_path, "alphas")

        def strike():
            first.unlink()
            for path in (tmp_path / "plate").glob("*.exr"):
                write_exr(path, 1.0 - moving_disc(1, 96, 64))

        befall("between", strike, monkeypatch)
        failed = ask(scheduler, again(request, "copies"))
        assert isinstance(failed, Failed)
        assert failed.code is ErrorCode.PLATE_MISMATCH
        assert "changed while the job ran" in failed.message
        assert len(alphas_in(tmp_path / "copies")) == 11


def test_a_folder_of_the_cache_that_cannot_be_read_is_as_if_it_were_empty(tmp_path, monkeypatch):
    """Its files cannot even be looked at."""
    with serving_jobs(tmp_path) as scheduler:
        request = request_in(tmp_path)
        ask(scheduler, request)
        right = alphas_in(tmp_path / "out")
        closed, real = str(tmp_path / "cache" / "alphas"), os.stat

        def stat(path: Any, **named: Any) -> os.stat_result:
            if str(path).startswith(closed):
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return real(path, **named)

        monkeypatch.setattr(os, "stat", stat)
        assert ask(scheduler, again(request, "copies")).frames_written == 12
        assert_same(tmp_path / "copies", right)


@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_finished_file_whose_header_is_destroyed_is_made_again(tmp_path, left):
    """The very file that we wrote, and no image any more; by the next server too."""
    with open_resources(tmp_path) as (resources, site):
        request = request_in(tmp_path)
        assert run(request, resources, site).failure is None
    right = alphas_in(tmp_path / "out")
    path = tmp_path / "out" / "plate.0004.exr"
    os.truncate(path, left)
    with open_resources(tmp_path) as (resources, site):
        made = run(again(request, "out"), resources, site)
    assert made.failure is None
    assert len(made.found.kept) == 11
    assert any("1 finished frame was damaged" in note for note in made.found.notes)
    assert_same(tmp_path / "out", right)


@pytest.mark.parametrize("how", ["image in place", "image renamed", "text renamed"])
def test_what_others_put_in_its_place_is_never_replaced(tmp_path, how):
    """Another program's picture, written into our file or over it, and any other file."""
    with open_resources(tmp_path) as (resources, site):
        request = request_in(tmp_path)
        assert run(request, resources, site).failure is None
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
        refused = run(again(request, "out"), resources, site).failure
        assert refused is not None
        assert refused.code is ErrorCode.OUTPUT_NOT_OURS
        assert path.read_bytes() == data


@pytest.mark.parametrize("kind", ["alphas", "windows"])
@pytest.mark.parametrize("times", [1, 1000])
def test_a_cache_that_fills_up_is_said_once_when_the_job_is_done(
    tmp_path, monkeypatch, kind, times
):
    """The mattes are delivered; also where there was room again before the job ended."""
    real, left = os.open, [times]

    def opened(path: Any, flags: int, *words: Any, **named: Any) -> int:
        if flags & os.O_CREAT and Path(path).is_relative_to(tmp_path / "cache" / kind):
            left[0] -= 1
            if left[0] >= 0:
                raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, flags, *words, **named)

    with serving_jobs(tmp_path) as scheduler:
        monkeypatch.setattr(os, "open", opened)
        listener = Listener()
        assert ask(scheduler, request_in(tmp_path), listener).frames_written == 12
        assert said_by(listener).count("The cache cannot be written") == 1
        assert "No space is left" in said_by(listener)
        monkeypatch.undo()
        later = Listener()
        ask(scheduler, request_in(tmp_path, out="later"), later)
        assert "cache" not in said_by(later), "another job's trouble"


def test_a_cache_that_may_not_be_written_is_said_once_at_the_beginning(tmp_path, monkeypatch):
    """The job goes on and delivers."""

    def refuse(folder):
        raise OutputError(f"{folder} cannot be written: Read-only file system.")

    monkeypatch.setattr(cache_module, "_make_folder", refuse)
    with serving_jobs(tmp_path) as scheduler:
        listener = Listener()
        done = ask(scheduler, request_in(tmp_path), listener)
    assert done.frames_written == 12
    (accepted,) = listener.all_of(Accepted)
    assert len([note for note in accepted.notes if "Read-only" in note]) == 1
    assert done.notes == ()
    assert len(alphas_in(tmp_path / "out")) == 12


def test_verify_and_matte_agree_on_what_is_left_of_a_frame(tmp_path, capsys, monkeypatch):
    """With a server that did not write the frames; others' files stay as they are."""
    monkeypatch.setenv("GVM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.chdir(tmp_path)

    def verified() -> tuple[int, str]:
        return main(["verify", "out"]), capsys.readouterr().out

    request = request_in(tmp_path)
    with serving_jobs(tmp_path) as scheduler:
        ask(scheduler, request)
    files, right = sorted((tmp_path / "out").glob("*.exr")), alphas_in(tmp_path / "out")
    os.truncate(files[0], 0)
    os.truncate(files[1], 100)
    with files[2].open("r+b") as file:
        file.write(b"\xa5\x5a" * 300)
    code, said = verified()
    assert code == 5
    assert all(f"{path.name}: damaged" in said for path in files[:3])
    with serving_jobs(tmp_path) as scheduler:
        listener = Listener()
        done = ask(scheduler, again(request, "out"), listener)
        assert (done.frames_written, done.frames_kept) == (3, 9)
        notes = said_by(listener)
        assert "3 finished frames were damaged and made again: frames 1-3." in notes
        assert_same(tmp_path / "out", right)
        assert verified()[0] == 0
        theirs = {files[0]: (tmp_path / "plate" / "plate.0001.exr").read_bytes()}
        theirs |= {files[1]: b"notes", files[2]: b"more notes"}
        files[2].unlink()
        for path, data in theirs.items():
            path.write_bytes(data)
        code, said = verified()
        assert all(f"{path.name}: not made by this program" in said for path in theirs)
        refused = ask(scheduler, again(request, "out"))
        assert refused.code is ErrorCode.OUTPUT_NOT_OURS
        assert refused.message.startswith("3 files were not made by this program")
        assert all(path.read_bytes() == data for path, data in theirs.items())


@pytest.mark.parametrize("what", ["pipe", "link", "folder"])
def test_verify_waits_for_nothing_and_follows_links(tmp_path, capsys, monkeypatch, what):
    """A pipe in a frame's place is no alpha; a link to one is."""
    monkeypatch.setenv("GVM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path / "runtime"))
    with open_resources(tmp_path) as (resources, site):
        assert run(request_in(tmp_path), resources, site).failure is None
    path = tmp_path / "out" / "plate.0099.exr"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "link":
        path.symlink_to(tmp_path / "out" / "plate.0001.exr")
    else:
        path.mkdir()
    assert main(["verify", str(tmp_path / "out")]) == (0 if what == "link" else 5)
    assert ("plate.0099.exr: not made" in capsys.readouterr().out) == (what != "link")


def said_by(listener: Listener) -> str:
    """Return all that a job noted, from its beginning to its end."""
    (accepted,), (done,) = listener.all_of(Accepted), listener.all_of(Done)
    return "\n".join((*accepted.notes, *done.notes))


@contextmanager
def serving_jobs(folder: Path) -> Iterator[Scheduler]:
    """A scheduler that runs its jobs."""
    with open_resources(folder) as (resources, site), closing(PreparationPool()) as preparing:
        scheduler = Scheduler(resources=resources, context=site, preparing=preparing)
        gpu = threading.Thread(target=scheduler.run, name="gpu")
        gpu.start()
        try:
            yield scheduler
        finally:
            scheduler.stop()
            gpu.join()


def ask(scheduler: Scheduler, request, listener: Listener | None = None):
    """Ask, and return how the job ended."""
    listener = listener or Listener()
    scheduler.ask(request, peer=request.job.encode(), channel=listener)
    assert until(lambda: listener.all_of(Done) or listener.all_of(Failed), seconds=120)
    return listener.heard[-1]
