"""Faster ways through GVM's network on the CPU, by the processor's kind: a table, never a clock.

Which library's kernel is the faster one depends on the processor: a way stands in the table for the
kinds that it was measured on (docs/performance.md), and every other kind computes as before. What
is taken is part of the maker, for it rounds otherwise. Nothing here imports torch.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from gvm_server.matting.engines.maker import processor_words


class Way(str, Enum):
    """A faster way on the CPU, in float32."""

    WINOGRAD = "winograd"
    """3x3 convolutions by products of matrices, four a pixel for nine; all images channels last."""
    PACKED = "packed"
    """Large kernels kept in oneDNN's own order, which it makes anew for each call otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of processor: what its kernels are chosen by.

    Attributes:
        machine: `platform.machine()`.
        vendor: as the processor says it.
        family: the processor's number of it.
        wide: whether it has AVX-512, for which oneDNN and MKL have other kernels.
    """

    machine: str
    vendor: str
    family: str
    wide: bool


_ZEN_3 = Kind(machine="x86_64", vendor="AuthenticAMD", family="25", wide=False)
TABLE: Mapping[Kind, tuple[Way, ...]] = MappingProxyType({_ZEN_3: (Way.WINOGRAD, Way.PACKED)})


def taken_ways() -> tuple[Way, ...]:
    """Return the ways of this machine's processor; none where its kind is not in the table."""
    return ways_of(this_kind())


def ways_of(kind: Kind) -> tuple[Way, ...]:
    """Return the ways of a kind of processor; none where it is not in the table."""
    return TABLE.get(kind, ())


def this_kind() -> Kind:
    """Return this machine's kind; its words are empty where the system does not say them."""
    words = processor_words()
    return Kind(
        machine=platform.machine(),
        vendor=words.get("vendor_id", ""),
        family=words.get("cpu family", ""),
        wide="avx512f" in words.get("flags", "").split(),
    )
