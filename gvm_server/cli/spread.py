"""`gvm measure-spread`: how far an engine blurs its alphas, from a clip that it mattes."""

from __future__ import annotations

import argparse

from gvm_client.errors import SettingsError
from gvm_client.process import Exit
from gvm_client.protocol.messages import EngineName, MappedOutput, Matte
from gvm_client.settings import ModelSettings, window_settings
from gvm_server.cli.local_job import local_job
from gvm_server.cli.matte.request import absolute, context_of, file_plate
from gvm_server.cli.terminal import as_json
from gvm_server.matting.spread import Measured, measure, sampled


def run(parsed: argparse.Namespace) -> int:
    """Matte some windows in this process, and print what each spread leaves unexplained.

    Raises:
        GvmError: the plate, the settings or the engine is wrong.
    """
    with local_job(_request(parsed)) as (spec, engine):
        measured = measure(spec, engine, sampled(spec, parsed.windows))
    _print(measured, spec.engine.name, spec.engine.spread, json=parsed.json)
    return Exit.DONE


def _request(parsed: argparse.Namespace) -> Matte:
    if parsed.windows < 1:
        raise SettingsError(f"--windows is {parsed.windows}; it must be 1 or more.")
    window = window_settings(size=parsed.size, max_resolution=parsed.max_resolution)
    return Matte(
        job="0" * 32,
        plate=file_plate(parsed),
        output=MappedOutput(),
        window=window,
        model=ModelSettings(
            weights=absolute(parsed.weights) if parsed.weights else "",
            lora=absolute(parsed.lora) if parsed.lora else "",
        ),
        engine=EngineName(parsed.engine),
        context=context_of(parsed),
    )


def _print(measured: Measured, engine: str, known: float, *, json: bool) -> None:
    if json:
        print(
            as_json(
                {
                    "engine": engine,
                    "spread": measured.spread,
                    "in_use": known,
                    "unexplained": {str(key): value for key, value in measured.unexplained.items()},
                    "grain": measured.grain,
                    "clean": measured.is_clean,
                }
            )
        )
        return
    print("spread  unexplained")
    for spread, left in measured.unexplained.items():
        print(f"{spread:6.2f}  {left:11.4f}" + ("  least" if spread == measured.spread else ""))
    print(f"The {engine} engine blurs by {measured.spread:g} working pixels; {known:g} is in use.")
    if not measured.is_clean:
        print(
            f"The plate's grain, {measured.grain:.1%} of the display's range, makes that read too"
            f" small: take a clean clip."
        )
