"""From the command line's words to how a plate on disk is opened in this process."""

from __future__ import annotations

import argparse
from dataclasses import fields

from gvm_server.cli.matte.request import context_of, file_plate
from gvm_server.media.file_access import Roots
from gvm_server.media.plates.base import PlateOptions
from gvm_server.service.admission import check_configuration


def plate_options(parsed: argparse.Namespace) -> PlateOptions:
    """Return how the plate is read, as a server reads it for the same words.

    Raises:
        SettingsError: an option is wrong, or the colour configuration is not the one that it names.
        InputError: the colour configuration cannot be read.
    """
    plate, context = file_plate(parsed), context_of(parsed)
    return PlateOptions(
        # What a request says of a plate on disk has the names of what opens one.
        **{
            field.name: getattr(plate, field.name)
            for field in fields(PlateOptions)
            if field.name not in ("configuration", "memo")
        },
        configuration=check_configuration(context, Roots()),
    )
