"""Damage to anything that is kept gives the right mattes, and is said; so does another maker."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gvm_client.settings import MatteKnobs
from gvm_server.cli.main import main
from tests.support.plates import read_alpha
from tests.support.runs import run
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
