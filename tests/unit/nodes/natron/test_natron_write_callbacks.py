"""The Writes below the Natron group: set up by a button, and harmless where GVM is not."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import pytest

from gvm_client.errors import InputError
from gvm_nodes.natron.group import MODULE, PLUGIN_ID
from gvm_nodes.natron.node import RED
from gvm_nodes.natron.write_callbacks import (
    CALLBACKS,
    project_writes,
    remove_callbacks,
    set_up_writes,
)
from tests.fakes import natron
from tests.fakes.natron import App, Effect
from tests.support.natron_session import matte_group, read_plate, start, text

FIRST = 1001
BUTTON = "gvm_set_up_writes"


@pytest.fixture
def app(tmp_path: Path, runtime: Path) -> App:
    """Natron's windows, and a saved project."""
    return start(tmp_path)


def plate(app: App, tmp_path: Path) -> Effect:
    """Make a Read of two frames."""
    for frame in (FIRST, FIRST + 1):
        (tmp_path / f"a.{frame}.exr").write_text("")
    return read_plate(app, str(tmp_path / "a.####.exr"), FIRST, FIRST + 1)


def write_of(app: App, above: Effect) -> Effect:
    """Make a Write that calls nobody."""
    write = app.createNode(natron.WRITE)
    write.connectInput(0, above)
    return write


def calls(write: Effect) -> dict[str, str]:
    """Return what a Write calls."""
    return {name: write.getParam(name).get() for name in CALLBACKS}


def test_the_writes_below_are_set_up_and_no_others(app, tmp_path, runtime):
    """In Groups too; nobody is contacted, and renders then ask for mattes."""
    read = plate(app, tmp_path)
    group = matte_group(app, read)
    outer = app.createNode(natron.GROUP)
    outer.connectInput(0, group)
    inner = app.createNode(natron.INPUT, -1, outer)
    nested = app.createNode(natron.WRITE, -1, outer)
    nested.connectInput(0, inner)
    below, beside = write_of(app, group), write_of(app, read)
    natron.press(group, BUTTON)
    assert calls(below) == calls(nested) == dict(CALLBACKS)
    assert set(calls(beside).values()) == {""}
    assert below.getScriptName() in text(group, "status")
    assert not runtime.exists()
    assert "/none/server" in natron.render(app, below, [FIRST]).failed
    assert [each.getScriptName() for each in project_writes(app)] == [
        each.getScriptName() for each in (nested, below, beside)
    ]


def test_setting_up_again_renews_what_is_ours_and_keeps_what_is_not(app, tmp_path):
    """An artist's own function is not taken away; what to do is said."""
    group = matte_group(app, plate(app, tmp_path))
    write = write_of(app, group)
    natron.edit(write, "beforeFrameRender", f"{MODULE}.before_frame")
    natron.press(group, BUTTON)
    assert calls(write) == dict(CALLBACKS)
    natron.edit(write, "beforeFrameRender", "mine.before")
    natron.edit(write, "afterRender", "")
    natron.press(group, BUTTON)
    assert write.getParam("beforeFrameRender").get() == "mine.before"
    assert write.getParam("afterRender").get() == ""
    assert f"Call {MODULE}.before_frame within it" in text(group, "status")
    remove_callbacks(write)
    assert {name for name, call in calls(write).items() if call} == {"beforeFrameRender"}


def test_without_a_write_below_that_is_said(app, tmp_path):
    """On the group, and to scripts as an exception."""
    group = matte_group(app, plate(app, tmp_path))
    natron.press(group, BUTTON)
    assert "No Write is below" in text(group, "status")
    assert group.getColor() == RED
    with pytest.raises(InputError, match="No Write is below"):
        set_up_writes(app, group)


@pytest.mark.parametrize("broken", [False, True])
def test_a_colleague_without_gvm_renders_what_stands(tmp_path, capsys, monkeypatch, broken):
    """A callback that names what is not there would hang NatronRenderer for ever."""
    natron.start(background=True)
    monkeypatch.setattr(inspect, "getargspec", inspect.getfullargspec, raising=False)
    app = natron.new_project()
    if broken:
        (tmp_path / f"{MODULE}.py").write_text("from gvm_none import nothing\n")
        monkeypatch.syspath_prepend(tmp_path)
    write = write_of(app, plate(app, tmp_path))
    for name, call in CALLBACKS.items():
        natron.edit(write, name, call)
    done = natron.render(app, write, [FIRST, FIRST + 1], threads=2)
    assert (done.frames, done.hangs, done.failed) == ([FIRST, FIRST + 1], [], "")
    assert capsys.readouterr().out.count("GVM is not installed here") == 1
    sys.modules.pop(MODULE, None)
    natron.edit(write, "beforeFrameRender", f"{MODULE}.before_frame")
    assert natron.render(app, write, [FIRST]).hangs == [FIRST]


def test_a_scripted_group_has_its_writes_set_up_too(tmp_path, runtime):
    """Without windows as well."""
    app = start(tmp_path, background=True)
    group = app.createNode(PLUGIN_ID)
    write = write_of(app, group)
    set_up_writes(app, group)
    assert calls(write) == dict(CALLBACKS)
