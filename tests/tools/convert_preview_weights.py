"""Convert MediaPipe's two selfie segmentation nets from `.tflite` to the package's safetensors.

1. The source is one pinned wheel; each file in it is checked against its SHA-256.
2. Values stay as they are (float16); only names and axis order become those of `network.py`.
3. The same wheel gives the same bytes.

A development tool. It needs `pip install tflite==2.18.0 flatbuffers numpy safetensors`, then:
`python tests/tools/convert_preview_weights.py [--wheel PATH] [--out FOLDER]`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tflite
from numpy.typing import NDArray
from safetensors.numpy import save_file

VERSION = "0.10.21"  # the last release whose wheel carries the models
PLATFORM = "manylinux_2_28_x86_64"
FOLDER = "mediapipe/modules/selfie_segmentation"
SOURCES = {
    "square": (
        "selfie_segmentation.tflite",
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    ),
    "landscape": (
        "selfie_segmentation_landscape.tflite",
        "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
    ),
}
WEIGHTS = Path(__file__).parents[2] / "gvm_server" / "matting" / "engines" / "preview" / "weights"

# How `.tflite` stores a kernel, and the axis order that torch wants: convolution [O, h, w, I],
# depthwise [1, h, w, C], transposed [O, h, w, I].
TO_TORCH = {"convolution": (0, 3, 1, 2), "depthwise": (3, 0, 1, 2), "transposed": (3, 0, 1, 2)}
KINDS = {
    tflite.BuiltinOperator.CONV_2D: "convolution",
    tflite.BuiltinOperator.DEPTHWISE_CONV_2D: "depthwise",
    tflite.BuiltinOperator.CUSTOM: "transposed",  # the only one is Convolution2DTransposeBias
}


def parameter_names() -> Iterator[str]:
    """Yield the names of `network.PersonNetwork`'s convolutions in the graph's order."""
    gate = ("gate.squeeze", "gate.excite")
    plain = ("expand", "depthwise", "project")
    gated = ("expand", "depthwise", *gate, "project")
    blocks = [("quarter", gated), ("eighth.0", plain), ("eighth.1", plain)]
    blocks += [(f"sixteenth.{index}", gated) for index in range(5)]
    blocks += [("head", ("project", "gate"))]
    blocks += [
        (name, ("reduce", *gate, "blend", "depthwise"))
        for name in ("to_eighth", "to_quarter", "to_half")
    ]
    yield "stem"
    for block, parts in blocks:
        for part in parts:
            yield f"{block}.{part}"
    yield "segment"


def convert(source: bytes) -> dict[str, NDArray[np.float16]]:
    """Return a `.tflite` file's weights under the network's names and in torch's axis order."""
    model = tflite.Model.GetRootAs(source, 0)
    graph = model.Subgraphs(0)
    operators = [graph.Operators(index) for index in range(graph.OperatorsLength())]
    codes = [_code(model, operator) for operator in operators]
    # Each weight is stored as float16 and goes through a DEQUANTIZE operator.
    stored = {
        operator.Outputs(0): _tensor(model, graph, operator.Inputs(0))
        for operator, code in zip(operators, codes, strict=True)
        if code == tflite.BuiltinOperator.DEQUANTIZE
    }
    layers = [
        (KINDS[code], stored[operator.Inputs(1)], stored[operator.Inputs(2)])
        for operator, code in zip(operators, codes, strict=True)
        if code in KINDS
    ]
    weights = {}
    for name, (kind, kernel, bias) in zip(parameter_names(), layers, strict=True):
        weights[f"{name}.weight"] = np.ascontiguousarray(kernel.transpose(TO_TORCH[kind]))
        weights[f"{name}.bias"] = bias
    return weights


def _code(model: tflite.Model, operator: tflite.Operator) -> int:
    code = model.OperatorCodes(operator.OpcodeIndex())
    # Old files hold the code in the narrow, deprecated field.
    return int(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))


def _tensor(model: tflite.Model, graph: tflite.SubGraph, index: int) -> NDArray[np.float16]:
    tensor = graph.Tensors(index)
    if tensor.Type() != tflite.TensorType.FLOAT16:
        sys.exit(f"Tensor {tensor.Name().decode()} is not float16; this is not the pinned model.")
    pixels = model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
    return np.frombuffer(pixels, np.float16).reshape(tensor.ShapeAsNumpy())


def fetch_wheel(folder: Path) -> Path:
    """Download the pinned wheel without installing it and return its path."""
    words = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    words += ["--python-version", "3.12", "--platform", PLATFORM, f"mediapipe=={VERSION}"]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    return next(folder.glob("mediapipe-*.whl"))


def read_source(wheel: Path, name: str, digest: str) -> bytes:
    """Return a file of the wheel; ends the program where its hash is another."""
    with zipfile.ZipFile(wheel) as archive:
        source = archive.read(f"{FOLDER}/{name}")
    found = hashlib.sha256(source).hexdigest()
    if found != digest:
        sys.exit(f"{name} in {wheel} has SHA-256 {found}; expected {digest}.")
    return source


def describe(name: str, digest: str) -> str:
    """Return as JSON where a net comes from: one entry, for several come in no fixed order."""
    source = {
        "model": "MediaPipe Selfie Segmentation",
        "file": f"PyPI mediapipe, {FOLDER}/{name}",
        "version": VERSION,
        "sha256": digest,
        "licence": "Apache-2.0",
    }
    return json.dumps(source)


def main() -> None:
    """Write both nets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", type=Path, help="the wheel, if it is here already")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel = options.wheel or fetch_wheel(Path(folder))
        for net, (name, digest) in SOURCES.items():
            weights = convert(read_source(wheel, name, digest))
            path = options.out / f"{net}.safetensors"
            save_file(weights, path, {"source": describe(name, digest)})
            path.chmod(0o644)


if __name__ == "__main__":
    main()
