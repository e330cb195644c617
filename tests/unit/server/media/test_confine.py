"""The tree that a server is confined to."""

from __future__ import annotations

import re

import pytest

from gvm_client.errors import ErrorCode, InputError, OutputError
from gvm_server.media.confine import OpenFolder, Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.open import open_plate
from tests.fakes.plates import write_sequence


def test_inside_is_allowed_and_no_root_allows_all(tmp_path):
    """A path below the root passes, one that does not exist yet too."""
    roots = Roots(tmp_path)
    roots.check_read(tmp_path / "a" / "b.exr")
    roots.check_write(tmp_path / "new" / "b.exr")
    Roots().check_read(tmp_path.parent)


def test_parent_steps_and_links_are_refused(tmp_path):
    """Neither `..` nor a link leads out."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "link").symlink_to(outside)
    roots = Roots(root)
    for path in (root / ".." / "outside" / "a.exr", root / "link" / "a.exr", tmp_path / "root2"):
        with pytest.raises(InputError) as read:
            roots.check_read(path)
        with pytest.raises(OutputError) as write:
            roots.check_write(path)
        assert read.value.code is write.value.code is ErrorCode.PATH_REFUSED
        assert str(root) in write.value.message


def test_a_root_that_is_itself_a_link_holds_its_files(tmp_path):
    """Root and path are both resolved."""
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    Roots(tmp_path / "alias").check_read(tmp_path / "real" / "a.exr")


def test_a_frame_that_is_a_link_to_outside_is_refused_when_read(tmp_path):
    """One file of an allowed sequence cannot smuggle another in."""
    root = tmp_path / "root"
    pattern = write_sequence(root, [1, 2])
    secret = write_sequence(tmp_path / "outside", [3])
    (root / "plate.0003.exr").symlink_to(str(secret) % 3)
    plate = open_plate(PlateOptions(path=str(pattern)), roots=Roots(root))
    plate.read(2)
    for look in (plate.read, plate.key, plate.header):
        with pytest.raises(InputError) as caught:
            look(3)
        assert caught.value.code is ErrorCode.PATH_REFUSED


def test_a_plate_outside_is_refused_without_a_look(tmp_path):
    """The answer does not tell whether something is there."""
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(InputError) as caught:
        open_plate(PlateOptions(path=str(tmp_path / "no" / "a.%04d.exr")), roots=Roots(root))
    assert caught.value.code is ErrorCode.PATH_REFUSED


def test_a_held_folder_is_where_it_was_whatever_its_name_leads_to(tmp_path):
    """Errors about it name it as it was asked for; one that leads outside is refused."""
    root = tmp_path / "root"
    out = root / "out"
    out.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    held = OpenFolder(out, Roots(root))
    out.rename(root / "moved")
    out.symlink_to(tmp_path / "elsewhere")
    with held.naming(out) as place:
        (place / "a").write_text("x")
    assert (root / "moved" / "a").read_text() == "x"
    assert not list((tmp_path / "elsewhere").iterdir())
    refused = pytest.raises(OutputError, match=re.escape(f"{out}/b cannot"))
    with refused as caught, held.naming(out) as place:
        raise OutputError(f"{place}/b cannot be written.", path=f"{place}/b")
    assert caught.value.path == f"{out}/b"
    held.close()
    held.close()
    with pytest.raises(OutputError, match=re.escape(str(out))) as caught:
        OpenFolder(out, Roots(root))
    assert caught.value.code is ErrorCode.PATH_REFUSED
