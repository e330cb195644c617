"""Which channels are the plate's colours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.plates.layers import Part, find_layer

BLENDER = "Composite.Combined.R Composite.Combined.G Composite.Combined.B"


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
        ([("", "A u v w")], (0, (1, 2, 3))),
        ([("left", "left.R left.G left.B left.A")], (0, (0, 1, 2))),
        ([("", "depth.Z beauty.R beauty.G beauty.B")], (0, (1, 2, 3))),
        ([("", "red green blue")], (0, (0, 1, 2))),
        ([("", "R G B crypto00.R crypto00.G crypto00.B")], (0, (0, 1, 2))),
        ([("", "V.AO.R V.AO.G V.AO.B V.Combined.R V.Combined.G V.Combined.B")], (0, (3, 4, 5))),
        ([("", "AO.r AO.g AO.b C.r C.g C.b C.a")], (0, (3, 4, 5))),
        ([("", "Ci.b Ci.g Ci.r albedo.b albedo.g albedo.r")], (0, (2, 1, 0))),
        ([("", "N.X N.Y N.Z Beauty.R Beauty.G Beauty.B")], (0, (3, 4, 5))),
        ([("crypto_object", "R G B A"), ("rgba", "R G B A")], (1, (0, 1, 2))),
        ([("N", "R G B"), ("beauty", "R G B"), ("Z", "Z")], (1, (0, 1, 2))),
        ([("diffuse", "R G B"), ("shot_010", "R G B A"), ("depth", "Z")], (1, (0, 1, 2))),
        ([("normals", "R G B")], (0, (0, 1, 2))),
        ([("", f"{BLENDER} {BLENDER.replace('Composite', 'ViewLayer')}")], (0, (0, 1, 2))),
        ([("", "R G B"), ("", "R G B")], (0, (0, 1, 2))),
        ([("", "normals.rgb.R normals.rgb.G normals.rgb.B hero.R hero.G hero.B")], (0, (3, 4, 5))),
        (
            [
                (
                    "",
                    "key.beauty.R key.beauty.G key.beauty.B beauty.R beauty.G beauty.B",
                )
            ],
            (0, (3, 4, 5)),
        ),
        ([("", "worldpos.R worldpos.G worldpos.B hero.R hero.G hero.B")], (0, (3, 4, 5))),
        ([("shot", "R G B"), ("rgba_main", "R G B A")], (1, (0, 1, 2))),
        ([("", "Lights.Combined.R Lights.Combined.G Lights.Combined.B")], (0, (0, 1, 2))),
        ([("", "beauty.Y depth.Z")], (0, (0, 0, 0))),
    ],
)
def test_the_picture(parts, expected):
    """No layer named: R, G and B, else what renderers call the picture, else the only one."""
    assert find("", *parts) == expected


@pytest.mark.parametrize(
    "parts",
    [
        [("", "Z")],
        [("", "id")],
        [("", "N.X N.Y N.Z")],
        [("", "uCryptoObject00.r uCryptoObject00.g uCryptoObject00.b")],
        [("", "forward.u forward.v")],
        [("crypto_material00", "R G B A"), ("depth", "Z")],
        [("", "diffuse_direct.R diffuse_direct.G diffuse_direct.B")],
        [("", "Y RY BY")],
        [("rgba.left", "R G B"), ("rgba.right", "R G B")],
        [("", "A.Combined.R A.Combined.G A.Combined.B B.Combined.R B.Combined.G B.Combined.B")],
        [("", "one.R one.G one.B two.R two.G two.B")],
        [("", "depth.color.R depth.color.G depth.color.B")],
        [("", "MultiMatte.R MultiMatte.G MultiMatte.B")],
        [("", "R G")],
        [("", "G B A")],
        [("", "Red Blue Z")],
        [("", "hero.R hero.G hero.A")],
    ],
)
def test_what_is_no_picture_or_could_be_two_is_refused_with_the_list(parts):
    """Nothing is guessed: the sentence names every layer, and how to choose."""
    with pytest.raises(InputError) as caught:
        find("", *parts)
    assert caught.value.code is ErrorCode.PLATE_MISMATCH
    assert caught.value.remedy
    for name, channels in parts:
        layer = name or channels.split()[0].rpartition(".")[0] or channels.split()[0].upper()
        assert layer in caught.value.message


@pytest.mark.parametrize("layer", ["flow", "hero", "two"])
def test_a_layer_of_two_colours_is_refused_and_its_channels_are_not(layer):
    """The third's place is not guessed at: `R` and `G` are often a vector's."""
    parts = [("", f"R G B {layer}.R {layer}.G {layer}.A"), (layer, "G B")]
    for some in (parts[:1], parts[1:]):
        with pytest.raises(InputError, match="two of red, green and blue") as caught:
            find(layer, *some)
        assert "--layer" in caught.value.remedy
    assert find(f"{layer}.G", *parts[:1]) == (0, (4, 4, 4))
    assert find("G", *parts[1:]) == (0, (0, 0, 0))


def test_whole_numbers_are_ids():
    """A 32-bit whole number is no colour, whatever it is called."""
    part = Part(
        name="",
        channels=("R", "G", "B", "main.R", "main.G", "main.B"),
        whole_numbers=frozenset({0, 1, 2}),
    )
    assert find_layer([part], "", path="/p/a.exr", frame=1).channels == (3, 4, 5)
    for layer in ("RGB", "G"):
        with pytest.raises(InputError, match="32-bit whole numbers"):
            find_layer([part], layer, path="/p/a.exr", frame=1)


@pytest.mark.parametrize("ids", [{0}, {0, 1, 2}])
def test_ids_beside_a_half_channel_are_no_colours_either(ids):
    """Coverage as alpha, or one colour that is light; an id beside the colours is in no way."""
    names = ("R", "G", "B", "A", "id")
    for channels, layer in ((names, "RGB"), (tuple(f"main.{one}" for one in names), "main")):
        part = Part(name="", channels=channels, whole_numbers=frozenset(ids))
        for asked, says in ("", "no picture"), (layer, "32-bit whole numbers"):
            with pytest.raises(InputError, match=says):
                find_layer([part], asked, path="/p/a.exr", frame=1)
        beside = replace(part, whole_numbers=frozenset({4}))
        assert find_layer([beside], "", path="/p/a.exr", frame=1).channels == (0, 1, 2)


def test_a_choice_says_what_was_passed_by():
    """The name that was taken, and the others."""
    part = Part(name="", channels=("AO.R", "AO.G", "AO.B", *(f"Combined.{c}" for c in "RGB")))
    found = find_layer([part], "", path="/p/a.exr", frame=1)
    assert (found.name, found.others) == ("Combined", ("AO",))
    depth = Part(name="", channels=("Z", "Combined.R", "Combined.G", "Combined.B"))
    assert find_layer([depth], "", path="/p/a.exr", frame=1).others == ("Z",)
    plain = find_layer([Part(name="", channels=("R", "G", "B", "A"))], "", path="/p", frame=1)
    assert (plain.name, plain.others) == ("", ())


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([Part(name="", channels=("R", "G", "B", "left.R", "left.G", "left.B"))], (0, (3, 4, 5))),
        (
            [
                Part(name="right", channels=("R", "G", "B")),
                Part(name="left", channels=("R", "G", "B")),
            ],
            (1, (0, 1, 2)),
        ),
        (
            [
                Part(name="rgba.right", channels=("R", "G", "B")),
                Part(name="rgba.left", channels=("R", "G", "B")),
            ],
            (1, (0, 1, 2)),
        ),
        (
            [
                Part(name="a", channels=("R", "G", "B"), view="right"),
                Part(name="b", channels=("R", "G", "B"), view="left"),
                Part(name="c", channels=("Z",), view="left"),
            ],
            (1, (0, 1, 2)),
        ),
        (
            [
                Part(
                    name="",
                    channels=tuple(
                        f"V.{layer}.{view}.{c}"
                        for view in ("left", "right")
                        for layer in ("AO", "Combined")
                        for c in "RGB"
                    ),
                )
            ],
            (0, (3, 4, 5)),
        ),
    ],
)
def test_a_view_is_found_however_it_is_written(parts, expected):
    """`--layer left`: a prefix, a part, the end of a name, or the part's view."""
    found = find_layer(parts, "left", path="/p/a.exr", frame=1)
    assert (found.part, found.channels) == expected


def test_views_of_one_name_are_told_apart():
    """Nuke calls the parts of all views alike: the list says names that `--layer` takes."""
    parts = [Part(name="rgba", channels=("R", "G", "B"), view=view) for view in ("left", "right")]
    with pytest.raises(InputError, match=r"rgba\.left, rgba\.right"):
        find_layer(parts, "", path="/p/a.exr", frame=1)
    for layer in ("rgba.right", "right"):
        found = find_layer(parts, layer, path="/p/a.exr", frame=1)
        assert (found.part, found.name) == (1, "rgba.right")


def test_case_is_forgiven_where_it_is_clear():
    """An exact name comes first."""
    assert find("Beauty", ("", "beauty.R beauty.G beauty.B")) == (0, (0, 1, 2))
    both = ("", "Beauty.R Beauty.G Beauty.B beauty.R beauty.G beauty.B")
    assert find("beauty", both) == (0, (3, 4, 5))


@pytest.mark.parametrize(
    ("layer", "parts", "expected"),
    [
        ("beauty", [("", "R G B beauty.R beauty.G beauty.B")], (0, (3, 4, 5))),
        ("beauty", [("", "beauty.blue beauty.green beauty.red")], (0, (2, 1, 0))),
        ("beauty", [("main", "R G B"), ("beauty", "R G B A")], (1, (0, 1, 2))),
        ("beauty", [("main", "R G B"), ("beauty", "beauty.R beauty.G beauty.B")], (1, (0, 1, 2))),
        ("light.key", [("", "R G B light.key.r light.key.g light.key.b")], (0, (3, 4, 5))),
        ("RGB", [("", "beauty.R beauty.G beauty.B R G B")], (0, (3, 4, 5))),
        ("rgba", [("", "beauty.R beauty.G beauty.B R G B A")], (0, (3, 4, 5))),
        ("depth.Z", [("", "R G B depth.Z")], (0, (3, 3, 3))),
        ("depth", [("", "R G B depth.Z")], (0, (3, 3, 3))),
        ("N", [("", "R G B N.X N.Y N.Z")], (0, (3, 4, 5))),
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
    with pytest.raises(InputError, match="no picture"):
        find("", ("", "A"))
    assert find("A", ("", "A")) == (0, (0, 0, 0))
