"""Guides on a node: from its knobs to its request, and mattes that are older than a guide."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from gvm_client.errors import SettingsError
from gvm_client.guides import GUIDE_HELP, Guides
from gvm_client.protocol.messages import FilePlate, Matte
from gvm_client.settings import Priority
from gvm_nodes.core.clips import frame_path
from gvm_nodes.core.defaults import checked_options
from gvm_nodes.core.node_request import options_request
from gvm_nodes.core.saved_state import is_plate_newer, matte_digest, record_made
from gvm_nodes.core.settings import MatteOptions, Page, as_options, on_page


def request(folder: Path, **values: str | float) -> Matte:
    """Return the request of a node with these knobs."""
    plate = FilePlate(path=str(folder / "a.%04d.exr"), first=1, last=3)
    pattern = str(folder / "m.%04d.exr")
    options = as_options(values)
    return options_request(options, plate, pattern, frames="1-3", priority=Priority.RANGE)


def test_every_host_has_the_knobs():
    """Two paths and a length, beside the finish."""
    names = [knob.name for knob in on_page(Page.MATTE)]
    assert names[-3:] == [*GUIDE_HELP, "guide_feather"]


def test_what_the_knobs_say_is_asked_for(tmp_path, monkeypatch):
    """Blanks around a path, a home folder and backslashes are understood; empty is none."""
    monkeypatch.setenv("HOME", "/home/ann")
    asked = request(
        tmp_path, garbage=" ~/roto.####.exr ", holdout="C:\\roto\\core.png", guide_feather=4.5
    )
    assert asked.guides == Guides(
        garbage="/home/ann/roto.####.exr", holdout="C:/roto/core.png", guide_feather=4.5
    )
    assert request(tmp_path).guides == Guides()


@pytest.mark.parametrize(
    "change", [{"garbage": "roto.exr"}, {"holdout": "./x.exr"}, {"guide_feather": 999.0}]
)
def test_what_cannot_be_is_refused_with_its_name(tmp_path, change):
    """When a request is made, and where a window checks what was typed."""
    (name,) = change
    with pytest.raises(SettingsError, match=name):
        request(tmp_path, **change)
    with pytest.raises(SettingsError, match=name):
        checked_options(replace(MatteOptions(), **change))


def test_another_guide_is_another_matte(tmp_path):
    """So a node says that its mattes are out of date."""
    digests = {
        matte_digest(request(tmp_path, **values))
        for values in ({}, {"garbage": "/a.exr"}, {"holdout": "/a.exr"}, {"guide_feather": 2.0})
    }
    assert len(digests) == 4


@pytest.mark.parametrize("name", ["g.%04d.exr", "g.####.exr", "g.0002.exr"])
def test_a_guide_that_is_newer_than_a_matte_is_noticed(tmp_path, name):
    """A frame of a sequence, however its field is written, or an image for all."""
    asked = request(tmp_path, holdout=str(tmp_path / name))
    for path, seconds in (("a.0002.exr", 100), ("g.0002.exr", 100), ("m.0002.exr", 200)):
        (tmp_path / path).write_text("")
        os.utime(tmp_path / path, (seconds, seconds))
    made = record_made("", asked, (2,))
    assert not is_plate_newer(made, asked)
    os.utime(tmp_path / "g.0002.exr", (300, 300))
    assert is_plate_newer(made, asked)
    os.utime(frame_path(asked.output.path, 2), (400, 400))
    assert not is_plate_newer(made, asked)
