"""Colour spaces as the hosts' Read nodes call them, in the server's names.

Law: what a Read says wins over what its file says; a name that is not surely one of ours is None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

AS_FILE = "auto"  # the server looks at the file, as a Read without a choice does
SCENE_LINEAR = "scene_linear"

_DEFAULT = re.compile(r"default(?:\s*\((.*)\))?", re.IGNORECASE)
# Nuke's own configuration and the ACES ones, Natron's; all in lower case.
_OURS: Mapping[str, str] = MappingProxyType(
    {
        "linear": SCENE_LINEAR,
        "scene_linear": SCENE_LINEAR,
        "srgb": "srgb",
        "srgb - texture": "srgb",
        "srgb texture": "srgb",
        "srgb encoded rec.709 (srgb)": "srgb",
        "utility - srgb - texture": "srgb",
        "srgb_tx": "srgb",
        "srgb_texture": "srgb",
        "acescg": "acescg",
        "aces - acescg": "acescg",
        "cineon": "cineon",
    }
)


def read_space(chosen: str, *, raw: bool = False) -> str | None:
    """Return what a Read's files are read in: one of our names, or None where none fits.

    Args:
        chosen: the text of its colour-space knob; `default`, `default (name)` or a name.
        raw: whether it takes the pixels as they are, into the script's working space.
    """
    if raw:
        return SCENE_LINEAR
    default = _DEFAULT.fullmatch(chosen.strip())
    name = (default[1] or "") if default else chosen
    if not name.strip():
        return AS_FILE
    return our_name(name)


def our_name(name: str) -> str | None:
    """Return the server's name of a host's colour space; None where none fits for sure."""
    # Nuke's menus write a family before a name: `Utility/sRGB - Texture`.
    return _OURS.get(name.strip().rpartition("/")[2].strip().lower())
