"""Where a node's mattes go."""

from __future__ import annotations

import pytest

from gvm_client.errors import OutputError
from gvm_client.filenames import CLIP_EXTENSIONS, MOVIE_EXTENSIONS
from gvm_nodes.core.clips import DEFAULT_OUTPUT, frame_path, output_pattern, plate_name


def pattern(text: str, folder: str = "/shot") -> str:
    """Fill in a text."""
    return output_pattern(text, folder=folder, plate="/p/bg_v2.####.exr", node="ab12", version=7)


def test_the_default_keeps_versions_and_nodes_apart() -> None:
    """Plate, node and version stand in the path."""
    assert pattern(DEFAULT_OUTPUT) == "/shot/mattes/bg_v2_ab12/v007/bg_v2_matte_v007.%04d.exr"


@pytest.mark.parametrize("text", ["m/a.%04d.exr", "/m/a.exr", "/m/{nod}.%04d.exr", "/%d/%04d.exr"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    """The sentence quotes the artist's own text."""
    with pytest.raises(OutputError) as caught:
        pattern(text)
    assert text in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("text", "folder", "says"),
    [
        ("/m/%04d/a.exr", "/shot", "in the file's name"),  # the server takes that for a folder
        ("/m/50%/a.%04d.exr", "/shot", "one frame token"),
        ("/m/a.%04d.v[1-2].exr", "/shot", "one frame token"),
        (DEFAULT_OUTPUT, "/100%done", "hosts fill in %d"),
        (DEFAULT_OUTPUT, "/show/%V", "hosts fill in %V"),
    ],
)
def test_hosts_and_the_server_find_the_same_frame_token(text: str, folder: str, says: str) -> None:
    """Where they would not, it is said what is wrong, and not that a frame token is missing."""
    with pytest.raises(OutputError, match=says):
        pattern(text, folder)


def test_a_percent_sign_in_the_script_s_folder_is_one() -> None:
    """Nothing could be matted there, for the want of a frame token that stood there."""
    made = pattern(DEFAULT_OUTPUT, "/shows/50% grey #2")
    assert made.startswith("/shows/50% grey #2/mattes/")
    assert frame_path(made, 9).name == "bg_v2_matte_v007.0009.exr"
    assert str(frame_path("/r/%04d/a.%04d.exr", 9)) == "/r/0009/a.0009.exr"  # a Read's of Nuke


def test_a_frame_token_without_its_zero_is_the_server_s() -> None:
    """The server fills up with zeros, C and Python with blanks: hosts found no matte."""
    assert pattern("/m/a.%4d.exr") == "/m/a.%04d.exr"


def test_an_unsaved_script_is_asked_to_be_saved() -> None:
    """`{dir}` means something only once the script has a folder."""
    with pytest.raises(OutputError, match="Save the script"):
        pattern(DEFAULT_OUTPUT, folder="")


def test_windows_paths_get_forward_slashes_and_frames_keep_their_numbers() -> None:
    """As hosts want them; negative frames too."""
    assert pattern(r"C:\m\a.%04d.exr") == "C:/m/a.%04d.exr"
    assert frame_path("/m/a.%04d.exr", -7).name == "a.-007.exr"
    assert [plate_name(path) for path in ("/p/a.%04d.exr", "C:\\p\\b_@@@.dpx")] == ["a", "b"]


def test_every_movie_that_the_server_reads_is_one_for_the_hosts():
    """Else its name's last number would be taken for a frame's."""
    assert set(CLIP_EXTENSIONS) >= set(MOVIE_EXTENSIONS)
