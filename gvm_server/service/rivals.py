"""Two jobs never write different mattes into the same files at the same time."""

from __future__ import annotations

import os
from collections.abc import Iterable

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.protocol.messages import FileOutput, Matte


def refuse_rival(request: Matte, live: Iterable[Matte]) -> None:
    """Refuse a request whose files another job is writing, with other settings or another plate.

    Other frames of the same mattes are no rivals: a farm's tasks, a playhead beside its range.

    Raises:
        OutputError: code OUTPUT_UNWRITABLE; such a job lives.
    """
    if not isinstance(request.output, FileOutput):
        return
    place = os.path.normpath(request.output.path)
    for other in live:
        if not isinstance(other.output, FileOutput):
            continue
        if os.path.normpath(other.output.path) == place and _mattes(other) != _mattes(request):
            raise OutputError(
                f"Job {other.job} is writing mattes with other settings to {place}.",
                remedy="Wait for its end, cancel it, or choose another version or folder.",
                code=ErrorCode.OUTPUT_UNWRITABLE,
                path=place,
            )


def _mattes(request: Matte) -> tuple[object, ...]:
    """Return what a request's mattes depend on: all but which frames, how soon, and for whom."""
    assert isinstance(request.output, FileOutput)  # noqa: S101 - others have been passed over
    depth = request.output.depth
    return (request.plate, request.window, request.knobs, request.model, request.engine, depth)
