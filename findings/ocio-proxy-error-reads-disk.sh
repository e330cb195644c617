#!/usr/bin/env bash
# OpenColorIO 2.6.0 (PyPI opencolorio==2.6.0), a configuration that is given by a ConfigIOProxy.
# Expected: an application that keeps a configuration and its lookup tables elsewhere (a database, an
#   archive, a snapshot in memory) gives them by `getConfigData` and `getLutData`. Where `getLutData`
#   raises, because it does not have that table, making a processor fails with that error.
# Seen: the error is dropped, and a file of that name on disk is read in its place, with no word.
# Why it matters: whoever pins a show's tables by their content gets the conversion of another table,
#   the one that lies on this machine's disk now, and a key that stands for the pinned one. An
#   application must remember its own refusal and look at it after the processor is made.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "opencolorio==2.6.0" "numpy==2.4.6"
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import sys

import numpy as np
import PyOpenColorIO as ocio

CONFIGURATION = """ocio_profile_version: 2
search_path: .
roles: {scene_linear: linear, default: linear}
displays: {screen: [!<View> {name: Raw, colorspace: linear}]}
colorspaces:
  - !<ColorSpace> {name: linear}
  - !<ColorSpace>
    name: graded
    to_scene_reference: !<FileTransform> {src: grade.spi1d, interpolation: linear}
"""
with open("grade.spi1d", "w") as file:  # on disk: a table that halves
    file.write("Version 1\nFrom 0.0 1.0\nLength 2\nComponents 1\n{\n0.0\n0.5\n}\n")


class Snapshot(ocio.PyConfigIOProxy):
    asked = []

    def getConfigData(self):
        return CONFIGURATION

    def getLutData(self, path):
        self.asked.append(os.path.basename(path))
        raise RuntimeError(f"the snapshot has no {path}")

    def getFastLutFileHash(self, path):
        return "snapshot"


snapshot = Snapshot()
config = ocio.Config.CreateFromConfigIOProxy(snapshot)
config.setWorkingDir(os.getcwd())
white = np.ones((1, 3), np.float32)
try:
    config.getProcessor("graded", "linear").getDefaultCPUProcessor().applyRGB(white)
except Exception as error:
    sys.exit(f"This has changed: {error}")
print(f"asked for {snapshot.asked}, refused; white became {white[0].tolist()}")
if snapshot.asked != ["grade.spi1d"] or white[0].tolist() != [0.5, 0.5, 0.5]:
    sys.exit("This has changed.")
print("As described.")
PY
