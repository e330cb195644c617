"""Fusion's entry point: its installed menu scripts, and `python -m gvm_nodes.fusion.script`."""

from __future__ import annotations

from gvm_nodes.blackmagic.fusion.script import main
from gvm_nodes.blackmagic.menu_entry import run_in_terminal

__all__ = ["main"]

if __name__ == "__main__":
    run_in_terminal(main)
