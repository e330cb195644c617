"""Which files are a matte, where its layers lie beside it in files of their own.

`gvm matte --layers separate` puts `plate.matte_raw.1001.exr` beside `plate.1001.exr`: whoever names
the folder means the alphas, and a layer has the same name wherever it is kept.
"""

from __future__ import annotations

from pathlib import Path

from gvm_client.errors import ErrorCode, InputError
from gvm_client.file_content import CHANNELS
from gvm_server.media.outputs.alpha_files import EXTENSION, suffixed
from gvm_server.media.outputs.parts import suffix_of
from gvm_server.media.plates.find import (
    MoviePath,
    PlatePath,
    SequencePath,
    plates_in,
    resolve_plate,
)

_SUFFIXES = tuple(suffix_of(word) for word in CHANNELS)


def find_matte(path: str) -> PlatePath:
    """Return what a path names; of a folder the alphas, not the layers beside them.

    Raises:
        InputError: as `resolve_plate`.
    """
    try:
        return resolve_plate(path)
    except InputError as error:
        if error.code is not ErrorCode.PLATE_AMBIGUOUS:
            raise
        found = plates_in(Path(path))
        sequences = [each for each in found if isinstance(each, SequencePath)]
        alphas = _without_layers(sequences or found)
        if len(alphas) != 1:
            raise
        return alphas[0]


def file_of_layer(place: PlatePath, layer: str) -> str:
    """Return the pattern or file that holds a layer of an alpha alone; "" where there is none."""
    suffix = suffix_of(layer)
    target = _target(place)
    if not suffix or target is None:
        return ""
    named = suffixed(target, suffix)
    if isinstance(named, Path):
        return str(named) if named.is_file() else ""
    there = (named.frame_of(each.name) for each in named.folder.iterdir())
    return str(named) if any(frame is not None for frame in there) else ""


def _without_layers(found: list[PlatePath] | list[SequencePath]) -> list[PlatePath]:
    targets = [target for each in found if (target := _target(each)) is not None]
    layers = {str(suffixed(target, suffix)) for target in targets for suffix in _SUFFIXES}
    return [each for each in found if str(each) not in layers]


def _target(place: PlatePath) -> SequencePath | Path | None:
    """Return an alpha's name; None where it can be none of ours."""
    if isinstance(place, MoviePath) or not str(place).lower().endswith(EXTENSION):
        return None
    return place if isinstance(place, SequencePath) else place.path
