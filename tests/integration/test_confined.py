"""`gvm serve --root DIR` reads and writes nothing outside a tree."""

from __future__ import annotations

import pytest

from tests.support.plates import write_plate


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
