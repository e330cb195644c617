"""Opening a plate on disk, whatever kind it is."""

from __future__ import annotations

from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_server.media.confine import Roots
from gvm_server.media.plates.base import Plate, PlateOptions
from gvm_server.media.plates.find import MoviePath, SequencePath, resolve_plate
from gvm_server.media.plates.missing import fill_missing
from gvm_server.media.plates.movies.plate import MoviePlate
from gvm_server.media.plates.sequence import ImagePlate, scan_sequence, single_image


def open_plate(options: PlateOptions, *, roots: Roots) -> Plate:
    """Open the plate that a path names: a sequence, an image, or a movie.

    Raises:
        SettingsError: the clip's first frame lies after its last.
        InputError: there is no such plate, it is unreadable, or it lies outside the roots.
    """
    if options.first is not None and options.last is not None and options.first > options.last:
        raise SettingsError(
            f"The clip's first frame, {options.first}, lies after its last, {options.last}.",
            remedy="Swap --first and --last.",
        )
    # Looked at before the path is: an answer about a folder outside would tell what is there.
    roots.check_read(Path(options.path))
    place = resolve_plate(options.path)
    roots.check_read(Path(str(place)))
    if isinstance(place, MoviePath):
        return MoviePlate(place.path, options)
    if isinstance(place, SequencePath):
        files = scan_sequence(place)
    else:
        files = single_image(place, options)
    return fill_missing(ImagePlate(files, options, roots=roots), options.missing)
