"""A script of Fusion in a process of its own, as a terminal starts it.

    python -m tests.support.fusion_process PLATE_FILE FIRST LENGTH WORD...

The composition has the plate, selected, which carries a spec for `render` besides. Fusion's
module is one that crashes while Python puts things away, as the real one does at times.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

from gvm_nodes.blackmagic.alpha_spec import SCRIPT_OPTIONS, AlphaSpec
from gvm_nodes.blackmagic.frontend import Say
from gvm_nodes.blackmagic.fusion.loaders import SPEC_KEY
from gvm_nodes.blackmagic.fusion.script import main as fusion
from gvm_nodes.blackmagic.menu_entry import run_in_terminal
from gvm_nodes.core.defaults import changed_options
from tests.fakes.fusion import Composition, Fusion

TEST_ENGINE = {"engine": "test", "preset": "prototype"}


def main(words: Sequence[str], say: Say) -> int:
    """Run a script and return its exit code."""
    file, first, length, *rest = words
    comp = Composition(0, int(length) - 1)
    loader = comp.select_loader(file, int(first), int(length), start=0)
    options = changed_options(SCRIPT_OPTIONS, TEST_ENGINE)
    spec = AlphaSpec(plate=file.replace(first, "####"), options=options)
    loader.SetData(SPEC_KEY, spec.to_text())
    module = ModuleType("fusionscript")
    vars(module)["scriptapp"] = {"Fusion": Fusion(comp)}.get
    sys.modules["fusionscript"] = module
    atexit.register(os.kill, os.getpid(), signal.SIGSEGV)
    return fusion(rest, say)


if __name__ == "__main__":
    run_in_terminal(main)
