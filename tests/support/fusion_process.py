"""A script of Fusion in a process of its own, as Fusion's menu and a terminal start them.

    python -m tests.support.fusion_process PLATE_FILE FIRST LENGTH WORD...

The composition has the plate, selected, which carries a recipe for `render` besides.
"""

from __future__ import annotations

import sys

from gvm_nodes.alphas import SCRIPT_WISHES, Recipe, changed
from gvm_nodes.fusion.loaders import RECIPE_KEY
from gvm_nodes.fusion.script import main, write
from tests.fakes.fusion import Composition, Fusion

TEST_ENGINE = {"engine": "test", "preset": "prototype"}


def run(file: str, first: int, length: int, words: list[str]) -> int:
    """Run a script and return its exit code."""
    comp = Composition(0, length - 1)
    loader = comp.select_loader(file, first, length, start=0)
    pattern = file.replace(str(first), "####")
    recipe = Recipe(plate=pattern, wishes=changed(SCRIPT_WISHES, TEST_ENGINE))
    loader.SetData(RECIPE_KEY, recipe.to_text())
    return main(words, write, Fusion(comp).names())


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
