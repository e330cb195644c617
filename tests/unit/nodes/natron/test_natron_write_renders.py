"""A render of a Write below the Natron group, without a server: whom it asks, and what ends it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gvm_nodes.core import node_request
from gvm_nodes.core.followed_job import Phase, Update
from gvm_nodes.natron.group import PLUGIN_ID
from gvm_nodes.natron.node import RED
from gvm_nodes.natron.program import ActiveRenders
from tests.fakes import natron
from tests.fakes.natron import App, Effect
from tests.support.natron_session import (
    TRACKER,
    as_node,
    matte_group,
    mattes,
    read_plate,
    show,
    start,
    text,
    ticket,
    write_below,
)

FIRST, LAST = 1001, 1020


@pytest.fixture
def app(tmp_path: Path, runtime: Path) -> App:
    """Natron's windows, and a saved project."""
    return start(tmp_path)


def plate(app: App, tmp_path: Path) -> Effect:
    """Make a Read of frames that need not exist."""
    return read_plate(app, str(tmp_path / "a.####.exr"), FIRST, LAST)


def standing_plate(app: App, tmp_path: Path) -> Effect:
    """Make a Read of which the first three frames exist."""
    for frame in range(FIRST, FIRST + 3):
        (tmp_path / f"a.{frame}.exr").write_text("")
    return plate(app, tmp_path)


def test_only_read_what_exists_contacts_nobody(app, tmp_path, runtime):
    """With that policy a render reads; a missing matte is Natron's own error."""
    group = matte_group(app, standing_plate(app, tmp_path))
    natron.edit(group, "gvm_policy", "only read what exists")
    natron.edit(group, "gvm_missing_mattes", "error")
    done = natron.render(app, write_below(app, group), [FIRST])
    assert "Cannot load frame" in done.failed
    assert not runtime.exists()


def test_an_error_ends_a_render_and_is_on_the_group(app, tmp_path, monkeypatch):
    """Threads of the render that wait for it do not try again; the artist sees it in the graph."""
    server, tried = tmp_path / "server", tmp_path / "tried"
    server.write_text(f"#!/bin/sh\necho once >> {tried}\nexit 3\n")
    server.chmod(0o755)
    monkeypatch.setenv("GVM_SERVER", str(server))
    group = matte_group(app, plate(app, tmp_path))
    done = natron.render(app, write_below(app, group), range(FIRST, LAST), threads=3)
    assert tried.read_text() == "once\n"
    assert group.getScriptName() in done.failed
    assert done.frames == []
    natron.idle()
    assert text(group, "status") in done.failed
    assert group.getColor() == RED


def test_a_server_that_cannot_be_started_ends_a_render(app, tmp_path):
    """With its name and a remedy."""
    group = matte_group(app, plate(app, tmp_path))
    done = natron.render(app, write_below(app, group), range(FIRST, LAST))
    assert "/none/server" in done.failed
    assert group.getScriptName() in done.failed
    assert done.frames == []
    natron.idle()
    assert "/none/server" in text(group, "status")
    assert group.getColor() == RED


def test_a_render_of_another_branch_asks_nobody(app, tmp_path, runtime):
    """Only groups above the Write count, in Groups too, and none that is switched off."""
    read = standing_plate(app, tmp_path)
    group = matte_group(app, read)
    assert natron.render(app, write_below(app, read), [FIRST]).frames == [FIRST]
    natron.edit(group, "disableNode", value=True)
    assert natron.render(app, write_below(app, group), [FIRST]).frames == [FIRST]
    assert not runtime.exists()
    outer = app.createNode(natron.GROUP)
    nested = app.createNode(PLUGIN_ID, -1, outer)
    nested.connectInput(0, read)
    done = natron.render(app, write_below(app, outer), [FIRST])
    assert "/none/server" in done.failed
    inner = app.createNode(natron.INPUT, -1, outer)
    done = natron.render(app, write_below(app, inner), [FIRST])
    assert "/none/server" in done.failed
    natron.idle()


def test_mattes_that_a_render_would_not_show_are_an_error(app, tmp_path, runtime):
    """Within a render the Read inside cannot be changed; no old matte is rendered silently."""
    read = plate(app, tmp_path)
    group = matte_group(app, read)
    show(app, group, Update(phase=Phase.DONE, ready=(FIRST,)))
    write = write_below(app, group)
    natron.edit(group, "gvm_version", 2)
    assert "Press Render Range" in natron.render(app, write, [FIRST]).failed
    natron.edit(group, "gvm_version", 1)
    natron.edit(read, "startingTime", 1)
    assert "Press Render Range" in natron.render(app, write, [1]).failed
    natron.idle()
    assert not runtime.exists()


def test_mattes_that_come_during_a_render_are_shown_after_it(app, tmp_path):
    """What a Write reads is not changed under it: that would end its render."""
    group = matte_group(app, standing_plate(app, tmp_path))
    natron.edit(group, "gvm_policy", "only read what exists")
    identity, request = text(group, "id"), node_request.node_request(as_node(app, group), ())
    as_node(app, group).job = ticket(request)

    def frames():
        for frame in range(FIRST, FIRST + 3):
            TRACKER._on_update(
                identity, request, "", Update(ready=(frame,))
            )  # as the job's thread does
            time.sleep(0.05)
            yield frame

    done = natron.render(app, write_below(app, group), frames())
    assert (done.aborted, done.failed, len(done.frames)) == (False, "", 3)
    natron.idle()
    assert mattes(group).getParam("filename").reloads == 1


def test_a_write_that_never_says_that_its_render_ended_keeps_no_mattes_away():
    """An artist may have set two of the three callbacks only."""
    clock = iter((0.0, 1.0, 61.0))
    renders, made = ActiveRenders(lambda: next(clock)), object()
    renders.begin()
    assert renders.keeps("a", made)
    assert not renders.keeps("a", made)
    assert renders.take() == {"a": made}
    assert renders.take() == {}


def test_while_a_frame_is_prepared_a_write_renders_however_long_that_takes():
    """Also when its render's begin was not said."""
    renders = ActiveRenders(lambda: 0.0)
    with renders.frame():
        assert renders.keeps("a", object())
    assert not renders.keeps("a", object())
