"""Which faster ways a processor takes: by a table, said by the maker, and never by a clock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from gvm_server.matting.engines import maker
from gvm_server.matting.engines.gvm import config, kernels
from gvm_server.matting.engines.gvm.config import RELEASED, GvmOptions, resolve
from gvm_server.matting.engines.gvm.info import gvm_maker
from gvm_server.matting.engines.gvm.operators import Convolution
from gvm_server.matting.engines.gvm.processor_ways import TABLE, Way
from gvm_server.matting.engines.machine import Precision, Switch
from tests.support.threads import hashes

KNOWN = next(iter(TABLE))
ALL = tuple(Way)


def _resolved(device: str = "cpu", **options: object) -> tuple[Way, ...]:
    return resolve(device, GvmOptions(**options), RELEASED.vae).ways


def test_a_kind_that_is_not_in_the_table_computes_as_before():
    """Another family, AVX-512, and a system that says nothing."""
    assert kernels.ways_of(KNOWN) == ALL
    for other in (
        replace(KNOWN, family="26"),
        replace(KNOWN, wide=True),
        replace(KNOWN, vendor="GenuineIntel"),
        kernels.Kind(machine="", vendor="", family="", wide=False),
    ):
        assert kernels.ways_of(other) == ()


def test_a_kind_is_read_from_what_the_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Of the first processor; a file that is not there leaves the words empty."""
    said = tmp_path / "cpuinfo"
    said.write_text(
        "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nflags\t\t: fpu avx2 avx512f\n\n"
        "vendor_id\t: GenuineIntel\n"
    )
    for path, expected in (
        (said, ("AuthenticAMD", "25", True)),
        (tmp_path / "none", ("", "", False)),
    ):
        words = maker.processor_words(path)
        monkeypatch.setattr(kernels, "processor_words", lambda words=words: words)
        kind = kernels.this_kind()
        assert (kind.vendor, kind.family, kind.wide) == expected


def test_ways_are_taken_in_float32_on_the_cpu_only(monkeypatch: pytest.MonkeyPatch):
    """Not where a network is compiled, and not where a format was asked for."""
    monkeypatch.setattr(config, "taken_ways", lambda: ALL)
    assert _resolved() == ALL
    assert _resolved(channels_last=Switch.ON) == ALL
    assert _resolved("cuda", precision=Precision.FLOAT32) == ()
    assert _resolved(precision=Precision.BFLOAT16) == ()
    assert _resolved(vae_precision=Precision.BFLOAT16) == ()
    assert _resolved(compile_backend="inductor") == ()
    assert _resolved(channels_last=Switch.OFF) == ()


def test_the_maker_says_which_ways_are_taken(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    """They round otherwise: a result of one is not another's."""
    makers = []
    for ways in ((), ALL):
        monkeypatch.setattr(config, "taken_ways", lambda ways=ways: ways)
        makers.append(gvm_maker(tiny, GvmOptions(device="cpu")))
    plain, fast = makers
    assert set(fast) - set(plain) == {("way", way.value) for way in Way}
    assert set(plain) <= set(fast)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_packed_weight_gives_the_same_bits_on_any_count_of_threads(stride: int):
    """At every size, of one image and of several; what it computes is the plain one's."""
    with torch.inference_mode():
        plain, packed = (Convolution(64, 96, stride=stride) for _ in range(2))
        packed.load_state_dict(plain.state_dict())
        for layer in (plain, packed):
            layer.to(memory_format=torch.channels_last)
        packed.pack()
        assert packed.weight.is_meta  # no second copy
        for frames in (1, 3):
            for sides in ((3, 1), (3, 2), (5, 8), (7, 15), (12, 20), (23, 41)):
                image = torch.randn(frames, 64, *sides).to(memory_format=torch.channels_last)
                said = hashes(lambda image=image: packed(image))
                assert len(set(said)) == 1, (frames, sides)
                torch.testing.assert_close(packed(image), plain(image), rtol=0, atol=1e-5)


def test_a_layer_that_moves_has_its_weight_again():
    """Converting and leaving a device work as of any layer."""
    layer = Convolution(32, 48).to(memory_format=torch.channels_last)
    weight = layer.weight.detach().clone()
    image = torch.randn(1, 32, 20, 20)
    layer.pack()
    layer.double()
    assert layer.packed is None
    assert torch.equal(layer.weight, weight.double())
    expected = functional.conv2d(image.double(), weight.double(), layer.bias, padding=1)
    torch.testing.assert_close(layer(image.double()), expected, rtol=0, atol=1e-12)
    layer.float().to(memory_format=torch.channels_last)
    layer.pack()
    layer.to("meta")
    assert layer.packed is None
    assert layer.weight.is_meta
