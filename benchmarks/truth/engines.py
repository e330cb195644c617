"""An engine on people with a known alpha: its matte in motion, its foreground, two figures.

`python -m benchmarks.truth --engine NAME` writes each composite of `figures` as a plate, has
`gvm matte` matte it with a server of its own, and reads the files: what is scored is what an artist
gets. Beside it stands Robust Video Matting, a far stronger network (GPL-3.0), which the footage's
package carries; it sees the same frames.

`comp` is the error of the engine's foreground and alpha laid over another ground in linear light,
as displayed, x 1e3 in the band of the truth; `plate` is that of the plate's own colours with the
same alpha.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.truth.figures import Clip, clips, held_out, to_display, to_linear
from benchmarks.truth.footage import Picture, Rvm, fetch
from gvm_server.measure.meter import METRICS, Meter
from gvm_server.measure.still import unknown
from gvm_server.media.openexr import read_channels

SHOWN = ("mad", "mad_unknown", "grad_hr", "conn", "dtssd", "messddt")
RIVAL = "RVM"
GROUND = np.array([0.1, 0.25, 0.5], np.float32)  # linear: a sky
SHEET_WIDTH, SHEET_FRAME = 320, 6

Row = dict[str, float]


def score(engine: str, footage: Path, sheet: Path | None, words: Sequence[str]) -> int:
    """Print a row for each clip, of the engine and of the rival.

    Args:
        engine: the word of `--engine`.
        footage: where the clips lie, or are fetched to.
        sheet: a picture of every clip to write.
        words: more options of `gvm matte`.
    """
    fetch(footage)
    rvm = Rvm(footage)
    names = [*(METRICS[key].name for key in SHOWN), "comp", "plate"]
    print(f"{'':22}{'':10}" + "".join(f"{name:>13}" for name in names))
    rows: dict[str, list[Row]] = {engine: [], RIVAL: []}
    strips = []
    for clip in (*clips(footage), *held_out(footage)):
        colours, mattes = _matted(clip, engine, words)
        theirs = np.stack(rvm.mattes(clip.plate))
        for name, alphas in ((engine, mattes), (RIVAL, theirs)):
            row = _figures(clip, alphas, colours if name == engine else None)
            rows[name].append(row)
            _print(clip.name, name, row)
        strips.append(_strip(clip, mattes, colours, theirs))
    for name, of in rows.items():
        _print("mean", name, {key: float(np.mean([row[key] for row in of])) for key in of[0]})
    if sheet:
        Image.fromarray(np.vstack(strips)).save(sheet, optimize=True)
    return 0


def _matted(clip: Clip, engine: str, words: Sequence[str]) -> tuple[Picture, Picture]:
    """Return straight colours in linear light [T, H, W, 3] and alphas [T, H, W]."""
    with tempfile.TemporaryDirectory() as folder:
        plate, out = Path(folder) / "plate", Path(folder) / "out"
        plate.mkdir()
        for index, picture in enumerate(clip.plate):
            coded = np.asarray(np.round(picture * 255), np.uint8)
            Image.fromarray(coded).save(plate / f"clip.{index + 1:04d}.png")
        command = [sys.executable, "-m", "gvm_server", "matte", str(plate), "-o", str(out)]
        command += ["--own-server", "--engine", engine, "--depth", "float", "--channels", "A,fg"]
        told = {**os.environ, "GVM_SERVER": f"{sys.executable} -m gvm_server serve"}  # of this tree
        subprocess.run([*command, *words], check=True, env=told, stderr=subprocess.DEVNULL)
        planes = []
        for path in sorted(out.glob("*.exr")):
            found = read_channels(path, ("fg.R", "fg.G", "fg.B", "A"))
            assert found is not None
            planes.append(np.asarray(found.pixels, np.float32))
    made = np.stack(planes)
    return made[..., :3], made[..., 3]


def _figures(clip: Clip, alphas: Picture, colours: Picture | None) -> Row:
    meter = Meter()
    for frame, (alpha, truth) in enumerate(zip(alphas, clip.truth, strict=True)):
        meter.add(frame, alpha, truth)
    row = {key: value for key, value in meter.figures().items() if value is not None}
    plates = np.stack([to_linear(picture) for picture in clip.plate])
    row["comp"] = float("nan") if colours is None else _comp_error(clip, colours, alphas)
    row["plate"] = _comp_error(clip, plates, alphas)
    return row


def _comp_error(clip: Clip, colours: Picture, alphas: Picture) -> float:
    errors = []
    for index, (own, truth) in enumerate(zip(clip.colours, clip.truth, strict=True)):
        alpha = alphas[index][..., np.newaxis]
        made = to_display(colours[index] * alpha + (1 - alpha) * GROUND)
        wanted = to_display(own + (1 - truth[..., np.newaxis]) * GROUND)
        errors.append(float(np.abs(made - wanted)[unknown(truth)].mean() * 1e3))
    return float(np.mean(errors))


def _print(clip: str, name: str, row: Row) -> None:
    figures = "".join(f"{row[key]:13.2f}" for key in (*SHOWN, "comp", "plate"))
    print(f"{clip:22}{name:10}{figures}", flush=True)


def _strip(clip: Clip, mattes: Picture, colours: Picture, theirs: Picture) -> NDArray[np.uint8]:
    """Return one frame of a clip: plate, truth, the engine's matte, its comp, the rival's matte."""
    at = SHEET_FRAME
    alpha = mattes[at][..., np.newaxis]
    comp = to_display(np.clip(colours[at], 0, None) * alpha + (1 - alpha) * GROUND)
    mattes_of = [np.repeat(one[at][..., np.newaxis], 3, 2) for one in (clip.truth, mattes, theirs)]
    tiles = [clip.plate[at], mattes_of[0], mattes_of[1], comp, mattes_of[2]]
    height = round(SHEET_WIDTH * tiles[0].shape[0] / tiles[0].shape[1])
    size = (SHEET_WIDTH, height)
    small = [cv2.resize(tile, size, interpolation=cv2.INTER_AREA) for tile in tiles]
    line = np.asarray(np.clip(np.hstack(small), 0, 1) * 255 + 0.5, np.uint8)
    return np.asarray(cv2.putText(line, clip.name, (4, 14), 0, 0.42, (255, 90, 90)), np.uint8)
