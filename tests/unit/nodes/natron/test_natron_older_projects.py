"""A project that an older release saved: its group lacks a parameter, and gains it when opened."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from gvm_client.errors import GvmError
from gvm_nodes.core import node_request
from gvm_nodes.core.settings import BUTTONS, KNOBS
from tests.fakes import natron
from tests.fakes.natron import App, Effect
from tests.support.natron_session import (
    as_node,
    matte_group,
    only_group,
    press,
    read_plate,
    reopen,
    start,
    text,
    write_below,
)

FIRST, LAST = 1001, 1020
OWN = ("status", "missing_mattes", "set_up_writes", "job", "made", "shown", "colour", "schema")
BOX = ("use_region_box", "region_lower_left", "region_upper_right")
NAMES = (*(knob.name for knob in KNOBS), *(button.name for button in BUTTONS), *OWN, *BOX)


def saved(tmp_path: Path, names: Collection[str], *, background: bool = False) -> App:
    """Return a project whose group has no such parameters, as it was before they existed."""
    app = start(tmp_path, background=background)
    group = matte_group(app, read_plate(app, str(tmp_path / "a.####.exr"), FIRST, LAST))
    for name in names:
        del group.node.params[f"gvm_{name}"]
    for shown in group.node.pages.values():
        shown[:] = [name for name in shown if name in group.node.params]
    return app


def older(tmp_path: Path, names: Collection[str], *, anew: bool) -> tuple[App, Effect]:
    """Open a project whose group was saved before some of its parameters existed."""
    app = reopen(saved(tmp_path, names), anew=anew)
    return app, only_group(app)


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_missing_parameter_comes_with_the_project(tmp_path, runtime, name, anew):
    """Each by itself; a request and a press go as if it had always been there."""
    app, group = older(tmp_path, [name], anew=anew)
    param = group.getParam(f"gvm_{name}")
    assert param is not None
    for knob in KNOBS:
        if knob.name == name:
            index = param.get()
            assert (param.getOption(index) if knob.choices else index) == knob.default
            assert param.default == index
    assert not param.evaluates
    assert node_request.node_request(as_node(app, group), (FIRST,)).plate.first == FIRST
    press("render_frame", app, group)
    natron.pump(lambda: "/none/server" in text(group, "status"))
    assert natron.session().script_editor == []


@pytest.mark.parametrize("anew", [False, True])
def test_all_of_them_at_once(tmp_path, runtime, anew):
    """On their pages, and those that the tool fills in hidden."""
    _, group = older(tmp_path, NAMES, anew=anew)
    names = {f"gvm_{name}" for name in NAMES}
    assert {name for shown in group.node.pages.values() for name in shown} >= names
    assert not any(group.getParam(f"gvm_{name}").getIsVisible() for name in OWN[3:])
    assert group.getParam("gvm_missing_mattes").get() == 2  # black


def test_what_the_project_has_stays(tmp_path, runtime):
    """The other parameters' values, and the group's identity."""
    app = saved(tmp_path, ["blur"])
    group = only_group(app)
    natron.edit(group, "gvm_gamma", 1.7)
    identity = text(group, "id")
    again = only_group(reopen(app))
    held = [again.getParam(f"gvm_{name}").get() for name in ("gamma", "size", "blur", "id")]
    assert held == [1.7, 32, 0.0, identity]


@pytest.mark.parametrize("anew", [False, True])
def test_a_studio_s_default_is_for_new_groups_and_its_lock_for_all(
    tmp_path, runtime, monkeypatch, anew
):
    """The mattes that stand were made without the setting, as its own default makes them."""
    studio = tmp_path / "studio.json"
    studio.write_text('{"defaults": {"gamma": 2.0}, "locked": ["gamma"]}')
    monkeypatch.setenv("GVM_NODE_DEFAULTS", str(studio))
    _, group = older(tmp_path, ["gamma"], anew=anew)
    assert group.getParam("gvm_gamma").get() == 1.0
    assert not group.getParam("gvm_gamma").getIsEnabled()


@pytest.mark.parametrize("names", [["gamma"], ["engine"], ["policy"], ["shown"], NAMES])
def test_a_render_without_windows_goes_by_the_defaults(tmp_path, runtime, names):
    """Nobody has completed the group there: Natron calls from the render's own threads."""
    app = saved(tmp_path, names, background=True)
    write_below(app, only_group(app))
    natron.save(app, (tmp_path / "shot.ntp").as_posix())
    again = natron.load((tmp_path / "shot.ntp").as_posix())
    (write,) = (node for node in again.getChildren() if node.isWriterNode())
    done = natron.render(again, write, [FIRST])
    assert "/none/server" in done.failed  # that a server is looked for is the policy's default


def test_a_button_without_windows_completes_the_group(tmp_path, runtime):
    """A script that presses it gets the error of the job, and no other."""
    app = saved(tmp_path, NAMES, background=True)
    natron.save(app, (tmp_path / "shot.ntp").as_posix())
    again = natron.load((tmp_path / "shot.ntp").as_posix())
    with pytest.raises(GvmError, match="/none/server"):
        press("render_frame", again, only_group(again))
    assert text(only_group(again), "made") == ""
