"""The endings of files that may be plates: one table for the server, the nodes and OpenFX.

The OpenFX plug-in has them by `plugin_host/make_tables.py`, which writes a C++ header.
"""

from __future__ import annotations

# fmt: off
IMAGE_EXTENSIONS = (
    ".exr", ".sxr", ".dpx", ".cin", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".tga", ".hdr",
    ".bmp", ".webp", ".jp2", ".sgi", ".rgb",
)
MOVIE_EXTENSIONS = (
    ".mov", ".mp4", ".m4v", ".mkv", ".webm", ".avi", ".mxf", ".mpg", ".mpeg", ".ts", ".m2ts",
    ".mts", ".wmv", ".flv", ".ogv", ".gif",
)
# fmt: on
# One file holds all frames, whatever number its name ends with; the server cannot read these.
CAMERA_EXTENSIONS = (".r3d", ".braw", ".ari")
CLIP_EXTENSIONS = MOVIE_EXTENSIONS + CAMERA_EXTENSIONS
