"""The names that saved documents, installed scripts and other releases call: none may move."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from tests.support import nuke_session

assert nuke_session  # `nuke` is there, as within Nuke

NAMES = (
    # the buttons of saved Nuke scripts; toolsets and `-t` scripts
    "gvm_nodes.nuke.session.press",
    "gvm_nodes.nuke.group.create",
    "gvm_nodes.nuke.knobs.fill_window",
    # init.py and menu.py of an installed Nuke node
    "gvm_nodes.nuke.callbacks.register",
    "gvm_nodes.nuke.callbacks.register_menu",
    # Natron's PyPlug and GVMRender.py, which saved projects call; scripts of TDs
    "gvm_nodes.natron.callbacks.create",
    "gvm_nodes.natron.callbacks.node_created",
    "gvm_nodes.natron.callbacks.param_changed",
    "gvm_nodes.natron.callbacks.input_changed",
    "gvm_nodes.natron.callbacks.before_render",
    "gvm_nodes.natron.callbacks.before_frame",
    "gvm_nodes.natron.callbacks.after_render",
    "gvm_nodes.natron.batch.leave",
    "gvm_nodes.natron.session.press",
    # the menu scripts of Fusion and Resolve
    "gvm_nodes.fusion.script.main",
    "gvm_nodes.resolve.script.main",
    # the side process of a node of another release
    "gvm_nodes.side.serve",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_called_from_outside_stays(name: str):
    """A script that is installed or saved is not written anew with an upgrade."""
    module, _, function = name.rpartition(".")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize(
    ("module", "words"), [("fusion", "tool|alphas|render|queue"), ("resolve", "selected|marked")]
)
def test_a_terminal_s_command_stays(module: str, words: str):
    """As farms have it in their own scripts."""
    command = [sys.executable, "-m", f"gvm_nodes.{module}.script", "--help"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0
    assert words in ran.stdout
