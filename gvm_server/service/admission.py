"""What a job must meet before it runs: its context's demands, and output files of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import EngineError, ErrorCode, OutputError, SettingsError
from gvm_client.platform import ignores_case
from gvm_client.protocol.messages import FileOutput, JobContext, Matte
from gvm_client.settings import ModelSettings
from gvm_client.studio import COMMERCIAL_ONLY, commercial_only
from gvm_server.matting.engines.base import EngineInfo
from gvm_server.media.colour.ocio import Configuration, load_config
from gvm_server.media.file_access import Roots, probe_folder
from gvm_server.media.outputs.alpha_files import AlphaFiles

NOT_COMPILED = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineRuntime:
    """How an engine runs here; what `accepted` tells and a job may demand.

    Attributes:
        device: `cpu`, `cuda` or `mps`.
        precision: the type that its network computes in.
        compilation: a `torch.compile` backend, or `none`.
    """

    device: str
    precision: str
    compilation: str

    @classmethod
    def of(cls, engine: EngineInfo) -> EngineRuntime:
        """Return how an engine runs, by its maker; one that says nothing is plain arithmetic.

        Raises:
            EngineError: its device is not there.
        """
        said = dict(engine.maker())
        return cls(
            device=said.get("device", "cpu").partition(",")[0].partition(":")[0],
            precision=said.get(engine.precision_of, "float32"),
            compilation=said.get("compiled by", "") or NOT_COMPILED,
        )


def check_demands(context: JobContext, engine: EngineInfo) -> None:
    """Refuse a job whose demands this server does not meet.

    Raises:
        SettingsError: the device, the precision or the compilation is another; with both values.
    """
    demanded = {
        name: getattr(context, name)
        for name in ("device", "precision", "compilation")
        if getattr(context, name)
    }
    if not demanded:
        return
    running = EngineRuntime.of(engine)
    for name, wanted in demanded.items():
        if wanted != getattr(running, name):
            raise SettingsError(
                f"The job demands the {name} {wanted}; this server runs the {engine.name} engine"
                f" with {getattr(running, name)}.",
                remedy="End it with `gvm stop` and start one with `gvm serve` and the option for"
                " it, or drop the demand.",
            )


def check_licence(context: JobContext, engine: EngineInfo, model: ModelSettings) -> None:
    """Refuse weights without commercial terms where whoever asks, or this server's studio, does.

    Raises:
        EngineError: the engine's weights have none.
        SettingsError: the studio's file here cannot be used.
    """
    if engine.licence.is_commercial or not (context.commercial_only or commercial_only()):
        return
    weights = model.weights or context.weights
    raise EngineError(
        f"The weights of the {engine.name} engine have no commercial terms (their licence:"
        f" {engine.licence.name}), and this studio refuses such weights.",
        remedy="Use --engine preview, or weights with commercial terms: who has an agreement with"
        ' their authors writes "use": "commercial" into gvm-weights.json beside them. The demand is'
        f" {COMMERCIAL_ONLY} in the studio's node_defaults.json, or an option.",
        code=ErrorCode.ENGINE_UNAVAILABLE,
        path=weights,
    )


def check_configuration(context: JobContext, roots: Roots) -> Configuration:
    """Return the job's colour configuration, proved to be what the job asks for.

    Raises:
        GvmError: it cannot be loaded, lies outside what this server may read or on a disk that
            does not answer, or has another content than the job pins.
    """
    if context.ocio and "://" not in context.ocio:
        roots.check_read(Path(context.ocio))
        probe_folder(Path(context.ocio).parent)  # others wait for whoever loads one
    configuration = load_config(context.ocio, context.variables)
    digest = configuration.digest.hex()
    if context.ocio_digest and context.ocio_digest != digest:
        raise SettingsError(
            f"The colour configuration {context.ocio or 'that is built in'} has the content"
            f" {digest} here; the job was made for {context.ocio_digest}.",
            remedy="Give this machine the show's configuration ($OCIO), or write the job anew.",
            path=context.ocio,
        )
    return configuration


def weights_folder(context: JobContext, roots: Roots, own: Path | None) -> Path | None:
    """Return the weights that the asker's environment names; None is the user's own folder.

    Raises:
        GvmError: code PATH_REFUSED; they lie outside what this server may read, and its own owner
            did not name them.
    """
    if not context.weights:
        return None
    folder = Path(context.weights)
    if folder != own:
        roots.check_read(folder)
    return folder


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputReservation:
    """What a job writes.

    Attributes:
        request: what was asked for.
        files: the names of its alphas.
        frames: the frames that it makes.
        folder: theirs, without links. It may not be there yet: the job makes it.
        inode: its device and number there, for other ways to it; None where it is not there.
        ignores_case: whether a file is found there by its name in other letters too.
    """

    request: Matte
    files: AlphaFiles
    frames: tuple[int, ...]
    folder: Path
    inode: tuple[int, int] | None
    ignores_case: bool

    @classmethod
    def of(cls, request: Matte, files: AlphaFiles, frames: tuple[int, ...]) -> OutputReservation:
        """Return what a job writes; its disk is asked here, and nowhere else."""
        return cls(
            request=request,
            files=files,
            frames=frames,
            folder=files.folder.resolve(),
            inode=_inode(files.folder),
            ignores_case=ignores_case(files.folder),
        )


def refuse_conflict(reservation: OutputReservation, live: Iterable[OutputReservation]) -> None:
    """Refuse a job whose files another job is writing, with other settings or another plate.

    No disk is asked: all jobs wait meanwhile.

    Other frames of the same mattes are no rivals: a farm's tasks, a playhead beside its range. Nor
    are other names in the same folder: two clips of one shot.

    Raises:
        OutputError: code OUTPUT_IN_USE; such a job lives.
    """
    for other in live:
        if _mattes(other.request) == _mattes(reservation.request):
            continue
        name = _common_name(reservation, other)
        if name:
            raise OutputError(
                f"Job {other.request.job} is writing mattes with other settings, or of another"
                f" plate, to {reservation.files.folder / name}.",
                remedy="Wait for its end, cancel it, or choose another version or folder.",
                code=ErrorCode.OUTPUT_IN_USE,
                path=str(reservation.files.folder),
            )


def _common_name(one: OutputReservation, other: OutputReservation) -> str:
    """Return a file name that both write into one folder, whatever path leads to it; or ""."""
    spelled = str.casefold if one.ignores_case else str
    known = one.inode is not None and one.inode == other.inode
    if not known and spelled(str(one.folder)) != spelled(str(other.folder)):
        return ""
    names = {spelled(path.name) for path in one.files.paths(one.frames)}
    theirs = (path.name for path in other.files.paths(other.frames))
    return next((name for name in theirs if spelled(name) in names), "")


def _inode(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _mattes(request: Matte) -> tuple[object, ...]:
    """Return what a request's mattes depend on: all but which frames, how soon, and for whom."""
    assert isinstance(request.output, FileOutput)  # noqa: S101 - only files are claimed
    context, output = request.context, request.output
    return (
        *(request.plate, request.window, request.knobs, request.model, request.engine),
        *(context.ocio, context.ocio_variables, context.weights, output.depth, output.content),
    )
