"""Compare the preview network with the original nets run by TFLite, on a clip or a drawn still.

1. The two agree to 1e-4 in every pixel, or this program ends with status 1.
2. `--golden PATH` writes what TFLite says of the drawn still, for the repository's own test.

A development tool. Besides the server's packages it needs `pip install ai-edge-litert==2.3.0`
and the unzipped `.tflite` files (see `convert_preview_weights.py`), then, from the repository:
`python -m tests.tools.check_preview_against_tflite FOLDER [--clip PATH] [--golden PATH]`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from gvm_server.matting.engines.preview.nets import NETS, Net, Nets
from tests.support.portrait import portrait

TOLERANCE = 1e-4
FRAMES = 20
SAMPLE_STEP = 8  # the golden file holds every 8th pixel of every 8th row
FILES = {"square": "selfie_segmentation", "landscape": "selfie_segmentation_landscape"}
Still = NDArray[np.float32]


def stills(clip: Path | None, net: Net) -> Iterator[Still]:
    """Yield the drawn still, then frames spread over the clip: [3, h, w] in the net's size."""
    yield portrait(net.height, net.width)
    if clip is None:
        return
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for frame in frames[:: max(1, len(frames) // FRAMES)]:
        small = cv2.resize(frame, (net.width, net.height), interpolation=cv2.INTER_AREA)
        yield np.ascontiguousarray(small.transpose(2, 0, 1), np.float32) / np.float32(255)


def compare(net: Net, model: Path, clip: Path | None) -> tuple[float, Still]:
    """Return the largest difference in alpha, and TFLite's alpha of the drawn still."""
    network = Nets()
    original = Interpreter(model_path=str(model))
    original.allocate_tensors()
    source, result = original.get_input_details()[0], original.get_output_details()[0]
    worst, alphas = 0.0, []
    for still in stills(clip, net):
        original.set_tensor(source["index"], still.transpose(1, 2, 0)[None])
        original.invoke()
        alphas.append(original.get_tensor(result["index"])[0, :, :, 0])
        ours = network.see(net, still[np.newaxis])[0]
        worst = max(worst, float(np.abs(ours - alphas[-1]).max()))
    print(f"{net.name}: {len(alphas)} frames, largest difference {worst:.1e}")
    return worst, alphas[0]


def main() -> int:
    """Check both nets and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the two .tflite files lie")
    parser.add_argument("--clip", type=Path, help="a movie with a person")
    parser.add_argument("--golden", type=Path, help="write TFLite's answer to this JSON file")
    options = parser.parse_args()
    worst, golden = 0.0, {}
    for net in NETS:
        model = options.folder / f"{FILES[net.name]}.tflite"
        difference, alpha = compare(net, model, options.clip)
        worst = max(worst, difference)
        sampled = alpha[::SAMPLE_STEP, ::SAMPLE_STEP].astype(float).round(6)
        golden[net.name] = {"step": SAMPLE_STEP, "alpha": sampled.tolist()}
    if options.golden:
        options.golden.write_text(json.dumps(golden) + "\n")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
