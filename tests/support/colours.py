"""A colour configuration of a test."""

from __future__ import annotations

# GAIN is to be replaced by a number: how far scene-linear light is from the reference.
CONFIG = """ocio_profile_version: 2
roles: {scene_linear: lin, default: lin}
displays: {sRGB: [!<View> {name: Raw, colorspace: lin}]}
colorspaces:
  - !<ColorSpace>
    name: lin
    from_scene_reference: !<MatrixTransform>
      matrix: [GAIN, 0, 0, 0, 0, GAIN, 0, 0, 0, 0, GAIN, 0, 0, 0, 0, 1]
  - !<ColorSpace>
    name: sRGB
    from_scene_reference: !<ExponentTransform> {value: [2.2, 2.2, 2.2, 1], direction: inverse}
"""
