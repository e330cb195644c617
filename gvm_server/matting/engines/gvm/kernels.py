"""Where `torch.compile` keeps what it made, so that the next server does not make it again.

What lies there is loaded as code. So the folder is this user's alone, and what others could have
written to is refused: the kernels of this process then lie in a folder that goes with it, never in
the one that PyTorch would take, whose name in /tmp anybody may know. Another torch, triton or card
has a folder of its own.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from gvm_client import platform
from gvm_server.matting.engines.maker import processor, version

log = logging.getLogger(__name__)

VARIABLE = "TORCHINDUCTOR_CACHE_DIR"  # PyTorch reads it when it first compiles
_kept: list[Path] = []  # the folder that this process keeps kernels in, until it proved bad
# Before anything compiles, for PyTorch itself sets it then.
_named_by_user = VARIABLE in os.environ


def keep_kernels(root: Path, device: torch.device, aloud: Callable[[str], None]) -> Path | None:
    """Have kernels kept in a private folder below a root, for this torch, triton and device.

    Args:
        root: is made where it is not there.
        device: that kernels are made for.
        aloud: is told where they are not kept, and why.

    Returns:
        the folder; None where the user's environment names another.
    """
    if _named_by_user:
        return None
    folder = root / _key(device)
    why = _refused(root) or _refused(folder)
    if why:
        aloud(f"Compiled kernels are not kept: {why}.")
        folder = Path(tempfile.mkdtemp(prefix="gvm-kernels-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    else:
        _kept[:] = [folder]
    os.environ[VARIABLE] = str(folder)
    log.info("Compiled kernels are kept in %s.", folder)
    return folder


def drop_kernels() -> bool:
    """Delete the kept kernels, so that they are made anew; return whether any were kept.

    A server that was killed may leave half a file, and PyTorch does not ask whether one is whole.
    Once only: what fails again has another cause.
    """
    if not _kept:
        return False
    folder = _kept.pop()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    return True


def _refused(folder: Path) -> str:
    """Make a folder where it is not there; return why none is taken, "" where it is private."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        platform.make_private_folder(folder)
        why, _remedy = platform.exposure(folder, folder.lstat())
    except OSError as error:
        why = f"cannot be made ({error.strerror})"
    return f"{folder} {why}" if why else ""


def _key(device: torch.device) -> str:
    card = processor() if device.type == "cpu" else device.type
    if device.type == "cuda":
        card = f"{torch.cuda.get_device_name(device)} {torch.cuda.get_device_capability(device)}"
    parts = (torch.__version__, str(torch.version.cuda), version("triton"), card)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
