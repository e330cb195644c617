"""Which channels are the plate's colours."""

from __future__ import annotations

import pytest

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.layers import Part, find_layer


def find(layer, *parts: tuple[str, str]):
    """Return (part, channels) for parts given as (name, channels)."""
    made = [Part(name=name, channels=tuple(channels.split())) for name, channels in parts]
    found = find_layer(made, layer, path="/p/a.exr", frame=1)
    return found.part, found.channels


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([("", "R G B A")], (0, (0, 1, 2))),
        ([("", "A B G R Z")], (0, (3, 2, 1))),
        ([("", "beauty.R beauty.G beauty.B R G B")], (0, (3, 4, 5))),
        ([("depth", "Z"), ("rgb", "R G B")], (1, (0, 1, 2))),
        ([("", "Y A")], (0, (0, 0, 0))),
        ([("", "Z")], (0, (0, 0, 0))),
        ([("", "A u v w")], (0, (1, 2, 3))),
        ([("left", "left.R left.G left.B left.A")], (0, (0, 1, 2))),
        ([("", "depth.Z beauty.R beauty.G beauty.B")], (0, (1, 2, 3))),
        ([("", "red green blue")], (0, (0, 1, 2))),
    ],
)
def test_the_main_rgb(parts, expected):
    """No layer named: R, G, B of the first part that has them, else its first colours."""
    assert find("", *parts) == expected


@pytest.mark.parametrize(
    ("layer", "parts", "expected"),
    [
        ("beauty", [("", "R G B beauty.R beauty.G beauty.B")], (0, (3, 4, 5))),
        ("beauty", [("", "beauty.blue beauty.green beauty.red")], (0, (2, 1, 0))),
        ("beauty", [("main", "R G B"), ("beauty", "R G B A")], (1, (0, 1, 2))),
        ("beauty", [("main", "R G B"), ("beauty", "beauty.R beauty.G beauty.B")], (1, (0, 1, 2))),
        ("light.key", [("", "R G B light.key.r light.key.g light.key.b")], (0, (3, 4, 5))),
        ("depth.Z", [("", "R G B depth.Z")], (0, (3, 3, 3))),
        ("depth", [("", "R G B depth.Z")], (0, (3, 3, 3))),
        ("N", [("", "R G B N.X N.Y N.Z")], (0, (4, 4, 4))),
    ],
)
def test_named_layers(layer, parts, expected):
    """A layer is a part, a prefix of channels, or one channel."""
    assert find(layer, *parts) == expected


def test_an_unknown_layer_lists_what_is_there():
    """The error names every layer of every part."""
    with pytest.raises(InputError) as caught:
        find("beauti", ("main", "R G B"), ("aov", "beauty.R beauty.G beauty.B depth.Z"))
    assert caught.value.code is ErrorCode.PLATE_MISMATCH
    assert "beauti" in caught.value.message
    for name in ("main", "beauty", "depth"):
        assert name in caught.value.remedy


def test_alpha_alone_is_no_colour():
    """A matte is not taken for a plate unless it is named."""
    with pytest.raises(InputError, match="no colour channels"):
        find("", ("", "A"))
    assert find("A", ("", "A")) == (0, (0, 0, 0))
