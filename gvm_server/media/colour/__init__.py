"""Colour spaces: names, curves, primaries, OpenColorIO."""
