"""`gvm doctor`: look at everything that a matte needs, and say how to mend what is wrong."""

from __future__ import annotations

import argparse
import importlib
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from gvm_client.client import Client
from gvm_client.context import job_context
from gvm_client.errors import GvmError, InputError, ServerNotRunning, SettingsError
from gvm_client.folders import runtime_dir
from gvm_client.launcher import SERVER_VARIABLE, server_command
from gvm_client.server_config import server_file
from gvm_server.cli.doctor import hosts, support
from gvm_server.cli.doctor.finding import Finding, Health, Look, look_at, show
from gvm_server.cli.install.bundle import (
    BUNDLE_NAME,
    hosts_server,
    installed_bundles,
    is_found_by_hosts,
)
from gvm_server.cli.running_server import other_cache, running_status
from gvm_server.cli.terminal import size_in_words
from gvm_server.matting.engines.gvm.weights_folder import engine_revision, find_weights, weights_dir
from gvm_server.settings import ServerSettings

LOW_SPACE = 2 << 30  # bytes: a few thousand 1080p alphas and their windows
PACKAGES = (
    *("OpenImageIO", "PyOpenColorIO", "av", "cv2", "PIL", "numpy", "onnxruntime", "zmq"),
    "msgpack",
)


def run(parsed: argparse.Namespace) -> int:
    """Look at everything, or at what an option names; exit code 4 where something is bad.

    Raises:
        SettingsError: `--plan` is not a size.
        OutputError: the file of `--support` cannot be written.
    """
    if parsed.plan:
        from gvm_server.cli import memory_plan  # noqa: PLC0415 (torch comes with it)

        return memory_plan.run(parsed)
    if parsed.support is not None:
        return support.run(parsed)
    looks = hosts.LOOKS if parsed.hosts else LOOKS
    return show(look_at(looks), as_lines=not parsed.json)


def _python() -> Iterator[Finding]:
    yield Finding(
        name="Python",
        health=Health.GOOD,
        says=f"{platform.python_version()} in {sys.prefix}, gvm-bridge"
        f" {metadata.version('gvm-bridge')}",
    )


def _packages() -> Iterator[Finding]:
    broken = [name for name in PACKAGES if not _can_import(name)]
    yield Finding(
        name="packages",
        health=Health.BAD if broken else Health.GOOD,
        says="cannot be imported: " + ", ".join(broken) if broken else ", ".join(PACKAGES),
        remedy='Install them: pip install "gvm-bridge[server]"' if broken else "",
    )


def _can_import(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _torch() -> Iterator[Finding]:
    try:
        import torch  # noqa: PLC0415 (it takes seconds)
    except ImportError as error:
        yield Finding(
            name="torch",
            health=Health.BAD,
            says=f"cannot be imported: {error}",
            remedy="Install it: pip install torch",
        )
        return
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        yield Finding(
            name="torch",
            health=Health.GOOD,
            says=f"{torch.__version__} on {torch.cuda.get_device_name()},"
            f" {size_in_words(free)} of {size_in_words(total)} free",
        )
    else:
        yield Finding(
            name="torch",
            health=Health.NOTE,
            says=f"{torch.__version__} on the CPU; no CUDA device",
            remedy="The preview engine works so; for GVM a CUDA GPU and its driver are wanted.",
        )


def _weights() -> Iterator[Finding]:
    named = ServerSettings.from_environment().weights
    weights = find_weights(named)
    if weights is None:
        try:
            where = f"not in {weights_dir(named)}"
        except SettingsError as error:
            where = error.message.rstrip(".")
        yield Finding(
            name="GVM weights",
            health=Health.NOTE,
            says=f"{where}; --engine auto takes the preview engine",
            remedy="Get them with `gvm weights pull` (read the licence it shows).",
        )
    else:
        yield Finding(
            name="GVM weights",
            health=Health.GOOD,
            says=f"{weights}, revision {engine_revision(weights)}",
        )


def _openimageio() -> Iterator[Finding]:
    try:
        oiio = importlib.import_module("OpenImageIO")
    except ImportError:
        return  # `packages` said so
    yield Finding(name="OpenImageIO", health=Health.GOOD, says=str(oiio.__version__))


def _colour() -> Iterator[Finding]:
    try:
        from gvm_server.media.colour.ocio import load_config  # noqa: PLC0415 (it needs the packages)
    except ImportError:
        return  # `packages` said so
    try:
        context = job_context()
        config = load_config(context.ocio, context.variables)
    except InputError as error:
        yield Finding(name="colour", health=Health.BAD, says=error.message, remedy=error.remedy)
        return
    yield Finding(name="colour", health=Health.GOOD, says=config.name)


def _cache() -> Iterator[Finding]:
    settings = ServerSettings.from_environment()
    folder, limit = settings.cache_dir, settings.cache_limit_bytes
    if (status := running_status()) is not None:
        if says := other_cache(status, folder):
            yield Finding(name="cache", health=Health.NOTE, says=says)
        folder, limit = Path(status.cache_path), status.cache_limit_bytes
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / ".gvm-doctor"
        probe.write_bytes(b"")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Finding(
            name="cache",
            health=Health.NOTE,
            says=f"{folder} cannot be written ({error.strerror}); nothing is kept between jobs",
            remedy="Set GVM_CACHE_DIR to a folder of your own on a fast disk.",
        )
        return
    low = free < LOW_SPACE
    yield Finding(
        name="cache",
        health=Health.NOTE if low else Health.GOOD,
        says=f"{folder}, {size_in_words(free)} free, limit {size_in_words(limit)}",
        remedy="Free some space or set GVM_CACHE_DIR to another disk." if low else "",
    )


def _runtime() -> Iterator[Finding]:
    try:
        folder: Path = runtime_dir()
    except GvmError as error:
        yield Finding(
            name="run-time folder", health=Health.BAD, says=error.message, remedy=error.remedy
        )
        return
    yield Finding(name="run-time folder", health=Health.GOOD, says=f"{folder}, private to you")


def _server() -> Iterator[Finding]:
    try:
        with Client() as client:
            status = client.status()
    except ServerNotRunning:
        yield _server_to_start()
    except GvmError as error:
        yield Finding(name="server", health=Health.BAD, says=error.message, remedy=error.remedy)
    else:
        yield Finding(
            name="server",
            health=Health.GOOD,
            says=f"process {status.pid} answers, version {status.version},"
            f" log {client.connection.log}",
        )


def _server_to_start() -> Finding:
    try:
        command = server_command()
    except GvmError as error:
        return Finding(name="server", health=Health.BAD, says=error.message, remedy=error.remedy)
    says = f"none runs; the first job starts one with `{' '.join(command)}`"
    if shutil.which(command[0]) is not None:
        return Finding(name="server", health=Health.GOOD, says=says)
    return Finding(
        name="server",
        health=Health.BAD,
        says=f"{says}, and there is no {command[0]} that can be run",
        remedy=f"Correct {SERVER_VARIABLE} or {server_file()}.",
    )


def _openfx() -> Iterator[Finding]:
    bundles = list(installed_bundles())
    if not bundles:
        yield Finding(
            name="OpenFX plug-in",
            health=Health.NOTE,
            says=f"no {BUNDLE_NAME} where hosts look; only OpenFX hosts need it",
            remedy="Build and install it with `gvm install ofx`.",
        )
        return
    try:
        server = hosts_server()
    except GvmError as error:
        yield Finding(
            name="OpenFX plug-in", health=Health.BAD, says=error.message, remedy=error.remedy
        )
        return
    for bundle in bundles:
        found = is_found_by_hosts(bundle)
        yield Finding(
            name="OpenFX plug-in",
            health=Health.GOOD if found and server else Health.NOTE,
            says=f"{bundle.path}, version {bundle.version}, needs glibc {bundle.glibc};"
            f" starts a server with `{server or 'nothing'}`",
            remedy=""
            if found and server
            else f"Set OFX_PLUGIN_PATH={bundle.path.parent}, and run `gvm install ofx` once, which"
            " names the server.",
        )


LOOKS: tuple[Look, ...] = (
    _python,
    _packages,
    _torch,
    _weights,
    _openimageio,
    _colour,
    _cache,
    _runtime,
    _server,
    _openfx,
)
