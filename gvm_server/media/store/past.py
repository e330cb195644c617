"""What finished jobs took, kept in the memo: for a shot's report, and to foretell the next job.

Only this machine's last job of each output, and of each engine at each working size, is known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from gvm_server.media.store.file_keys import hash_texts
from gvm_server.media.store.memo import Memo

_JOB, _SPEED = "job", "speed"
MODEL_STAGES = ("encode", "denoise", "decode")  # on the device's thread, one after the other


@dataclass(frozen=True, kw_only=True, slots=True)
class PastJob:
    """What one finished job took.

    Attributes:
        ended: when it was done, seconds since 1970.
        output: the pattern or file of its alphas; "" where they went to a host.
        revision: the engine's code and weights.
        working_width: of the model's frame, pixels.
        working_height: of the model's frame, pixels.
        frames: how many alphas it wrote.
        windows: how many windows the model ran.
        seconds: from the question to the end, waiting included.
        stages: seconds in which each stage was busy, by its name.
        memory_bytes: the server's resident memory at its end.
        device: the kind of device that the engine ran on.
    """

    ended: float
    output: str
    revision: str
    working_width: int
    working_height: int
    frames: int
    windows: int
    seconds: float
    stages: Mapping[str, float]
    memory_bytes: int
    device: str

    def seconds_for(self, frames: int, windows: int) -> float | None:
        """Foretell how long so many frames, and the windows that they need, take.

        The model's stages follow each other; reading, refining and writing run beside them.

        Returns:
            None where this job says nothing about it.
        """
        if (windows and not self.windows) or (frames and not self.frames):
            return None
        model = sum(self.stages.get(name, 0.0) for name in MODEL_STAGES)
        beside = [seconds for name, seconds in self.stages.items() if name not in MODEL_STAGES]
        return max(
            model * windows / max(self.windows, 1),
            max(beside, default=0.0) * frames / max(self.frames, 1),
        )


def remember(memo: Memo, job: PastJob) -> None:
    """Keep what a job took."""
    fact = json.dumps(asdict(job)).encode()
    if job.output:
        memo.keep(_JOB, hash_texts(job.output), fact)
    if job.windows:
        memo.keep(_SPEED, _speed_key(job.revision, job.working_width, job.working_height), fact)


def last_job_of(memo: Memo, output: str) -> PastJob | None:
    """Return the last job whose alphas went to this pattern or file."""
    return _read(memo.recall(_JOB, hash_texts(output)))


def last_job_with(memo: Memo, revision: str, width: int, height: int) -> PastJob | None:
    """Return the last job of an engine at a working size, if the model ran in it."""
    return _read(memo.recall(_SPEED, _speed_key(revision, width, height)))


def _speed_key(revision: str, width: int, height: int) -> bytes:
    return hash_texts(revision, width, height)


def _read(fact: bytes | None) -> PastJob | None:
    """Return a job as it was kept; None where another version kept it otherwise."""
    if fact is None:
        return None
    kept = json.loads(fact)
    names = {field.name for field in fields(PastJob)}
    return PastJob(**kept) if kept.keys() == names else None
