"""`gvm serve --root DIR` reads and writes nothing outside a tree."""

from __future__ import annotations

import pytest

from tests.support.plates import write_plate
from tests.support.site import SMALL


@pytest.fixture
def confined(site, tmp_path, eventually):
    """A server that is confined to a folder with a plate in it."""
    root = tmp_path / "root"
    inside = write_plate(root / "plate", range(1, 4))
    server = site.start("serve", "--root", str(root))
    eventually(site.server)
    yield site, root, inside
    server.terminate()
    server.communicate(timeout=20)


def test_paths_inside_work_and_outside_are_refused(confined, tmp_path):
    """Plates and mattes inside pass; outside, by `..` and by a link, they are refused."""
    site, root, inside = confined
    assert site.matte(inside, root / "out").code == 0
    outside = write_plate(tmp_path / "outside", range(1, 4))
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "linked").mkdir()
    for frame in range(1, 4):
        (root / "linked" / f"plate.{frame:04d}.exr").symlink_to(
            tmp_path / "outside" / f"plate.{frame:04d}.exr"
        )
    for plate, out in (
        (outside, root / "out"),
        (str(root / "link" / "plate.%04d.exr"), root / "out"),
        (str(root / "linked" / "plate.%04d.exr"), root / "out"),
        (inside, tmp_path / "elsewhere"),
        (inside, root / "link" / "out"),
        (inside, f"{root}/../elsewhere"),
    ):
        ran = site.matte(plate, out)
        assert ran.code == 3, (plate, out, ran.stderr)
        assert "confined" in ran.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_becomes_a_link_in_mid_job_leads_nothing_outside(
    confined, tmp_path, eventually
):
    """The alphas go on into the folder that was checked, whatever its name leads to now."""
    site, root, _ = confined
    site.gvm("stop")
    site.environment["GVM_TEST_ENGINE_SECONDS"] = "0.05"
    server = site.start("serve", "--root", str(root))
    eventually(lambda: (found := site.server()) is not None and found.pid == server.pid)
    plate = write_plate(root / "long", range(1, 31))
    out, held, elsewhere = root / "out", root / "held", tmp_path / "elsewhere"
    elsewhere.mkdir()
    job = site.start("matte", plate, "-o", str(out), *SMALL)
    eventually(lambda: len(list(out.glob("*.exr"))) >= 3)
    out.rename(held)
    out.symlink_to(elsewhere, target_is_directory=True)
    _, said = job.communicate(timeout=60)
    assert job.returncode == 0, said
    assert list(elsewhere.iterdir()) == []
    assert len(list(held.glob("*.exr"))) == 30
    again = site.matte(plate, out)
    assert again.code == 3
    assert "confined" in again.stderr
    server.terminate()
    server.communicate(timeout=20)
