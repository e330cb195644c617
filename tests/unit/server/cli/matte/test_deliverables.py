"""What `gvm matte` says of its deliverables."""

from __future__ import annotations

import pytest

from gvm_server.cli.main import main
from gvm_server.cli.matte.deliverables import PlannedDeliverables, said_of_gaps
from gvm_server.media.outputs.deliverables import Deliverables
from gvm_server.media.plates.base import PlateOptions
from tests.fakes.plates import write_sequence


class Notes:
    """A display that keeps its notes."""

    def __init__(self) -> None:
        self.said = []

    def note(self, text):
        """Keep it."""
        self.said.append(text)


@pytest.mark.parametrize("frames", [(), (7,), (-1, 0, 1), range(1001, 1011)])
def test_frames_without_a_gap_need_no_word(frames):
    """One, none, and those below zero."""
    assert said_of_gaps(frames) == ""


def test_what_a_range_leaves_out_is_counted():
    """With the range that it lies in."""
    assert "3 frames of 1001-1009 follow each other there, 6 between them are" in said_of_gaps(
        (1001, 1005, 1009)
    )
    assert "1 between them is left out" in said_of_gaps((-1, 1))


@pytest.mark.parametrize("kind", ["movie", "comp", "png"])
def test_movies_say_that_gaps_close_and_images_have_numbers(tmp_path, monkeypatch, kind):
    """PNG files are told by their frames."""
    plate = PlateOptions(path=str(write_sequence(tmp_path / "plate", (1, 2, 3))))
    monkeypatch.setattr("gvm_server.cli.matte.deliverables.deliver", _nothing)
    wanted = Deliverables(**{kind: tmp_path / "out.mov"})
    planned = PlannedDeliverables(wanted=wanted, plate=plate, out=str(tmp_path), overwrite=False)
    display = Notes()
    planned.make((1, 3), display)
    assert any("no gaps" in note for note in display.said) == (kind != "png")


@pytest.mark.parametrize("refused", [["--frames", "9"], ["--layer", "nope"], ["--frames", "1-"]])
def test_what_is_refused_leaves_no_folder(tmp_path, tmp_path_factory, monkeypatch, refused):
    """Of PNG files, nor of a movie; on a machine where no server runs."""
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    plate = str(write_sequence(tmp_path / "plate", (1, 2, 3)))
    made = ["--png", str(tmp_path / "png"), "--movie", str(tmp_path / "movies" / "a.mov")]
    words = ["matte", plate, "-o", str(tmp_path / "out"), *made, *refused]
    assert main([*words, "--no-start"]) in {2, 3, 4}  # the last: what the server would refuse
    assert [path.name for path in tmp_path.iterdir()] == ["plate"]


def _nothing(wanted, plate, alphas, frames, *, overwrite):
    """Stand in for `deliver`: no alphas are there."""
    del wanted, plate, alphas, overwrite
    yield from frames
