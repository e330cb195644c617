"""What the window of Fusion's and Resolve's scripts begins with: the last settings, a studio's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gvm_nodes.blackmagic.settings_form import OPTIONS_KEY
from gvm_nodes.core.defaults import VARIABLE
from tests.fakes.remote import Remote
from tests.fakes.resolve import MediaPoolItem, Project
from tests.fakes.transport import FakeTransport
from tests.fakes.uimanager import Window
from tests.support.artist import Hands, at_fusion, at_resolve, comp, matte_settings, shown, until

pytestmark = pytest.mark.usefixtures("no_studio")


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A studio's file."""
    path = tmp_path / "studio.json"
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def test_settings_are_remembered_in_the_program_that_used_them():
    """What was only looked at is not; a preset's numbers come back with their changes."""
    transport = FakeTransport()

    def first(window: Window) -> Hands:
        window.choose("preset", "low_memory")
        yield
        yield
        window.every()["size"].Value = 720  # the default's, not the preset's
        window.press("start")
        yield from until(window, "its alphas")
        window.every()["size"].Value = 100
        window.press("close")

    def second(window: Window) -> Hands:
        yield
        yield
        assert shown(window) == matte_settings(preset="low_memory", size=720)
        window.press("close")

    _, fusion = at_fusion(first, comp(), ["alphas"], transport)
    assert at_fusion(second, comp(), ["alphas"], transport, **fusion.data)[0] == 0


def test_a_program_that_keeps_no_texts_works_all_the_same(monkeypatch):
    """Whether Resolve's own Fusion has these methods, nobody says."""
    monkeypatch.setattr(Remote, "lacks", frozenset({"GetData", "SetData"}))

    def artist(window: Window) -> Hands:
        assert shown(window) == matte_settings()
        window.press("start")
        yield from until(window, "1 alpha clip is in the bin")
        window.press("close")

    project = Project()
    project.pool.selection = [MediaPoolItem("/p/a.[1001-1010].exr")]
    assert at_resolve(artist, project, ["selected"], FakeTransport())[0] == 0


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "7",
        '{"size": "big"}',
        '{"size": 7}',
        '{"size": Infinity}',
        '{"colour": 1}',
        '{"preset": "no"}',
    ],
)
def test_a_damaged_memory_falls_back_to_the_defaults(text):
    """The window opens as on the first day."""

    def artist(window: Window) -> Hands:
        assert shown(window) == matte_settings()
        window.press("close")
        yield

    assert at_fusion(artist, comp(), ["alphas"], FakeTransport(), **{OPTIONS_KEY: text})[0] == 0


def test_a_studio_s_defaults_fill_the_window_and_its_locks_hold(studio):
    """Over what was chosen last, and over presets; a new default reaches who chose no other."""
    values = {"colourspace": "acescg", "size": 256}
    studio.write_text(json.dumps({"defaults": values, "locked": ["size"]}))
    transport = FakeTransport()

    def artist(window: Window) -> Hands:
        assert shown(window) == matte_settings(**values, gamma=1.1)
        assert not window.is_enabled("size")
        assert window.is_enabled("colourspace")
        window.choose("preset", "prototype")
        yield
        yield
        assert window.value("size") == 256
        assert window.value("max_resolution") == 512
        window.press("start")
        yield from until(window, "its alphas")
        window.press("close")

    kept = json.dumps({"size": 512, "gamma": 1.1})
    _, fusion = at_fusion(artist, comp(), ["alphas"], transport, **{OPTIONS_KEY: kept})
    assert transport.requests[0].window.size == 256
    assert json.loads(fusion.data[OPTIONS_KEY]) == {"preset": "prototype", "gamma": 1.1}


@pytest.mark.parametrize(
    ("words", "text", "says"),
    [
        (["alphas"], "{", "studio.json cannot be used"),
        (["alphas", "--size", "64"], '{"locked": ["size"]}', "The studio has locked Size."),
        (["alphas", "--size", "7"], "{}", "size is 7; it must be from 32"),
    ],
)
def test_what_cannot_be_begun_with_is_said_in_the_window(studio, words, text, says):
    """Nobody works with other settings than were meant; the button only says it again."""
    studio.write_text(text)
    transport = FakeTransport()

    def artist(window: Window) -> Hands:
        assert says in window.status
        window.press("start")
        yield
        yield
        assert says in window.status
        window.press("close")

    assert at_fusion(artist, comp(), words, transport)[0] == 1
    assert transport.requests == []
