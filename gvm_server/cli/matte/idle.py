"""Options of `gvm matte` that do nothing as they were given: said, for somebody waits for it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from gvm_client.file_content import Despill, Layers
from gvm_server.cli.matte.request import content_of


def idle_options(meant: argparse.Namespace) -> list[str]:
    """Return a sentence for each option that lacks what it acts on.

    Args:
        meant: the options, translated.

    Raises:
        SettingsError: a word of `--channels` is unknown.
    """
    return [f"{option} does nothing: {lack}." for option, lack in _lacks(meant)]


def _lacks(meant: argparse.Namespace) -> Iterator[tuple[str, str]]:
    if meant.strict_roi and not meant.roi:
        yield "--strict-roi", "no region is set with --roi"
    if meant.guide_feather and not (meant.garbage or meant.holdout):
        yield "--guide-feather", "no guide is set with --garbage or --holdout"
    if meant.movie_codec and not (meant.movie or meant.comp):
        yield "--movie-codec", "no movie is made with --movie or --comp"
    if meant.comp_over != "green" and not meant.comp:
        yield "--comp-over", "no comp is made with --comp"
    if meant.png_bits != 8 and not meant.png:
        yield "--png-bits", "no PNG files are made with --png"
    content = content_of(meant)
    if content.despill != Despill.NONE and not content.has_colours:
        yield "--despill", "the files hold no colours; --channels fg or RGBA adds them"
    if content.layers == Layers.SEPARATE and len(content.channels) == 1:
        yield "--layers separate", "the files hold the alpha alone; --channels adds layers"
