"""How much of a movie is read: once all, and by the next server next to nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.movies import write_repeated
from tests.fakes.plates import MovieSpec

X264 = {"g": "12", "bf": "2", "preset": "ultrafast", "x264-params": "repeat-headers=1"}
GROUPS = 900  # of 12 frames: seven minutes
LIMIT = 0.01  # of the file

LONG = {
    "a.ts": MovieSpec(frames=12, width=160, height=96, options={**X264, "crf": "28"}),
    "a.mkv": MovieSpec(frames=12, width=160, height=96, options={**X264, "crf": "28"}),
    "uneven.mp4": MovieSpec(
        frames=12, width=160, height=96, options={**X264, "crf": "28"}, times=()
    ),
    "a.mxf": MovieSpec(
        codec="dnxhd",
        pixel_format="yuv422p",
        frames=12,
        width=256,
        height=120,
        options={"profile": "dnxhr_lb"},
    ),
}

A_SERVER = """
import sys
from pathlib import Path

from gvm_server.media.plates.movies import plate, indexing
from gvm_server.media.file_access import Roots
from gvm_server.media.store.memo import Memo
from gvm_server.media.plates.open import open_plate
from gvm_server.media.plates.base import PlateOptions

def read_so_far():
    return int(Path("/proc/self/io").read_text().split()[1])

for frame in sys.argv[3:]:
    indexing._KNOWN = indexing._Memory()
    before = read_so_far()
    memo = Memo(Path(sys.argv[2]))
    plate = open_plate(PlateOptions(path=sys.argv[1], memo=memo), roots=Roots())
    pixels = plate.read(int(frame)).pixels
    print(read_so_far() - before, plate.last, pixels.sum())
    plate.close()
"""


def ask(path: Path, cache: Path, *frames: int) -> list[tuple[int, int, str]]:
    """Read frames in another process, each with nothing in memory.

    Return how many bytes each took, how many frames the movie has, and the sum of the pixels.
    """
    words = [sys.executable, "-c", A_SERVER, str(path), str(cache), *map(str, frames)]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    lines = [line.split() for line in said.splitlines()]
    return [(int(read), int(count), total) for read, count, total in lines]


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="Linux counts what is read")
@pytest.mark.parametrize("kind", LONG)
def test_the_next_server_reads_one_hundredth_of_a_movie_for_a_frame(tmp_path, kind):
    """Its index is on disk, and small."""
    path, cache = write_repeated(tmp_path / kind, LONG[kind], GROUPS), tmp_path / "cache"
    size, count = path.stat().st_size, GROUPS * 12
    frame = count // 2 + 5
    ((first, found, seen),) = ask(path, cache, frame)
    assert first > size, "the first look goes through the file"
    assert found == count
    next_server = ask(path, cache, frame, 1, count)
    assert [found for _, found, _ in next_server] == [count] * 3
    assert next_server[0][2] == seen
    assert max(read for read, _, _ in next_server) <= size * LIMIT, (next_server, size)
    (facts,) = cache.glob("*.sqlite")
    assert facts.stat().st_size < 40_000
    path.unlink()
