"""Nuke Indie and Non-commercial, whose Python reaches ten nodes of a script; and Hiero."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_client.errors import InputError
from tests.fakes import nuke
from tests.support.nuke_session import callbacks, group, matte_node, press, read_plate, start

EDITIONS = pytest.mark.parametrize("edition", ["indie", "nc"])


def opened(folder: Path, edition: str, *, gui: bool = True, policy: str = "") -> nuke.Group:
    """Save a script with two nodes of ours and a few others, and open it in an edition."""
    start(folder)
    read = read_plate(str(folder / "a.%04d.exr"), 1001, 1020)
    for _ in range(2):
        node = matte_node(read)
        node["policy"].setValue(policy or node["policy"].value())
    for _ in range(20):
        nuke.createNode("Dot")
    for _ in range(10):
        nuke.createNode("Group")
    path = str(folder / "comp.nk")
    nuke.scriptSave(path)
    start(folder, gui=gui, edition=edition, args=("nuke", "-x", "comp.nk"))
    nuke.scriptOpen(path)
    return next(node for node in nuke.session().nodes if isinstance(node, nuke.Group))


@EDITIONS
def test_a_script_opens_and_its_buttons_say_what_to_use(
    tmp_path: Path, runtime: Path, edition: str
) -> None:
    """No search through the script, which would fail in the middle of its loading."""
    node = opened(tmp_path, edition)
    press("render_range", node)
    assert "gvm install ofx" in node["status"].value()
    node["blur"].setValue(2.0)
    assert len(nuke.session().had) <= nuke.REACH
    assert not runtime.exists()


@EDITIONS
def test_the_menu_makes_no_node_that_could_not_work(
    tmp_path: Path, runtime: Path, edition: str
) -> None:
    """Half of it would be left in the script."""
    start(tmp_path, edition=edition)
    with pytest.raises(InputError, match="ten nodes"):
        group.create()
    assert not nuke.session().nodes


@EDITIONS
def test_without_a_gui_a_button_raises(tmp_path: Path, runtime: Path, edition: str) -> None:
    """A script's exit code tells."""
    node = opened(tmp_path, edition, gui=False)
    with pytest.raises(InputError, match="ten nodes"):
        press("render_range", node)


@EDITIONS
@pytest.mark.parametrize(
    ("policy", "missing"), [("make what is missing", "error"), ("only read what exists", "black")]
)
def test_a_render_that_should_make_mattes_fails_where_one_is_missing(
    tmp_path: Path, runtime: Path, edition: str, policy: str, missing: str
) -> None:
    """It cannot make them, and black would be a wrong alpha that nobody notices."""
    node = opened(tmp_path, edition, gui=False, policy=policy)
    nuke.session().reach = None
    assert node.node("MatteRead")["on_error"].value() == missing


def test_hiero_has_no_toolbar(tmp_path: Path, runtime: Path) -> None:
    """Where `nuke.menu` may not even be there, as here."""
    start(tmp_path)
    with pytest.raises(AttributeError):
        callbacks.register_menu()
    nuke.env["hiero"] = True
    callbacks.register_menu()
