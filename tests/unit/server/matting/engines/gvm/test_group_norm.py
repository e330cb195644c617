"""The group norm that fills a card: near float64, in both formats, also far from zero."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gvm_server.matting.engines.gvm import group_norm
from gvm_server.matting.engines.gvm.group_norm import is_last, normalise

FORMATS = (torch.contiguous_format, torch.channels_last)


def _case(
    width: int, sides: tuple[int, int], offset: float, dtype: torch.dtype
) -> tuple[nn.GroupNorm, Tensor]:
    generator = torch.Generator().manual_seed(0)
    norm = nn.GroupNorm(32, width, eps=1e-6).requires_grad_(False)
    for parameter in norm.parameters():
        parameter.copy_(torch.randn(width, generator=generator))
    value = torch.randn(2, width, *sides, generator=generator) + offset
    return norm.to(dtype), value.to(dtype)


def _exact(norm: nn.GroupNorm, value: Tensor) -> Tensor:
    weight, bias = norm.weight.double(), norm.bias.double()
    return functional.group_norm(value.double(), 32, weight, bias, norm.eps)


@pytest.mark.parametrize("memory_format", FORMATS, ids=["contiguous", "last"])
@pytest.mark.parametrize("offset", [0.0, 100.0])
@pytest.mark.parametrize(("width", "sides"), [(128, (33, 31)), (320, (4, 7)), (32, (1, 1))])
def test_it_is_near_float64(
    width: int, sides: tuple[int, int], offset: float, memory_format: torch.memory_format
):
    """With and without SiLU, in the format that it was given."""
    norm, value = _case(width, sides, offset, torch.float32)
    given = value.contiguous(memory_format=memory_format)
    before = given.clone()
    for silu in (False, True):
        made = normalise(given, norm, silu=silu)
        exact = functional.silu(_exact(norm, value)) if silu else _exact(norm, value)
        torch.testing.assert_close(made.double(), exact, rtol=0, atol=2e-4 if offset else 2e-5)
        assert is_last(made) == is_last(given)
    assert torch.equal(given, before)


def test_half_types_without_triton_have_pytorch_s_own():
    """Its reduction would round mean and variance to half."""
    norm, value = _case(64, (9, 5), 0.0, torch.float16)
    assert torch.equal(normalise(value, norm, silu=False), norm(value))


def test_a_view_of_no_format_is_copied():
    """Kernels and reductions walk through memory."""
    norm, value = _case(64, (9, 10), 0.0, torch.float32)
    torch.testing.assert_close(normalise(value[..., ::2], norm, silu=False), norm(value[..., ::2]))


def _by_kernels(value: Tensor, norm: nn.GroupNorm, *, silu: bool) -> Tensor:
    from gvm_server.matting.engines.gvm import group_norm_kernels  # noqa: PLC0415 - optional

    how = {"groups": 32, "eps": norm.eps, "silu": silu}
    return group_norm_kernels.normalise(value, norm.weight, norm.bias, **how)


@pytest.fixture(scope="module")
def kernels() -> Iterator[Callable[..., Tensor]]:
    """The kernels, in Triton's interpreter.

    In a process of their own: Triton looks once whether it is to interpret, where it is imported,
    and another test may have had it compile.
    """
    if find_spec("triton") is None:
        pytest.skip("Triton is not installed here: its kernels are not run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_INTERPRET", "1")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            yield lambda *given, **how: pool.submit(_by_kernels, *given, **how).result()


# More than one chunk in each format, sides that are no multiple of one, groups of 3 and 5 channels.
@pytest.mark.parametrize("memory_format", FORMATS, ids=["contiguous", "last"])
@pytest.mark.parametrize(
    ("case", "allowed"),
    [
        ((96, (3, 5), 0.0, torch.float16), 4e-3),
        ((160, (1, 300), 100.0, torch.float32), 3e-4),
        ((32, (65, 64), 0.0, torch.float32), 2e-5),
    ],
)
def test_the_kernels_are_near_float64(
    kernels: Callable[..., Tensor],
    case: tuple[int, tuple[int, int], float, torch.dtype],
    allowed: float,
    memory_format: torch.memory_format,
):
    """As the reduction is, for half types too; the format stays."""
    norm, value = _case(*case)
    value = value[:1].contiguous(memory_format=memory_format)
    made = kernels(value, norm, silu=True)
    exact = functional.silu(_exact(norm, value))
    torch.testing.assert_close(made.double(), exact, rtol=0, atol=allowed)
    assert (made.dtype, made.stride()) == (value.dtype, value.stride())


@pytest.mark.parametrize("memory_format", FORMATS, ids=["contiguous", "last"])
def test_what_is_flat_is_exactly_the_bias_by_the_kernels(
    kernels: Callable[..., Tensor], memory_format: torch.memory_format
):
    """Far from zero a scale and a shift would leave their difference's rounding, times 1000."""
    norm, value = _case(64, (3, 7), 0.0, torch.float32)
    flat = torch.full_like(value[:1], 100.1).contiguous(memory_format=memory_format)
    made = kernels(flat, norm, silu=False)
    assert torch.equal(made, norm.bias.view(1, -1, 1, 1).expand_as(made))


# Of the types that the launcher gives them; channels and chunks of 1 are constants there.
_COMPILE = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from gvm_server.matting.engines.gvm import group_norm_kernels as kernels

def compiled(kernel, constants, **types):
    signature = {**types, **dict.fromkeys(constants, "constexpr")}
    places = {(kernel.arg_names.index(name),): value for name, value in constants.items()}
    source = ASTSource(fn=kernel, signature=signature, constexprs=places)
    made = triton.compile(source, target=GPUTarget("cuda", 90, 32))
    print(kernel.__name__, len(made.asm["cubin"]))

sizes = {"pixels": "i32", "width": "i32", "stride_n": "i64"}
partials = {"means": "*fp32", "squares": "*fp32"}
tile = {"PIXELS": 32, "CHANNELS": 128}
by_pixel = {"stride_p": "i32", **sizes}
compiled(kernels._moments, {"stride_c": 1, "CHUNK": 256, **tile}, value="*fp16", chunks="i32",
         **partials, **by_pixel)
compiled(kernels._apply, {"stride_c": 1, "SILU": True, **tile}, value="*fp16", result="*fp16",
         bias="*fp16", centre="*fp32", scale="*fp32", **by_pixel)
compiled(kernels._join, {"chunks": 1, "CHUNK": 256, "MEMBERS": 10, "BLOCK": 1024, "WIDE": 16},
         weight="*fp16", centre="*fp32", scale="*fp32", eps="fp32", pixels="i32", width="i32",
         **partials)
"""


def test_the_kernels_compile_for_a_card(tmp_path: Path):
    """For a Hopper card, by Triton's own assembler; nothing is run."""
    if find_spec("triton") is None:
        pytest.skip("Triton is not installed here: its kernels are not compiled")
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path), "TRITON_INTERPRET": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", _COMPILE], env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    made = [line.split() for line in ran.stdout.splitlines()]
    assert [name for name, _ in made] == ["_moments", "_apply", "_join"]
    assert all(int(size) > 0 for _, size in made)


def test_who_normalises_is_known_without_a_device(monkeypatch: pytest.MonkeyPatch):
    """The maker names it: two machines of one card may differ by it."""
    monkeypatch.setattr(group_norm, "find_spec", lambda _: None)
    group_norm.triton_kernels.cache_clear()
    assert group_norm.made_by() == "PyTorch"
    group_norm.triton_kernels.cache_clear()
