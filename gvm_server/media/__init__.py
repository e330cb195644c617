"""Touches pixels: plates in, colour, EXR out, the cache."""
