"""Which files of a folder are the matte: layers in files of their own lie beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_client.errors import ErrorCode, InputError
from gvm_server.measure.files import file_of_layer, find_matte

LAYERS = ("matte_raw", "matte_edge", "matte_core", "fg", "rgba")


def put(folder: Path, *names: str) -> Path:
    """Make a folder with files of these names."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("alpha", "layer", "found"),
    [
        ("p.0001.exr", "p.{}.0001.exr", "p.%04d.exr"),
        ("p_0001.exr", "p_{}_0001.exr", "p_%04d.exr"),
        ("1001.exr", "{}.1001.exr", "%04d.exr"),
        ("still.exr", "still.{}.exr", "still.exr"),
    ],
)
def test_a_folder_is_its_alphas(tmp_path, alpha, layer, found):
    """However names are parted; each layer is found beside them by its own name."""
    folder = put(tmp_path / "out", alpha, *map(layer.format, LAYERS))
    place = find_matte(str(folder))
    assert str(place) == str(folder / found)
    named = Path(file_of_layer(place, "matte.raw")).name
    assert named == layer.format("matte_raw").replace("0001", "%04d").replace("1001", "%04d")
    assert file_of_layer(place, "matte.depth") == file_of_layer(place, "A") == ""


def test_a_layer_alone_and_two_mattes_stay_what_they_were(tmp_path):
    """One sequence is that one, whatever it is called; of two clips none is chosen."""
    alone = find_matte(str(put(tmp_path / "alone", "p.fg.0001.exr")))
    assert Path(str(alone)).name == "p.fg.%04d.exr"
    assert file_of_layer(alone, "matte.raw") == ""
    both = put(tmp_path / "both", "p.0001.exr", "p.fg.0001.exr", "q.0001.exr", "q.fg.0001.exr")
    with pytest.raises(InputError, match="4 plates") as caught:
        find_matte(str(both))
    assert caught.value.code is ErrorCode.PLATE_AMBIGUOUS
