"""Access to files: a server confined to a tree, disks that stall, reasons as text."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from pathlib import Path

import pytest

from gvm_client.errors import ErrorCode, InputError, OutputError
from gvm_server.media import file_access
from gvm_server.media.alphas.exr import read_alpha_file
from gvm_server.media.file_access import (
    OpenFolder,
    Roots,
    StallError,
    probe_file,
    probe_folder,
    reason_of,
)
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.image import ImageFile, read_header
from gvm_server.media.plates.open import open_plate
from tests.fakes.plates import write_sequence


def test_a_pipe_in_the_plates_place_freezes_nobody(tmp_path: Path):
    """OpenImageIO would wait for its writer, with Python's lock held."""
    os.mkfifo(pipe := tmp_path / "plate.0003.exr")
    with pytest.raises(InputError, match=r"plate\.0003\.exr .* a pipe") as caught:
        read_header(ImageFile(path=pipe, frame=3, layer=""))
    assert (caught.value.code, caught.value.frame) == (ErrorCode.PLATE_UNREADABLE, 3)
    with pytest.raises(InputError, match="a pipe"):
        read_alpha_file(pipe)


def test_other_things_that_are_no_files_are_named(tmp_path: Path):
    """With what they are; what is not there is left to whoever opens it."""
    (tmp_path / "a.exr").mkdir()
    with pytest.raises(InputError, match="a folder"):
        probe_file(tmp_path / "a.exr")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(InputError, match="a socket"):
            probe_file(tmp_path / "s")
    with pytest.raises(InputError, match="a device"):
        probe_file(Path("/dev/zero"))
    probe_file(tmp_path / "none")
    probe_folder(tmp_path / "none")


def test_a_share_that_does_not_answer_ends_the_read_with_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """And leaves the reader free for other jobs; the file is served when the share is back."""
    path = tmp_path / "plate.0001.exr"
    path.write_bytes(b"x" * 100)
    back = threading.Event()
    stat, head = Path.stat, file_access.read_head

    def stalled(self: Path) -> Path:
        assert self not in (path, tmp_path) or back.wait(10)
        return self

    monkeypatch.setattr(Path, "stat", lambda self, **words: stat(stalled(self), **words))
    monkeypatch.setattr(file_access, "read_head", lambda self: head(stalled(self)))
    for look, place in ((probe_file, path), (probe_folder, tmp_path)):
        begun = time.monotonic()
        with pytest.raises(InputError, match=r"not answered for 0\.1 s") as caught:
            look(place, seconds=0.1)
        assert time.monotonic() - begun < 5
        assert caught.value.path == str(place)
    back.set()
    probe_file(path, seconds=5)
    assert file_access.STALL_SECONDS >= 10  # a disk that wakes is no stall


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


def test_a_link_to_itself_is_one_bad_frame_of_a_confined_clip(tmp_path):
    """The others have their keys and windows; who needs that frame is told."""
    root = tmp_path / "root"
    pattern = write_sequence(root, [1, 2])
    loop = root / "plate.0003.exr"
    loop.symlink_to(loop.name)
    plate = open_plate(PlateOptions(path=str(pattern)), roots=Roots(root))
    assert plate.geometry().left_out == (3,)
    plate.look_ahead((1, 2, 3))
    assert plate.key(1) != plate.key(2)
    for look in (plate.read, plate.key, plate.header):
        with pytest.raises(InputError, match="Frame 3 cannot be read"):
            look(3)


def test_a_share_that_hangs_under_a_confined_server_ends_each_look(tmp_path, monkeypatch):
    """Following its links asks the disk too: no thread of a pool waits for that."""
    plate = open_plate(
        PlateOptions(path=str(write_sequence(tmp_path, [1, 2, 3]))), roots=Roots(tmp_path)
    )
    back, follow = threading.Event(), os.path.realpath
    waiting = set[str]()

    def hangs(path: Path) -> str:
        waiting.add(threading.current_thread().name)
        assert back.wait(10)
        return follow(path)

    monkeypatch.setattr(file_access, "STALL_SECONDS", 0.1)
    monkeypatch.setattr(os.path, "realpath", hangs)
    looks = (
        lambda: plate.key(2),
        lambda: plate.read(2),
        lambda: plate.look_ahead((1, 2, 3)),
        plate.geometry,
    )
    for look in looks:
        with pytest.raises(StallError, match=r"not answered for 0\.1 s"):
            look()
    back.set()
    assert waiting == {file_access.LOOKER}


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


class Quoting:
    """A file whose reason quotes bytes that are no text, as OpenImageIO's does."""

    def geterror(self) -> str:
        return b"Unknown attribute \xff\xfe".decode()


def test_a_reason_that_is_no_text_is_told_in_our_words():
    """It raises nothing: a damaged file is an error of its own kind, never a defect of ours."""
    assert reason_of(Quoting()) == "it is damaged"
    assert reason_of(None) == ""
