"""What is asked of the Hugging Face Hub, or of a mirror of it: a commit, its files, their bytes.

`huggingface_hub` is imported on first use; it alone reads HF_ENDPOINT, HF_HUB_OFFLINE and HF_TOKEN.
Bytes are appended to what an earlier attempt left: the library's own downloads start a file over
when the program was ended, and the largest of these files has 6 GB. Its errors become ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedRandom, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gvm_client.errors import EngineError, ErrorCode, GvmError, SettingsError
from gvm_server.errors import first_line
from gvm_server.matting.engines.gvm.checkpoint import STEM
from gvm_server.matting.engines.gvm.weights_folder import is_weights_file, weights_dir
from gvm_server.media.atomic_files import write_failure

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

REPO = "geyongtao/gvm"

_TIMEOUT_SECONDS = 30.0
_RELEASED = (
    "unet/config.json",
    f"unet/{STEM}.safetensors",
    "vae/config.json",
    f"vae/{STEM}.safetensors",
    "scheduler/scheduler_config.json",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteFile:
    """A file of the repository; `etag` is its SHA-256, or git's hash of a small file."""

    name: str
    size: int
    etag: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """What a revision stands for.

    Attributes:
        repo: the repository's name.
        commit: the full hash.
        declared: the licence that the repository declares, or "".
        files: those that the loader would read.
    """

    repo: str
    commit: str
    declared: str
    files: tuple[RemoteFile, ...]


class Hub:
    """One Hub: the mirror at `endpoint`, else what HF_ENDPOINT says, else huggingface.co.

    Args:
        folder: where the weights are to lie; remedies name it.
        endpoint: the address of a mirror, or None.
    """

    def __init__(self, folder: Path, endpoint: str | None = None) -> None:
        import huggingface_hub  # noqa: PLC0415 - only a pull needs it
        from huggingface_hub import errors  # noqa: PLC0415
        from huggingface_hub.utils.tqdm import disable_progress_bars  # noqa: PLC0415

        disable_progress_bars()  # ours is shown
        self._folder = folder
        self._library = huggingface_hub
        self._errors = errors
        self._api = huggingface_hub.HfApi(endpoint=endpoint)
        # The root of the HTTP library's errors; which library that is, differs by version.
        root = cast("type[Exception]", errors.HfHubHTTPError.__mro__[1])
        self._transport: tuple[type[Exception], ...] = (root, OSError)

    def release(self, repo: str, revision: str) -> Release:
        """Find out which commit a branch, tag or commit is, and which files it has.

        Raises:
            SettingsError: there is no such revision.
            EngineError: the Hub cannot be asked, or does not show this repository.
        """
        with self._translated(repo, revision):
            try:
                return self._release(repo, revision)
            except (ValueError, KeyError, TypeError) as error:  # a login page, a broken mirror
                says = f"does not answer as a Hub does ({type(error).__name__})"
                raise self._unreachable(says) from error

    def fetch(self, file: RemoteFile, part: Path, arrived: Callable[[int], None]) -> None:
        """Bring a file's bytes into `part`, going on where it ends.

        Args:
            file: what is wanted.
            part: holds the first bytes of the same file, or does not exist.
            arrived: is told how many bytes the part has.

        Raises:
            EngineError: the Hub stopped sending; the part is kept.
            OutputError: the part cannot be written.
        """
        with self._translated(file.name, part=part):
            part.touch()
            while True:
                before = part.stat().st_size
                try:
                    return self._append(file, part, arrived)
                except self._transport:
                    if part.stat().st_size <= before:  # nothing came: asking on is in vain
                        raise

    def _release(self, repo: str, revision: str) -> Release:
        found = self._api.model_info(
            repo, revision=revision, files_metadata=True, timeout=_TIMEOUT_SECONDS
        )
        if not found.sha:
            raise self._unreachable("does not say which commit it has")
        files = []
        for sibling in found.siblings or ():
            if is_weights_file(sibling.rfilename):
                etag = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
                files.append(self._file(repo, found.sha, sibling.rfilename, sibling.size, etag))
        declared = found.card_data.get("license") if found.card_data else None
        return Release(
            repo=repo, commit=found.sha, declared=str(declared or ""), files=tuple(files)
        )

    def _file(
        self, repo: str, commit: str, name: str, size: int | None, etag: str | None
    ) -> RemoteFile:
        url = self._library.hf_hub_url(repo, name, revision=commit, endpoint=self._api.endpoint)
        if size is None or etag is None:  # a mirror may list the names only
            head = self._library.get_hf_file_metadata(url)
            size, etag = head.size, head.etag
        if size is None or not etag:
            raise self._unreachable(f"does not say the size and hash of {name}")
        return RemoteFile(name=name, size=size, etag=etag, url=url)

    def _append(self, file: RemoteFile, part: Path, arrived: Callable[[int], None]) -> None:
        from huggingface_hub.file_download import http_get  # noqa: PLC0415
        from huggingface_hub.utils._headers import build_hf_headers  # noqa: PLC0415

        with _Part(FileIO(part, "r+b")) as out:
            out.arrived = arrived
            start = out.seek(0, os.SEEK_END)
            if start > file.size:
                start = out.seek(0)
                out.truncate()
            arrived(start)
            headers = build_hf_headers()
            http_get(file.url, out, resume_size=start, headers=headers, expected_size=file.size)
            out.flush()
            os.fsync(out.fileno())

    @contextmanager
    def _translated(
        self, what: str, revision: str = "", part: Path | None = None
    ) -> Iterator[None]:
        errors = self._errors
        try:
            yield
        except GvmError:
            raise
        except errors.RevisionNotFoundError as error:
            raise SettingsError(
                f"{what} has no revision {revision!r}.",
                remedy="Name a branch, a tag or a full commit of it, or leave --revision out.",
            ) from error
        except errors.RepositoryNotFoundError as error:
            raise EngineError(
                f"{self._api.endpoint} does not show {what} to you.",
                remedy="Check HF_ENDPOINT; where a login is asked for, run `hf auth login`.",
                code=ErrorCode.ENGINE_UNAVAILABLE,
            ) from error
        except errors.OfflineModeIsEnabled as error:
            raise self._unreachable("is not asked, because HF_HUB_OFFLINE is set") from error
        except self._transport as error:
            if part is not None and isinstance(error, OSError) and _is_local(error):
                raise write_failure(part, error) from error
            said = first_line(error)
            raise self._unreachable(f"cannot be reached, or stopped sending ({said})") from error

    def _unreachable(self, says: str) -> EngineError:
        named = "" if self._folder == weights_dir(None) else f" --weights {self._folder}"
        return EngineError(
            f"{self._api.endpoint} {says}.",
            remedy="What has come is kept: ask again later. Or copy these files of"
            f" https://huggingface.co/{REPO} into {self._folder}: {', '.join(_RELEASED)};"
            f" then run `gvm weights verify{named}`.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
            path=str(self._folder),
        )


def _is_local(error: OSError) -> bool:
    """Return whether a disk refused; the network's errors carry no number, or are connections'."""
    return error.errno is not None and not isinstance(error, ConnectionError)


class _Part(BufferedRandom):
    """A file that tells how many bytes it has after each write."""

    arrived: Callable[[int], None]

    def write(self, buffer: ReadableBuffer, /) -> int:
        count = super().write(buffer)
        self.arrived(self.tell())
        return count
