"""The guides of a farm's job: found and looked over where the job is submitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from gvm_client.protocol.messages import FilePlate, Matte
from gvm_nodes.farm.job import FarmPath
from gvm_server.matting.guides import open_guides
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import ClipGeometry
from gvm_server.media.plates.base import PlateOptions
from gvm_server.media.plates.find import resolve_plate
from gvm_server.media.plates.guide import naming


def find_guides(request: Matte) -> tuple[FarmPath, ...]:
    """Return where the guides are: a folder stands for the sequence in it.

    Raises:
        InputError: one is not there.
    """
    return tuple(_found(request))


def _found(request: Matte) -> Iterator[FarmPath]:
    for name, path in request.guides.paths.items():
        if path:
            with naming(name):
                place = Path(str(resolve_plate(path)))
            yield FarmPath(name=name, folder=str(place.parent), file=place.name)


def check_guides(request: Matte, geometry: ClipGeometry, frames: Sequence[int]) -> tuple[str, ...]:
    """Prove that the guides fit the plate and have these frames; return what is to be said.

    Raises:
        InputError: one is unreadable, of another shape, or lacks frames that nothing stands in for.
    """
    plate = request.plate
    assert isinstance(plate, FilePlate)  # noqa: S101 (a farm's is)
    options = PlateOptions(
        path="", missing=plate.missing, bad_pixels=plate.bad_pixels, keys=plate.keys
    )
    with closing(open_guides(request.guides, options, geometry, roots=Roots())) as guides:
        return (*guides.notes, *guides.check(tuple(frames)))
