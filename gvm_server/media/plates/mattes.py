"""Which channel of a matte on disk is read: its alpha, else the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import Plate, PlateOptions
from gvm_server.media.plates.open import open_plate

# The first that is there; "" is the picture, which a file of two colours has not.
ALPHA_FIRST = ("A", "alpha", "", "R", "G")
PICTURE_FIRST = ("", "A", "alpha")


def open_first_layer(options: PlateOptions, layers: Sequence[str], *, roots: Roots) -> Plate:
    """Open a plate by the first of these layers that it has; a matte is the first channel of it.

    Raises:
        InputError: it has none of them, or cannot be read.
    """
    first, *others = layers
    try:
        return open_plate(replace(options, layer=first), roots=roots)
    except InputError as error:
        if not others or error.code is not ErrorCode.PLATE_MISMATCH:
            raise
        failure = error
    try:
        return open_first_layer(options, others, roots=roots)
    except InputError as error:
        if first or error.code is not ErrorCode.PLATE_MISMATCH:
            raise
    raise failure  # the picture's says most of what is there
