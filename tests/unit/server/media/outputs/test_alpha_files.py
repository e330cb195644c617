"""The names of alpha files, and what may not be overwritten."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from gvm_client.errors import ErrorCode, OutputError, SettingsError
from gvm_client.settings import Depth
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import Box, FrameHeader
from gvm_server.media.outputs import alpha_files as output
from gvm_server.media.outputs.alpha_files import AlphaFiles
from tests.fakes.plates import write_image, write_sequence
from tests.support.alphas import write_alpha


def files(target, plate="/p/plate.%04d.exr", roots=Roots()):  # noqa: B008 - frozen
    """Return the names for an output text."""
    return AlphaFiles.of(str(target), plate_name=str(plate), roots=roots)


def ours(path):
    """Write one of our own alphas."""
    box = Box(x=0, y=0, width=4, height=4)
    write_alpha(
        path,
        np.zeros((4, 4), np.float32),
        header=FrameHeader(display=box, data=box),
        depth=Depth.HALF,
        attributes={"gvm:key": "ab" * 16},
    )


@pytest.mark.parametrize(
    ("plate", "frame", "name"),
    [
        ("/p/plate.%04d.exr", 1001, "plate.1001.exr"),
        ("/p/plate.%04d.dpx", 7, "plate.0007.exr"),
        ("/p/plate.%04d.exr", -5, "plate.-005.exr"),
        ("/p/plate.%04d.exr", 123456, "plate.123456.exr"),
        ("/p/plate.%d.png", 12, "plate.12.exr"),
        ("/p/%06d.tif", 12, "000012.exr"),
        ("/p/a_%03d_left.png", 7, "a_007_left.exr"),
        ("/p/clip.mov", 12, "clip.0012.exr"),
        ("/p/clip.v2.mp4", 12, "clip.v2.0012.exr"),
        ("/p/still.png", 1, "still.exr"),
        ("/p/plate.1001.exr", 1001, "plate.1001.exr"),
        ("Read1", 12, "Read1.0012.exr"),
        ("../a/b c:1", 12, "_a_b_c_1.0012.exr"),
        ("..", 12, "alpha.0012.exr"),
    ],
)
def test_a_folder_keeps_the_plates_names(tmp_path, plate, frame, name):
    """Base name, padding and sign survive; a movie gets four digits."""
    assert files(tmp_path / "out", plate).path(frame) == tmp_path / "out" / name


@pytest.mark.parametrize(
    ("target", "name"),
    [("m.%04d.exr", "m.0007.exr"), ("m.###.exr", "m.007.exr"), ("m.@.EXR", "m.7.EXR")],
)
def test_a_pattern_names_the_files(tmp_path, target, name):
    """The artist's own pattern is taken as it is."""
    assert files(tmp_path / target).path(7) == tmp_path / name


def test_a_folder_that_looks_like_a_pattern_is_a_folder(tmp_path):
    """What is there decides."""
    (tmp_path / "out#1.exr").mkdir()
    assert files(tmp_path / "out#1.exr").path(7).parent == tmp_path / "out#1.exr"


def test_only_exr_can_be_written(tmp_path):
    """A PNG pattern is refused at once."""
    with pytest.raises(SettingsError, match=r"does not end with \.exr"):
        files(tmp_path / "a.%04d.png")


@pytest.mark.parametrize("name", ["matte.mov", "matte.MP4", "matte.png", "matte.v2.tif"])
def test_a_movie_or_another_image_is_no_folder_unless_it_is_one(tmp_path, name):
    """`-o matte.mov` made a folder of that name, full of EXR files."""
    with pytest.raises(SettingsError, match="alphas are EXR files") as caught:
        files(tmp_path / name)
    assert "--movie" in caught.value.remedy
    (tmp_path / name).mkdir()
    assert files(tmp_path / name).path(7).parent == tmp_path / name
    assert files(tmp_path / "matte.v2").folder == tmp_path / "matte.v2"


def test_one_name_for_several_frames_is_refused(tmp_path):
    """A pattern without a frame field fits one frame."""
    one = files(tmp_path / "a.exr")
    one.check([7], overwrite=False)
    with pytest.raises(SettingsError, match="2 frames"):
        one.check([7, 8], overwrite=False)


def test_check_makes_the_folder_and_leaves_it_empty(tmp_path):
    """The proof of writing leaves no trace."""
    files(tmp_path / "new" / "out").check([1, 2], overwrite=False)
    assert list((tmp_path / "new" / "out").iterdir()) == []


def test_foreign_files_are_named_and_kept_unless_overwritten(tmp_path):
    """Up to ten are named; ours may always be replaced."""
    plate = write_sequence(tmp_path / "plate", range(20))
    out = tmp_path / "out"
    write_sequence(out, range(14))
    ours(out / "plate.0013.exr")
    mattes = files(out, plate)
    with pytest.raises(OutputError) as caught:
        mattes.check(range(20), overwrite=False)
    assert caught.value.code is ErrorCode.OUTPUT_NOT_OURS
    assert "13 files" in caught.value.message
    assert "plate.0009.exr and 3 more" in caught.value.message
    assert "--overwrite" in caught.value.remedy
    mattes.check(range(13, 20), overwrite=False)
    mattes.check(range(20), overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_in_a_frames_place_is_said_before_anything_is_made(tmp_path, overwrite):
    """No switch replaces it: it was met when its frame was written, after those before it."""
    out = tmp_path / "out"
    for frame in (3, 4):
        (out / f"plate.{frame:04d}.exr").mkdir(parents=True)
    (out / "plate.0001.exr").symlink_to(tmp_path)  # a link to a folder is replaced as any link
    mattes = files(out, write_sequence(tmp_path / "plate", range(6)))
    with pytest.raises(OutputError, match=r"plate\.0003\.exr.*1 more") as caught:
        mattes.check(range(6), overwrite=overwrite)
    assert caught.value.code is ErrorCode.OUTPUT_UNWRITABLE
    assert "move the folder away" in caught.value.remedy
    mattes.check(range(2), overwrite=True)


def test_a_folder_that_may_not_be_listed_is_said(tmp_path, monkeypatch):
    """One that lets files be written and shows none."""

    def refuse(folder):
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    (tmp_path / "out").mkdir()
    mattes = files(tmp_path / "out", write_sequence(tmp_path / "plate", range(2)))
    monkeypatch.setattr("gvm_server.media.outputs.alpha_files.os.scandir", refuse)
    with pytest.raises(OutputError, match="Permission denied") as caught:
        mattes.check_names(range(2), overwrite=True)
    assert caught.value.code is ErrorCode.OUTPUT_UNWRITABLE


def test_a_link_in_a_frames_place_is_not_ours(tmp_path):
    """Even a link to one of our files was made by somebody else."""
    out = tmp_path / "out"
    out.mkdir()
    ours(tmp_path / "real.exr")
    (out / "plate.0001.exr").symlink_to(tmp_path / "real.exr")
    with pytest.raises(OutputError, match="not made by this program"):
        files(out).check([1], overwrite=False)


def test_an_empty_file_is_replaced_where_it_was_ours(tmp_path):
    """One that nobody knows may hold a place for another program's frame."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "plate.0001.exr").touch()
    files(out).check([1], overwrite=False, ours=lambda _: True)
    with pytest.raises(OutputError, match="not made by this program"):
        files(out).check([1], overwrite=False)


@pytest.mark.parametrize("target", [".", "plate.%04d.exr", "plate.%d.exr", "../alias"])
def test_the_plates_own_files_are_never_replaced(tmp_path, target):
    """Not with --overwrite, not by another spelling of the names, not through a link."""
    folder = tmp_path / "p"
    plate = write_sequence(folder, [1001, 1002])
    (tmp_path / "alias").symlink_to(folder)
    with pytest.raises(OutputError, match="own file") as caught:
        files(folder / target, plate).check([1001, 1003], overwrite=True)
    assert caught.value.code is ErrorCode.OUTPUT_NOT_OURS


def test_a_stills_own_file_is_never_replaced(tmp_path):
    """A single image is its own plate, and its neighbours are not."""
    still = write_image(tmp_path / "still.0007.exr")
    with pytest.raises(OutputError, match="own file"):
        files(tmp_path, still).check([7], overwrite=True)
    files(tmp_path / "matte.exr", still).check([7], overwrite=True)


def test_other_names_beside_the_plate_are_fine(tmp_path):
    """Alphas may lie in the plate's folder under another name."""
    plate = write_sequence(tmp_path, [1, 2])
    files(tmp_path / "matte.%04d.exr", plate).check([1, 2], overwrite=False)


def test_a_confined_server_writes_nothing_outside(tmp_path):
    """Not even the folder is made."""
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(OutputError) as caught:
        files(root / ".." / "out", roots=Roots(root)).check([1], overwrite=False)
    assert caught.value.code is ErrorCode.PATH_REFUSED
    assert not (tmp_path / "out").exists()


def test_an_unwritable_folder_is_named(tmp_path):
    """A file where the folder should be."""
    (tmp_path / "file").touch()
    with pytest.raises(OutputError) as caught:
        files(tmp_path / "file" / "out").check([1], overwrite=False)
    assert caught.value.code is ErrorCode.OUTPUT_UNWRITABLE
    assert "file/out" in caught.value.message


def test_no_permission_is_named(tmp_path, monkeypatch):
    """The system's refusal is passed on with the folder (fault injected: root may do all)."""

    def refuse(*_: object, **__: object):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(output.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OutputError, match="Permission denied") as caught:
        files(tmp_path).check([1], overwrite=False)
    assert caught.value.path == str(tmp_path)


def test_a_place_that_cannot_be_looked_into_is_named(tmp_path):
    """The system says why: here a name that is too long, for root may enter every folder."""
    with pytest.raises(OutputError, match="File name too long") as caught:
        files(tmp_path / ("x" * 300))
    assert caught.value.code is ErrorCode.OUTPUT_UNWRITABLE
