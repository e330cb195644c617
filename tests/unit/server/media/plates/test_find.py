"""What a path names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.plates.find import (
    MoviePath,
    SequencePath,
    StillPath,
    own_pattern,
    parse_pattern,
    resolve_plate,
)


def touch(folder, *names: str):
    """Make empty files."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("a.%04d.exr", 4),
        ("a.####.exr", 4),
        ("a.@@@.exr", 3),
        ("a.%d.exr", 1),
        ("a.#.exr", 1),
        ("%06d.exr", 6),
        ("a_%03d_left.exr", 3),
        ("take#1.%04d.exr", 4),
    ],
)
def test_patterns_name_their_padding(tmp_path, name, width):
    """%04d, ####, @@@@ and %d are read as every host writes them; the last field counts."""
    found = resolve_plate(str(tmp_path / name))
    assert isinstance(found, SequencePath)
    assert found.width == width


@given(st.integers(-99_999, 99_999), st.sampled_from(["%d", "%02d", "%04d", "%06d"]))
def test_file_names_are_those_of_printf_and_read_back(frame, field):
    """Names are as `%04d` writes them, negative numbers too, and give the same frame back."""
    pattern = parse_pattern(Path(f"/p/a.{field}.exr"))
    name = pattern.path(frame).name
    assert name == f"a.{field}.exr" % frame
    assert pattern.frame_of(name) == frame


@pytest.mark.parametrize(
    "name",
    [
        "a.12.exr",
        "a.00012.exr",
        "a.+012.exr",
        "a.12a.exr",
        "b.0012.exr",
        "a.0012.png",
        "a..exr",
        "a.-0.exr",
        "a.٠٠١٢.exr",
    ],
)
def test_other_paddings_are_other_sequences(name):
    """A number that is written otherwise is not a frame of the pattern."""
    assert parse_pattern(Path("/p/a.%04d.exr")).frame_of(name) is None


def test_a_folder_with_one_sequence_is_that_sequence(tmp_path):
    """Hidden files, our leftovers, notes and a thumbnail don't count."""
    folder = touch(
        tmp_path / "p",
        *(f"plate.{frame}.exr" for frame in (1001, 1002, 1004)),
        ".plate.1003.exr",
        ".gvm-1-00000000-plate.1003.exr.part",
        "notes.txt",
        "Thumbs.db",
        "thumb.jpg",
    )
    assert str(resolve_plate(str(folder))) == str(folder / "plate.%04d.exr")


def test_negative_frames_belong_to_the_sequence(tmp_path):
    """-005 and 0001 are one sequence of width four."""
    folder = touch(tmp_path / "p", "a.-005.exr", "a.-004.exr", "a.0000.exr", "a.0001.exr")
    assert str(resolve_plate(str(folder))) == str(folder / "a.%04d.exr")


def test_a_folder_with_two_sequences_names_both(tmp_path):
    """The error lists both with their ranges and says to name one."""
    folder = touch(tmp_path / "p", "a.1001.exr", "a.1002.exr", "b.0001.png", "b.0002.png")
    with pytest.raises(InputError) as caught:
        resolve_plate(str(folder))
    assert caught.value.code is ErrorCode.PLATE_AMBIGUOUS
    assert "a.%04d.exr 1001-1002" in caught.value.message
    assert "b.%04d.png 1-2" in caught.value.message
    assert str(folder / "a.%04d.exr") in caught.value.remedy


def test_a_folder_with_one_still_is_that_still(tmp_path):
    """A single image without a number may stand in a folder."""
    folder = touch(tmp_path / "p", "still.png", "notes.txt")
    assert resolve_plate(str(folder)) == StillPath(path=folder / "still.png", frame=None)


def test_a_folder_without_images_says_what_it_holds(tmp_path):
    """A folder with a movie alone points at the movie."""
    with pytest.raises(InputError) as caught:
        resolve_plate(str(touch(tmp_path / "p", "clip.mov")))
    assert caught.value.code is ErrorCode.PLATE_MISSING
    assert "clip.mov" in caught.value.message
    with pytest.raises(InputError, match="there is none"):
        resolve_plate(str(touch(tmp_path / "empty")))


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("a.1001.exr", 1001),
        ("still.png", None),
        ("a.-005.exr", -5),
        ("shot-0042.exr", 42),
        ("0007.exr", 7),
        ("-3.exr", -3),
        ("a_v2.png", 2),
    ],
)
def test_a_file_is_a_single_image_with_its_own_number(tmp_path, name, frame):
    """A numbered file given directly means that image alone."""
    touch(tmp_path, name, "a.1002.exr")
    assert resolve_plate(str(tmp_path / name)) == StillPath(path=tmp_path / name, frame=frame)


@pytest.mark.parametrize("name", ["clip.mov", "CLIP.MP4", "a.0001.mkv", "b#1.webm"])
def test_movies_are_known_by_their_extension(tmp_path, name):
    """Case and numbers in the name don't matter."""
    touch(tmp_path, name)
    assert resolve_plate(str(tmp_path / name)) == MoviePath(path=tmp_path / name)


def test_a_missing_path_says_what_lies_there(tmp_path):
    """The artist sees the sequence that was meant."""
    touch(tmp_path, "plate.1001.exr", "plate.1002.exr")
    with pytest.raises(InputError) as caught:
        resolve_plate(str(tmp_path / "plat.exr"))
    assert caught.value.code is ErrorCode.PLATE_MISSING
    assert "plat.exr" in caught.value.message
    assert "plate.%04d.exr 1001-1002" in caught.value.message


def test_a_missing_folder_is_named(tmp_path):
    """It is the folder that is not there, not the frames."""
    with pytest.raises(InputError, match=r"There is no folder .*/no/such"):
        resolve_plate(str(tmp_path / "no" / "such" / "a.%04d.exr"))


def test_other_files_are_refused_with_the_kinds_that_are_read(tmp_path):
    """A text file is no plate."""
    touch(tmp_path, "notes.txt")
    with pytest.raises(InputError) as caught:
        resolve_plate(str(tmp_path / "notes.txt"))
    assert caught.value.code is ErrorCode.PLATE_UNREADABLE
    assert ".exr" in caught.value.remedy


def test_a_dash_separates_in_a_folder_too(tmp_path):
    """`shot-0001` is frame 1: the clip does not run backwards."""
    folder = touch(tmp_path / "p", *(f"shot-{frame:04d}.png" for frame in (1, 2, 3)))
    found = resolve_plate(str(folder))
    assert str(found) == str(folder / "shot-%04d.png")
    assert [found.frame_of(f"shot-{frame:04d}.png") for frame in (1, 2)] == [1, 2]


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (["a.8.exr", "a.9.exr", "a.10.exr"], "a.%d.exr"),
        (["a.9999.exr", "a.10000.exr"], "a.%04d.exr"),
        (["a.0999.exr", "a.1000.exr", "a.10000.exr"], "a.%04d.exr"),
        (["a.0.exr", "a.1.exr", "a.12.exr"], "a.%d.exr"),
        (["A001C002_220101.exr"], "A001C002_%06d.exr"),
        (["a#1.0001.exr", "a#1.0002.exr"], "a#1.%04d.exr"),
    ],
)
def test_a_folders_padding_holds_all_its_frames(tmp_path, names, pattern):
    """Every file is a frame of the pattern that is found."""
    folder = touch(tmp_path / "p", *names)
    found = resolve_plate(str(folder))
    assert Path(str(found)).name == pattern
    assert all(found.frame_of(name) is not None for name in names)


def test_two_paddings_in_a_folder_are_two_sequences(tmp_path):
    """Neither is guessed; both are named."""
    folder = touch(tmp_path / "p", "a.001.exr", "a.002.exr", "a.0001.exr")
    with pytest.raises(InputError, match=r"a\.%03d\.exr 1-2.*a\.%04d\.exr 1|%04d.*%03d"):
        resolve_plate(str(folder))


@pytest.mark.parametrize("name", ["shot#3.mov", "clip@home.mp4", "take_%d.mov", "still#2.png"])
def test_a_file_that_is_there_is_no_pattern(tmp_path, name):
    """What stands on disk by that very name is meant."""
    touch(tmp_path, name)
    assert resolve_plate(str(tmp_path / name)).path == tmp_path / name
    assert own_pattern(tmp_path / name) is None


def test_a_movies_name_is_never_a_pattern(tmp_path):
    """One that is missing is missing as it is called."""
    touch(tmp_path, "shot1.mov")
    with pytest.raises(InputError, match=r"No plate is at .*shot#\.mov") as caught:
        resolve_plate(str(tmp_path / "shot#.mov"))
    assert caught.value.code is ErrorCode.PLATE_MISSING


def test_a_view_that_is_not_said_is_asked_for(tmp_path):
    """`%V` stands for several plates."""
    touch(tmp_path, "a_left.0001.exr", "a_right.0001.exr")
    with pytest.raises(InputError, match="several views") as caught:
        resolve_plate(str(tmp_path / "a_%V.%04d.exr"))
    assert caught.value.code is ErrorCode.PLATE_AMBIGUOUS


def test_a_percent_sign_and_a_v_are_a_name_where_such_files_are(tmp_path):
    """`100%video` is no view of a stereo plate; `a_%v` is."""
    touch(tmp_path, "100%video.0001.exr", "a_l.0001.exr")
    found = resolve_plate(str(tmp_path / "100%video.%04d.exr"))
    assert str(found) == str(tmp_path / "100%video.%04d.exr")
    with pytest.raises(InputError, match="several views"):
        resolve_plate(str(tmp_path / "a_%v.%04d.exr"))


@pytest.mark.parametrize("field", ["<UDIM>", "{frame}", "%x", "%04i"])
def test_another_way_to_write_a_frame_is_refused_with_those_that_are_read(tmp_path, field):
    """What is there is named too."""
    touch(tmp_path, "a.1001.exr", "a.1002.exr")
    with pytest.raises(InputError) as caught:
        resolve_plate(str(tmp_path / f"a.{field}.exr"))
    assert "a.%04d.exr 1001-1002" in caught.value.message
    for form in ("%04d", "####", "@@@@", "$F4", "[1001-1100]"):
        assert form in caught.value.remedy


@pytest.mark.parametrize("find", [resolve_plate, lambda path: own_pattern(Path(path))])
def test_a_place_that_cannot_be_looked_into_is_unreadable(tmp_path, find):
    """The system says why: here a name that is too long, for root may enter every folder."""
    place = tmp_path / ("x" * 300) / "plate.%04d.exr"
    with pytest.raises(InputError, match="cannot be read: File name too long") as caught:
        find(str(place))
    assert caught.value.code is ErrorCode.PLATE_UNREADABLE
    assert caught.value.path == str(place)
