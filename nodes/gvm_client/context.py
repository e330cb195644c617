"""What a job means besides its settings, read from the environment of whoever asks."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

from gvm_client.folders import expanded
from gvm_client.ocio_config import read_text, variables_used
from gvm_client.protocol.values import JobContext
from gvm_client.studio import commercial_only

OCIO_VARIABLE = "OCIO"
WEIGHTS_VARIABLE = "GVM_WEIGHTS"
_STATUS = Path("/proc/self/status")
_LOCK = threading.Lock()


def job_context(environment: Mapping[str, str] = os.environ) -> JobContext:
    """Return this process's context; paths become absolute here.

    Raises:
        LocalProtocolError: a variable's value cannot travel, or the colour configuration names
            more variables than a job may have.
        SettingsError: the studio's file cannot be used.
    """
    ocio = environment.get(OCIO_VARIABLE, "")
    weights = environment.get(WEIGHTS_VARIABLE, "")
    if ocio and "://" not in ocio:
        ocio = _absolute(Path(ocio))
    used = variables_used(read_text(ocio), environment)
    return JobContext(
        ocio=ocio,
        ocio_variables=tuple(f"{name}={value}" for name, value in used.items()),
        weights=_absolute(expanded(weights)) if weights else "",
        umask=read_umask(),
        commercial_only=commercial_only(environment),
    )


def read_umask(status: Path = _STATUS) -> int:
    """Return this process's umask, its permission bits only.

    Linux says it (`proc_pid_status(5)`). Elsewhere it can only be read by setting it, for the whole
    process: to the most private one, and at once back.
    """
    try:
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("Umask:"):
                return int(line.split()[1], 8) & 0o777
    except (OSError, ValueError, IndexError):
        pass
    with _LOCK:
        umask = os.umask(0o077)
        os.umask(umask)
    return umask & 0o777


def _absolute(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 (resolve would follow links)
