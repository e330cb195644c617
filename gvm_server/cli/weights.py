"""`gvm weights`: fetch the GVM weights, check them, and say what is there."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bar

from gvm_client.errors import OutputError, SettingsError
from gvm_client.process import Exit
from gvm_server.cli.terminal import as_json, can_ask, confirmed, on_terminal
from gvm_server.matting.engines.gvm import download
from gvm_server.matting.engines.gvm.weights_folder import (
    Manifest,
    Progress,
    agrees,
    engine_revision,
    missing_files,
    read_manifest,
    retimed,
    weights_dir,
    write_manifest,
)
from gvm_server.matting.engines.gvm.weights_folder import verify as find_problems
from gvm_server.settings import ServerSettings


def run(parsed: argparse.Namespace) -> int:
    """Do what the action says."""
    return ACTIONS[parsed.action](parsed)


def pull(parsed: argparse.Namespace) -> int:
    """Download the weights; the terms are shown, and asked about where nothing accepts them."""
    folder = weights_dir(_named(parsed))
    request = download.PullRequest(folder=folder, revision=parsed.revision)
    accept = _accepted if parsed.accept_licence else _ask
    with _bars() as progress:
        manifest = download.pull(request, accept, progress)
    revision = engine_revision(folder)
    if parsed.json:
        fields = {"folder": str(folder), "revision": manifest.revision, "engine": revision}
        print(as_json(fields))
    else:
        print(f"{manifest.repo} at {manifest.revision} is in {folder}.")
    return Exit.DONE


def verify(parsed: argparse.Namespace) -> int:
    """Name everything that is wrong; exit code 4 where something is."""
    folder = weights_dir(_named(parsed))
    with _bars() as progress:
        problems = find_problems(folder, progress)
    manifest = None if problems else read_manifest(folder)
    if manifest is not None and not agrees(manifest, folder):
        _adopt(folder, manifest)
    if parsed.json:
        found = [dataclasses.asdict(problem) for problem in problems]
        print(as_json({"folder": str(folder), "problems": found}))
    for problem in () if parsed.json else problems:
        print(f"{problem.where}: {problem.what}\n    {problem.remedy}")
    if not problems and not parsed.json:
        hashes = "its hashes are those that were pulled" if manifest else "no pull left its hashes"
        print(f"{folder} holds a whole GVM checkpoint; {hashes}.")
    return Exit.SERVER if problems else Exit.DONE


def show(parsed: argparse.Namespace) -> int:
    """Say where the weights are and what they are; exit code 4 where they are not."""
    folder = weights_dir(_named(parsed))
    missing = missing_files(folder)
    manifest = read_manifest(folder)
    revision = "" if missing else engine_revision(folder)
    if parsed.json:
        fields = {
            "folder": str(folder),
            "missing": missing,
            "repo": manifest.repo if manifest else "",
            "revision": manifest.revision if manifest else "",
            "engine": revision,
            "use": manifest.use if manifest else "",
        }
        print(as_json(fields))
    elif missing:
        print(f"No weights in {folder}: it lacks {', '.join(missing)}.")
        print("Run `gvm weights pull`, or name their folder with --weights.")
    else:
        origin = f"{manifest.repo} at {manifest.revision}" if manifest else "no pull recorded them"
        use = f"for {manifest.use} use" if manifest else "terms unknown"
        print(f"{folder}: {origin}; revision {revision}; {use}.")
    return Exit.SERVER if missing else Exit.DONE


def compare(parsed: argparse.Namespace) -> int:
    """Run the stock networks beside ours; exit code 1 where they differ."""
    from gvm_server.cli.weights_compare import run as run_both  # noqa: PLC0415 - torch comes with it

    return run_both(parsed)


ACTIONS: Mapping[str, Callable[[argparse.Namespace], int]] = MappingProxyType(
    {"pull": pull, "verify": verify, "show": show, "compare": compare}
)


def _accepted(terms: str) -> bool:
    print(terms, file=sys.stderr)
    return True


def _ask(terms: str) -> bool:
    """Show the terms and ask at the terminal.

    Raises:
        SettingsError: there is nobody to ask.
    """
    print(terms, file=sys.stderr)
    if not can_ask():
        raise SettingsError(
            "The terms of the weights must be accepted, and no terminal is here to ask at.",
            remedy="Read them above and add --accept-licence.",
        )
    return confirmed("Do you accept these terms?")


def _adopt(folder: Path, manifest: Manifest) -> None:
    """Let the record fit files that were copied: their hashes are right, their times are new."""
    try:
        write_manifest(folder, retimed(manifest, folder))
    except OutputError as error:
        print(f"gvm: the record keeps its old times: {error.message}", file=sys.stderr)


@contextmanager
def _bars() -> Iterator[Progress]:
    """Show bars on standard error from the first count on, so that a question can come before."""
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(file=on_terminal(sys.stderr)),
    )
    tasks: dict[str, TaskID] = {}

    def show_count(what: str, done: int, total: int) -> None:
        if what not in tasks:
            bar.start()
            tasks[what] = bar.add_task(what)
        bar.update(tasks[what], completed=done, total=total)

    try:
        yield show_count
    finally:
        bar.stop()


def _named(parsed: argparse.Namespace) -> Path | None:
    """Return the folder that was named, by the command or by GVM_WEIGHTS."""
    return parsed.weights or ServerSettings.from_environment().weights
