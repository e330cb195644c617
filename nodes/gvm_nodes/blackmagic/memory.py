"""What an artist chose last in a program, kept in the program as text.

Laws:
1. Only what differs from the defaults is kept, so that a studio's new default reaches everybody
   who never chose another.
2. A text that cannot be used is as good as none, and a locked setting is always the studio's.
3. A program that keeps nothing is none the worse: whether Resolve's Fusion does is documented
   nowhere.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Protocol

from gvm_nodes.alphas import changed, checked
from gvm_nodes.defaults import Defaults
from gvm_nodes.knobs import Wishes

KEY = "gvm.settings"


class Keeper(Protocol):
    """What of a program keeps texts."""

    def GetData(self, name: str) -> object:  # noqa: N802 - Fusion's name
        """Return what is kept, or None."""

    def SetData(self, name: str, value: str) -> None:  # noqa: N802
        """Keep a text."""


def remember(keeper: Keeper, begins: Defaults, chosen: Wishes) -> None:
    """Keep what was chosen."""
    base, differing = begins.wishes, {}
    if chosen.preset != base.preset:
        differing = {"preset": chosen.preset}
        base = changed(base, differing, begins.locked)
    defaults = asdict(base)
    differing |= {name: it for name, it in asdict(chosen).items() if it != defaults[name]}
    if getattr(keeper, "SetData", None) is not None:
        keeper.SetData(KEY, json.dumps(differing, sort_keys=True))


def recall(keeper: Keeper, begins: Defaults) -> Wishes:
    """Return what was chosen last, as far as it still can be; else the defaults."""
    try:
        kept = json.loads(str(keeper.GetData(KEY) or "{}"))
        free = {name: value for name, value in kept.items() if name not in begins.locked}
        return checked(changed(begins.wishes, free, begins.locked))
    except (ValueError, TypeError, AttributeError, OverflowError):  # a SettingsError is the first
        return begins.wishes
