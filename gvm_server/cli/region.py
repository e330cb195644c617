"""`gvm roi`: a region for a plate, from the preview engine, as the option that sets it."""

from __future__ import annotations

import argparse
import sys

from gvm_client.errors import SettingsError
from gvm_client.process import Exit
from gvm_client.protocol.messages import EngineName, MappedOutput, Matte
from gvm_client.regions import Region
from gvm_client.request import UNNAMED
from gvm_client.settings import window_settings
from gvm_server.cli.local_job import local_job
from gvm_server.cli.matte.request import context_of, file_plate
from gvm_server.cli.terminal import as_json
from gvm_server.matting.proposal import Proposal, propose


def run(parsed: argparse.Namespace) -> int:
    """Look at frames of a plate in this process, and print the option, alone, to standard output.

    Raises:
        SettingsError: a value is out of its range.
        InputError: the plate is wrong, or nobody is found.
        EngineError: the preview engine cannot run here.
    """
    if parsed.samples < 1:
        raise SettingsError(f"--samples is {parsed.samples}; it must be 1 or more.")
    request = Matte(
        job=UNNAMED,
        plate=file_plate(parsed),
        output=MappedOutput(),
        window=window_settings(size=parsed.size, max_resolution=parsed.max_resolution),
        engine=EngineName.PREVIEW,
        context=context_of(parsed),
    )
    with local_job(request) as (spec, engine):
        proposal = propose(spec, engine, parsed.samples)
    _print(proposal, json=parsed.json)
    return Exit.DONE


def option_for(region: Region) -> str:
    """Return the words that give a region to `gvm matte`."""
    text = str(region)
    return f"--roi={text}" if text.startswith("-") else f"--roi {text}"  # else argparse: an option


def _print(proposal: Proposal, *, json: bool) -> None:
    regions = [str(region) for region in proposal.regions]
    if json:
        print(as_json({"roi": regions, "share": proposal.share, "notes": proposal.notes}))
        return
    for note in proposal.notes:
        print(note, file=sys.stderr)  # so that $(gvm roi PLATE) is the option, or nothing
    if regions:
        print(*map(option_for, proposal.regions))
