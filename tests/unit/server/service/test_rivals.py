"""Which jobs may not write at the same time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gvm_client.errors import OutputError
from gvm_client.protocol.messages import FileOutput
from gvm_client.settings import Depth, MatteKnobs, Priority
from gvm_server.service.rivals import refuse_rival
from tests.support.shop import request_in


def test_other_settings_or_another_plate_into_the_same_files_are_refused(tmp_path: Path):
    """With the job that is there, and what to do."""
    there = request_in(tmp_path)
    path = there.output.path
    plate = replace(there.plate, path="/p/other.%04d.exr")
    same_place = FileOutput(path=f"{path}/../{Path(path).name}")
    float_depth = replace(same_place, depth=Depth.FLOAT)
    for asked in (
        replace(there, job="1" * 32, output=same_place, knobs=MatteKnobs(blur=2.0)),
        replace(there, job="1" * 32, output=same_place, plate=plate),
        replace(there, job="1" * 32, output=float_depth),
    ):
        with pytest.raises(OutputError, match=there.job) as caught:
            refuse_rival(asked, [there])
        assert "another version" in caught.value.remedy


def test_other_frames_of_the_same_mattes_are_not(tmp_path: Path):
    """A farm's tasks, and the playhead beside its range."""
    there = request_in(tmp_path)
    playhead = replace(there, job="1" * 32, frames="3", priority=Priority.INTERACTIVE, playhead=3)
    refuse_rival(playhead, [there])


def test_other_settings_into_another_place_are_not(tmp_path: Path):
    """Another version, which is what the refusal advises."""
    there = request_in(tmp_path)
    other = FileOutput(path=f"{there.output.path}_v002", depth=Depth.FLOAT)
    refuse_rival(replace(there, job="1" * 32, output=other, knobs=MatteKnobs(blur=2.0)), [there])
