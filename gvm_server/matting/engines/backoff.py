"""How a window is decoded in chunks, and what to give up when the device has too little memory.

What is given up, in the guide's order, changes the matte: it is taken only where the artist allowed
it, and said aloud.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gvm_client.settings import PlanKind, WindowSettings

# Frames decoded on each side of a chunk and thrown away: what the temporal convolutions see most.
SEAMLESS_HALO = 2
SMALLEST_WINDOW = 4  # the guide's smallest
SMALLEST_SIZE = 256  # below it there is no matte worth having


def decode_halo(settings: WindowSettings) -> int:
    """Return the halo of a decode chunk; the original program has none."""
    return 0 if settings.plan is PlanKind.REFERENCE else SEAMLESS_HALO


def chunks(count: int, chunk: int, halo: int) -> Iterator[tuple[slice, slice]]:
    """Yield for each decode chunk the frames to decode, and which of those to keep."""
    for start in range(0, count, chunk):
        stop = min(start + chunk, count)
        first, last = max(start - halo, 0), min(stop + halo, count)
        yield slice(first, last), slice(start - first, stop - first)


def frames_decoded_at_once(settings: WindowSettings) -> int:
    """Return how many frames the decoder holds for these settings."""
    window = settings.frames_per_window
    parts = chunks(window, settings.chunk, decode_halo(settings))
    return max(len(range(window)[frames]) for frames, _ in parts)


def backoff(settings: WindowSettings) -> WindowSettings | None:
    """Return settings that need less memory, or None: window, then decode chunk, then size.

    A smaller chunk whose halo brings it back to as many frames is skipped.
    """
    window = settings.frames_per_window
    if window > SMALLEST_WINDOW:
        smaller = max(SMALLEST_WINDOW, window // 2)
        return replace(
            settings,
            frames_per_window=smaller,
            overlap=min(settings.overlap, smaller // 2),
            decode_chunk=min(settings.decode_chunk, smaller),
        )
    for chunk in range(settings.chunk - 1, 0, -1):
        candidate = replace(settings, decode_chunk=chunk)
        if frames_decoded_at_once(candidate) < frames_decoded_at_once(settings):
            return candidate
    if settings.size > SMALLEST_SIZE:
        size = max(SMALLEST_SIZE, settings.size * 3 // 4)
        longest = max(size, settings.max_resolution * size // settings.size)
        return replace(settings, size=size, max_resolution=longest)
    return None
