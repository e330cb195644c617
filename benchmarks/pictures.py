"""Tells hosts' pictures from the other frames of their clip: refusals, false ones and due ones.

    python -m benchmarks.pictures [MOVIE ...]

Each frame in turn is what a host shows, with every curve, depth, size and bars of
`tests/support/pictures.py`. It must pass at its own number and be refused at other frames'
numbers: prints the share of refusals by how many frames a number is off. Without movies the clips
are generated. Exits with 1 where a picture is refused at its own number, or less than 95 of 100 are
refused at numbers that are off by 5 frames and more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import islice

import av
import numpy as np

from gvm_client.errors import InputError
from gvm_server.media.plates.host_picture import Picture, match
from gvm_server.media.plates.thumbnail import Thumbnails
from tests.support.pictures import CLIPS, FRAMES, SHOWN, Pixels, linear
from tests.support.shown import ClipInMemory, picture_of

STEP = 13  # frames from one that is shown to the next
LONGEST = 96
OFF_BY = {"own": range(1), "1": range(1, 2), "2-4": range(2, 5), "5 and more": range(5, LONGEST)}
LEAST = 0.95


def main() -> int:
    """Print a line for each clip."""
    print(f"{'clip':40}" + "".join(f"{name:>12}" for name in OFF_BY))
    good = True
    for name, frames in _clips(sys.argv[1:]):
        shares = _refused(frames)
        print(f"{name:40}" + "".join(f"{share:12.4f}" for share in shares.values()), flush=True)
        good = good and shares["own"] == 0.0 and shares["5 and more"] >= LEAST
    return 0 if good else 1


def _clips(movies: Sequence[str]) -> Iterator[tuple[str, list[Pixels]]]:
    for movie in movies:
        with av.open(movie) as file:
            decoded = islice(file.decode(video=0), LONGEST)
            arrays = [frame.to_ndarray(format="rgb24") for frame in decoded]
        yield movie[-38:], [(array / np.float32(255)).astype(np.float32) for array in arrays]
    if not movies:
        for name, make in CLIPS.items():
            yield name, [make(frame) for frame in range(FRAMES)]


def _refused(frames: list[Pixels]) -> dict[str, float]:
    """Return the share of refusals, by how far a number is off."""
    clip, thumbnails = ClipInMemory(frames), Thumbnails()
    counts = {name: [0, 0] for name in OFF_BY}
    for made in SHOWN.values():
        for shown in range(1, len(frames) + 1, STEP):
            picture = picture_of(made(linear(frames[shown - 1])))
            for number in range(1, len(frames) + 1):
                name = next(name for name, by in OFF_BY.items() if abs(number - shown) in by)
                counts[name][0] += not _passes(clip, picture, number, thumbnails)
                counts[name][1] += 1
    return {name: refused / of for name, (refused, of) in counts.items()}


def _passes(clip: ClipInMemory, picture: Picture, number: int, thumbnails: Thumbnails) -> bool:
    try:
        match(clip, clip.geometry(), picture, number, thumbnails, heed=lambda: None)
    except InputError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
