"""The one builder of a matte's request: for the command line, farms and every host's node.

A value that is new in a request is put in here, and reaches all of them.
"""

from __future__ import annotations

from gvm_client.context import job_context
from gvm_client.declaration import values_in
from gvm_client.guides import Guides
from gvm_client.protocol.messages import EngineName, FileOutput, FilePlate, JobContext, Matte
from gvm_client.regions import parse_regions
from gvm_client.settings import (
    DEFAULT_PRESET,
    WINDOW_OPTIONS,
    Finish,
    MatteKnobs,
    ModelSettings,
    PlanKind,
    window_settings,
)

UNNAMED = "0" * 32
"""The name of a request that has not got its job's yet."""


def matte_request(  # noqa: PLR0913 (a request has so many sides)
    options: object,
    plate: FilePlate,
    output: FileOutput,
    *,
    model: ModelSettings,
    guides: Guides,
    preset: str = DEFAULT_PRESET,
    context: JobContext | None = None,
) -> Matte:
    """Return a request for a whole clip that has no name yet; `dataclasses.replace` adds the rest.

    Args:
        options: has an attribute for each of `WINDOW_OPTIONS` (None is the preset's value), for
            each declared setting of the finish, `engine`, an engine's name, and, where it is to be
            another than the preset's, `plan`, a plan kind's name; `roi`, the regions' texts, and
            `roi_scale`.
        plate: where the plate is, and how it is read.
        output: where the mattes go.
        model: the weights, and what to do when memory is short.
        guides: mattes that force the alpha.
        preset: of the window's settings.
        context: colour, weights and umask; None is this process's own.

    Raises:
        SettingsError: a value is out of its range, or there is no such preset.
        LocalProtocolError: a text or a list is longer than the protocol allows.
    """
    plan = getattr(options, "plan", None)
    window = window_settings(
        preset,
        plan=PlanKind(plan) if plan else None,
        **{name: getattr(options, name) for name in WINDOW_OPTIONS},
    )
    return Matte(
        job=UNNAMED,
        plate=plate,
        output=output,
        window=window,
        knobs=MatteKnobs(**values_in(options, Finish)),
        model=model,
        engine=EngineName(getattr(options, "engine")),  # noqa: B009 (any object that has one)
        context=job_context() if context is None else context,
        guides=guides,
        regions=parse_regions(getattr(options, "roi", "")),
        roi_scale=getattr(options, "roi_scale", 1.0),
    )
