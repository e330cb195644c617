"""The preview engine's nets: what TFLite said of the originals, on any count of threads."""

from __future__ import annotations

import hashlib
import json
import time

import numpy as np
import pytest
from onnxruntime import InferenceSession

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.preview import nets
from gvm_server.matting.engines.preview.nets import LANDSCAPE, NETS, SQUARE, Net, Nets
from tests.support.portrait import portrait
from tests.support.tree import GOLDEN

VECTORS = GOLDEN / "preview_network.json"
SOURCE_SHA256 = {
    SQUARE: "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    LANDSCAPE: "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd",
}


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_our_net_says_what_tflite_said(net: Net):
    """Every sampled pixel of the drawn still is within 1e-4 of the original's run by TFLite."""
    golden = json.loads(VECTORS.read_text())[net.name]
    alpha = Nets().see(net, portrait(net.height, net.width)[np.newaxis])[0]
    step = golden["step"]
    np.testing.assert_allclose(alpha[::step, ::step], golden["alpha"], rtol=0, atol=1e-4)
    assert 0.1 < alpha.mean() < 0.5, "the golden still must hold a person and a background"


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_the_count_of_threads_changes_no_bit(net: Net):
    """One to eight threads, of a still with a person and of noise."""
    noise = np.random.default_rng(0).random((3, net.height, net.width), np.float32)
    pictures = np.stack([portrait(net.height, net.width), noise])
    made = {
        hashlib.sha256(Nets(threads).see(net, pictures).tobytes()).hexdigest()
        for threads in range(1, 9)
    }
    assert len(made) == 1


def test_nothing_spins_after_a_run():
    """The processor rests when a net has run, also one with several threads."""
    loaded = Nets(threads=4)
    loaded.see(SQUARE, portrait(256, 256)[np.newaxis])
    begun = time.process_time()
    time.sleep(0.2)
    assert time.process_time() - begun < 0.02


@pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)
def test_the_weights_name_their_source(net: Net):
    """Each file says where it comes from, at which hash, and under which licence."""
    session = InferenceSession(net.weights, providers=["CPUExecutionProvider"])
    said = json.loads(session.get_modelmeta().custom_metadata_map["source"])
    assert said["sha256"] == SOURCE_SHA256[net]
    assert said["licence"] == "Apache-2.0"
    assert said["version"] == "0.10.21"


def test_missing_weights_are_named(monkeypatch, tmp_path):
    """A package without its weights gives an error with the path and the remedy."""
    monkeypatch.setattr(nets, "WEIGHTS", tmp_path)
    nets.weights_digest.cache_clear()
    with pytest.raises(EngineError) as raised:
        nets.weights_digest()
    assert raised.value.code is ErrorCode.ENGINE_UNAVAILABLE
    assert raised.value.path == str(tmp_path / "square.onnx")
    assert "Install" in raised.value.remedy
