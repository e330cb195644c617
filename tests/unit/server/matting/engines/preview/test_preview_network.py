"""The preview network against what TFLite said of the original nets."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open

from gvm_server.matting.engines.preview.engine import LANDSCAPE, NETS, SQUARE, Net, load_network
from tests.support.portrait import portrait
from tests.support.tree import GOLDEN

VECTORS = GOLDEN / "preview_network.json"
SOURCE_SHA256 = {
    SQUARE: "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    LANDSCAPE: "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
}


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_our_network_says_what_tflite_said(net: Net):
    """Every sampled pixel of the drawn still is within 1e-4 of the original's run by TFLite."""
    golden = json.loads(VECTORS.read_text())[net.name]
    still = torch.from_numpy(portrait(net.height, net.width))[None]
    with torch.inference_mode():
        alpha = load_network(net)(still)[0, 0].numpy()
    step = golden["step"]
    np.testing.assert_allclose(alpha[::step, ::step], golden["alpha"], rtol=0, atol=1e-4)
    assert 0.1 < alpha.mean() < 0.5, "the golden still must hold a person and a background"


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_the_weights_name_their_source(net: Net):
    """Each weights file says where it comes from, at which hash, and under which licence."""
    with safe_open(net.weights, "numpy") as weights:
        said = json.loads(weights.metadata()["source"])
        kinds = {weights.get_tensor(name).dtype for name in weights.keys()}  # noqa: SIM118
    assert said["sha256"] == SOURCE_SHA256[net]
    assert said["licence"] == "Apache-2.0"
    assert said["version"] == "0.10.21"
    assert kinds == {np.dtype(np.float16)}
