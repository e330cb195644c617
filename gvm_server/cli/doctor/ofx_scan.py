"""Whether an OpenFX plug-in's file loads: a small host loads it in a child process.

Whatever the plug-in does there, it is a sentence here: a file that cannot be loaded, an answer
that hosts do not take, a fault, a process that does not end.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gvm_server.cli.doctor.programs import hear

SECONDS = 30.0  # a file of a slow server included; a description takes milliseconds

_LEAVE = "Until then, `gvm uninstall ofx` keeps hosts that scan it from failing the same way."
_SEND = f"`gvm doctor --support FILE` packs what to send with the question. {_LEAVE}"
_AGAIN = "Install it again with `gvm install ofx`."
_REMEDIES = (  # by what the loader says
    (
        "GLIBC_",
        "This system is older than the one that built it: build it here with `gvm install ofx`.",
    ),
    ("no OpenFX plug-in", _AGAIN),
    ("cannot open shared object file", f"The bundle is not whole. {_AGAIN}"),
    ("", _AGAIN),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scan:
    """What came of loading a plug-in.

    Attributes:
        loads: whether a host can use it.
        says: what happened, for a sentence after the file's name.
        remedy: what to do; "" where it loads.
        identifier: the plug-in's own; "" where it did not get so far.
    """

    loads: bool
    says: str
    remedy: str = ""
    identifier: str = ""


def scan(binary: Path, seconds: float = SECONDS) -> Scan:
    """Return whether a plug-in loads and describes itself.

    Args:
        binary: the `.ofx` file, not its bundle.
        seconds: how long it may take.
    """
    if not binary.is_file():
        return Scan(loads=False, says=f"there is no {binary}", remedy=_AGAIN)
    process = hear(
        [sys.executable, "-m", "gvm_server.cli.doctor.ofx_host", str(binary)], seconds=seconds
    )
    heard = _last(process.out)
    step = heard.get("step", "the start of its process")
    if "says" in heard:
        return _refused(step, str(heard["says"]))
    if process.code is None:
        return Scan(loads=False, says=f"it hangs in {step}, for {seconds:g} s", remedy=_SEND)
    if process.code != 0 or step != "done":
        died = f"the process that loads it ends with {process.ending()} in {step}"
        complaint = process.err.strip().splitlines()[-1:]
        return Scan(loads=False, says=": ".join([died, *complaint]), remedy=_SEND)
    major, minor = heard["version"]
    contexts = [name.removeprefix("OfxImageEffectContext") for name in heard["contexts"]]
    return Scan(
        loads=True,
        says=f"loads, and describes itself as {heard['identifier']} {major}.{minor} for"
        f" {' and '.join(contexts)}",
        identifier=heard["identifier"],
    )


def _refused(step: str, why: str) -> Scan:
    remedy = next(remedy for sign, remedy in _REMEDIES if sign in why)
    return Scan(loads=False, says=f"it fails in {step}: {why}", remedy=remedy)


def _last(said: str) -> dict[str, Any]:
    """Return the last whole line that the child said."""
    for line in reversed(said.splitlines()):
        with suppress(ValueError):
            message = json.loads(line)
            if isinstance(message, dict):
                return message
    return {}
