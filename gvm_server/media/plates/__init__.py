"""Plates: numbered frames with a header, a key and pixels, wherever they lie."""
