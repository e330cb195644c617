"""Two jobs never write different mattes into the same files at the same time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.protocol.messages import FileOutput, Matte
from gvm_server.media.outputs.files import AlphaFiles


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What a job writes.

    Attributes:
        request: what was asked for.
        files: the names of its alphas.
        frames: the frames that it makes.
    """

    request: Matte
    files: AlphaFiles
    frames: tuple[int, ...]


def refuse_rival(claim: Claim, live: Iterable[Claim]) -> None:
    """Refuse a job whose files another job is writing, with other settings or another plate.

    Other frames of the same mattes are no rivals: a farm's tasks, a playhead beside its range. Nor
    are other names in the same folder: two clips of one shot.

    Raises:
        OutputError: code OUTPUT_IN_USE; such a job lives.
    """
    for other in live:
        if _mattes(other.request) == _mattes(claim.request):
            continue
        name = _common_name(claim, other)
        if name:
            raise OutputError(
                f"Job {other.request.job} is writing mattes with other settings, or of another"
                f" plate, to {claim.files.folder / name}.",
                remedy="Wait for its end, cancel it, or choose another version or folder.",
                code=ErrorCode.OUTPUT_IN_USE,
                path=str(claim.files.folder),
            )


def _common_name(one: Claim, other: Claim) -> str:
    """Return a file name that both write into one folder, whatever path leads to it; or ""."""
    if one.files.folder.resolve() != other.files.folder.resolve():
        return ""
    names = {one.files.path(frame).name for frame in one.frames}
    theirs = (other.files.path(frame).name for frame in other.frames)
    return next((name for name in theirs if name in names), "")


def _mattes(request: Matte) -> tuple[object, ...]:
    """Return what a request's mattes depend on: all but which frames, how soon, and for whom."""
    assert isinstance(request.output, FileOutput)  # noqa: S101 - only files are claimed
    context = request.context
    return (
        *(request.plate, request.window, request.knobs, request.model, request.engine),
        *(context.ocio, context.ocio_variables, context.weights, request.output.depth),
    )
