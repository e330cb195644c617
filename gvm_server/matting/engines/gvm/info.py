"""What is known of the GVM engine without loading it: no weights are read.

The revision, which is part of every key, comes from the hashes that `gvm weights pull` recorded
beside the weights; for a folder without a record from the files' bytes, which are read once. The
maker is the device, the types and the paths that the options come to; torch is imported only where
a GPU has to be asked for its name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from gvm_client.errors import EngineError, ErrorCode
from gvm_client.settings import ModelSettings, Noise, WindowSettings
from gvm_server.matting.engines.backoff import decode_halo
from gvm_server.matting.engines.base import (
    ACADEMIC,
    COMMERCIAL,
    UNKNOWN,
    Engine,
    EngineInfo,
    Licence,
)
from gvm_server.matting.engines.gvm.checkpoint import weight_files
from gvm_server.matting.engines.gvm.config import INDUCTOR, PAD_MULTIPLE, GvmOptions, resolve
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.contents import content_of
from gvm_server.matting.engines.gvm.lora import CONFIG, FILES
from gvm_server.matting.engines.gvm.weights_folder import (
    COMMERCIAL_USE,
    CONTACT,
    engine_revision,
    find_weights,
    read_manifest,
    weights_dir,
)
from gvm_server.matting.engines.machine import EXACT, Machine, Precision, Step, resolved_device
from gvm_server.matting.engines.maker import Maker, host_maker, torch_maker, version
from gvm_server.matting.working_size import WorkingSize

# Not measured, for its weights were not at hand: what is best where nothing is known of a blur.
SPREAD = 0.35  # working pixels
DRAFT_NOTE = (
    "This is a draft: GVM computes in bfloat16 on the CPU, which moves soft edges. For the final"
    " matte start the server with --precision float32."
)
CODE_REVISION = 3  # goes up whenever the same weights and settings give other pixels
# The options that say what was asked; the others say how it is made, which is the maker's.
ASKED = ("noise", "seed", "unet", "lora")


def describe(model: ModelSettings, machine: Machine) -> EngineInfo:
    """Return what is known of the engine for a request and a machine.

    Raises:
        EngineError: the weights are not here.
    """
    named = Path(model.weights) if model.weights else machine.weights
    weights = find_weights(named)
    if weights is None:
        folder = weights_dir(named)
        raise EngineError(
            f"The GVM weights are not in {folder}.",
            remedy="Get them with `gvm weights pull`, name their folder with --weights, or use"
            " --engine preview.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
            path=str(folder),
        )
    options = GvmOptions.of(model, machine.options)
    return info(weights, replace(options, kernels=str(machine.kernels or "")))


def info(folder: Path, options: GvmOptions, *, taken: str = "") -> EngineInfo:
    """Describe the engine that these weights and options make.

    Args:
        folder: holds `unet/`, `vae/` and `scheduler/`.
        options: how it will be loaded.
        taken: the names of those GPU steps that hold; none before a job's sizes are known.

    Raises:
        EngineError: the folder holds no weights.
    """
    licence = _licence(folder)
    notes = [] if licence.is_commercial else [says_of(licence)]
    if options.noise is Noise.GAUSSIAN:
        notes.append("Gaussian noise is not what the released model was trained for.")
    loaded = replace(options, gpu_steps=taken)
    draft = _is_draft(options)
    if draft:
        notes.append(DRAFT_NOTE)
    return EngineInfo(
        name="gvm",
        revision=f"gvm{CODE_REVISION}-{'draft-' * draft}{_fingerprint(folder, options)}",
        maker=cache(partial(gvm_maker, folder, loaded)),
        preview=False,
        spread=SPREAD,
        pad_multiple=PAD_MULTIPLE,
        licence=licence,
        load=partial(_load, folder, loaded),
        notes=tuple(notes),
        precision_of="unet",
        fit=partial(_fit, folder, options),
        for_job=partial(_for_job, folder, options) if options.gpu_steps else None,
        sees_parts=True,
        draft=draft,
    )


def says_of(licence: Licence) -> str:
    """Return what an artist should know of terms without commercial use."""
    if licence == ACADEMIC:
        return f"GVM's weights are for academic use; commercial use needs an agreement: {CONTACT}."
    return "No record beside GVM's weights says their terms; the released ones are academic."


def _licence(folder: Path) -> Licence:
    """Return the terms that the record beside the weights says.

    Raises:
        EngineError: the record cannot be read.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return UNKNOWN
    return COMMERCIAL if manifest.use == COMMERCIAL_USE else ACADEMIC


def _is_draft(options: GvmOptions) -> bool:
    """Say whether these options come to bfloat16 on the CPU; the device is asked only then."""
    types = (options.precision, options.vae_precision)
    return Precision.BFLOAT16 in types and resolved_device(options.device) == "cpu"


def _load(folder: Path, options: GvmOptions, say: Callable[[str], None]) -> Engine:
    from gvm_server.matting.engines.gvm.engine import GvmEngine  # noqa: PLC0415 - this is the heavy part

    return GvmEngine.load(folder, options, say)


def _fit(
    folder: Path, options: GvmOptions, window: WindowSettings, working: WorkingSize
) -> tuple[WindowSettings, str]:
    from gvm_server.matting.engines.gvm.fit import fit_window  # noqa: PLC0415 - torch comes with it

    return fit_window(window, working, folder, options)


def _for_job(
    folder: Path, options: GvmOptions, window: WindowSettings, sizes: Sequence[WorkingSize]
) -> EngineInfo:
    """Describe the engine as a job runs it, with those of its steps that hold at its sizes.

    Raises:
        EngineError: the checkpoint's configs cannot be read, or the device is not there.
    """
    if not resolved_device(options.device).startswith("cuda"):
        return info(folder, options)
    from gvm_server.matting.engines.gvm.placement import place  # noqa: PLC0415 - torch comes with it
    from gvm_server.matting.engines.gvm.steps import JobShape, in_effect  # noqa: PLC0415

    config = read_config(folder, Path(options.unet) if options.unet else None)
    frames = window.frames_per_window
    decoded = min(frames, window.chunk + 2 * decode_halo(window))
    padded = dict.fromkeys((size.padded_height, size.padded_width) for size in sizes)
    shapes = [
        JobShape(height=height, width=width, frames=frames, decoded=decoded)
        for height, width in padded
    ]
    steps, said = in_effect(place(options, config.vae), config, shapes)
    known = info(folder, options, taken=",".join(step.value for step in steps))
    return replace(known, notes=(*known.notes, *said))


def _fingerprint(folder: Path, options: GvmOptions) -> str:
    asked = {name: getattr(options, name) for name in ASKED}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    for part in (engine_revision(folder).encode(), *_extras(options)):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:16]


def _extras(options: GvmOptions) -> Iterator[bytes]:
    if options.unet:
        yield from _network(Path(options.unet))
    if options.lora:
        path = Path(options.lora)
        lora = path.parent if path.is_file() else path
        yield from _contents([lora / name for name in (CONFIG, *FILES)])


def _network(folder: Path) -> Iterator[bytes]:
    yield from _contents([folder / "config.json", *weight_files(folder)])


def _contents(paths: list[Path]) -> Iterator[bytes]:
    """Yield the name and the content of the files that exist."""
    for path in paths:
        if path.is_file():
            yield f"{path.name}:{content_of(path)}".encode()


def gvm_maker(folder: Path, options: GvmOptions) -> Maker:
    """Return the maker of the engine that these weights and options make.

    Raises:
        EngineError: the checkpoint's configs cannot be read, or the device is not there.
    """
    unet_folder = Path(options.unet) if options.unet else None
    vae = read_config(folder, unet_folder).vae
    device = resolved_device(options.device)
    resolved = resolve(device.partition(":")[0], options, vae)
    return (
        *host_maker(),
        *torch_maker(device),
        ("unet", resolved.unet.value),
        ("vae", resolved.vae.value),
        ("channels last", str(resolved.channels_last)),
        ("compiled by", options.compile_backend),
        *_compiled(options.compile_backend),
        *(("step", step.value) for step in resolved.steps if step not in EXACT),
        *_norms_made_by(resolved.steps),
    )


def _compiled(backend: str) -> Iterator[tuple[str, str]]:
    if backend:
        yield "compiled", "blocks"
    if backend == INDUCTOR:  # the version of torch, which says whether it can, is another word
        yield "kernels chosen", "without timing, where torch can"


def _norms_made_by(steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
    """Yield whose kernels the step `group-norm` takes here, where it is taken."""
    if Step.GROUP_NORM in steps:
        from gvm_server.matting.engines.gvm.group_norm import made_by  # noqa: PLC0415 - torch

        yield "group norm", f"{made_by()} {version('triton')}".strip()
