"""Sentences in an artist's words: the server's name options of the command line, a panel has knobs.

An option that is no knob is named as the command's, so that nobody looks for it in the panel. What
is for whoever starts the server (`--precision`, `--root`) stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from gvm_client.declaration import option_of
from gvm_nodes.core.settings import KNOBS, find_knob

_ENDS = "--first and --last"  # of the clip, as the host has it
_OTHER_NAMES = {"--missing": "missing_frames", "--input-colorspace": "colourspace"}
_COMMANDS_OWN = (
    *("--bad-pixels", "--comp", "--comp-over", "--cut", "--layer", "--movie", "--movie-codec"),
    *("--overwrite", "--png", "--same-maker", "--strict-roi"),
)

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        _ENDS: "the host's first and last frame of it",
        **{option_of(knob.name): knob.label for knob in KNOBS},
        **{option: find_knob(name).label for option, name in _OTHER_NAMES.items()},
        **{option: f"`gvm matte {option}`" for option in _COMMANDS_OWN},
    }
)
_NAMED = re.compile(
    rf"(?<![\w-])(?:{'|'.join(sorted(map(re.escape, _WORDS), reverse=True))})(?![\w-])"
)


def in_panel_words(sentence: str) -> str:
    """Return a sentence with the knobs' labels where it names options."""
    return _NAMED.sub(lambda found: _WORDS[found[0]], sentence)
