"""Resolve's entry point: its installed menu scripts, and `python -m gvm_nodes.resolve.script`."""

from __future__ import annotations

from gvm_nodes.blackmagic.menu_entry import run_in_terminal
from gvm_nodes.blackmagic.resolve.script import main

__all__ = ["main"]

if __name__ == "__main__":
    run_in_terminal(main)
