"""Pulling weights from a Hub on the loopback: whole, once, and nothing before the terms."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from gvm_client.errors import EngineError, ErrorCode, OutputError, SettingsError
from gvm_server.matting.engines.gvm.checkpoint import STEM
from gvm_server.matting.engines.gvm.download import DOWNLOADING, PARTS, PullRequest, pull
from gvm_server.matting.engines.gvm.weights_folder import (
    Manifest,
    engine_revision,
    find_weights,
    read_manifest,
    verify,
)
from tests.fakes.hub import LICENCE, REPO, FakeHub
from tests.tools.make_tiny_checkpoint import Recipe, make_checkpoint

UNET = f"unet/{STEM}.safetensors"
VAE = f"vae/{STEM}.safetensors"
CUT = 11_000_000  # bytes: the library hands on 10 MiB at a time, and the UNet has a little more


@pytest.fixture
def hub(tiny: Path) -> Iterator[FakeHub]:
    """A Hub whose main branch has the tiny checkpoint, and more than the loader reads."""
    with FakeHub() as hub:
        extra = {"README.md": b"# GVM", f"unet/{STEM}.fp16.safetensors": b"half"}
        hub.push(tiny, more=extra)
        yield hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the weights go; not there yet."""
    return tmp_path / "weights"


def _pull(hub: FakeHub, folder: Path, revision: str = "main") -> Manifest:
    request = PullRequest(folder=folder, revision=revision, endpoint=hub.endpoint)
    return pull(request, lambda _: True)


def _resumed_at(hub: FakeHub) -> int:
    """Return the byte that the one request for the UNet's rest began with."""
    (span,) = {asked.range for asked in hub.asked if asked.range}
    return int(span.removeprefix("bytes=").removesuffix("-"))


def test_a_pull_brings_the_checkpoint_and_its_record(hub: FakeHub, folder: Path, tiny: Path):
    """All that the loader reads comes, byte for byte, with commit, terms and hashes beside it."""
    shown: list[str] = []
    counts: list[tuple[str, int, int]] = []
    request = PullRequest(folder=folder, endpoint=hub.endpoint)
    manifest = pull(
        request, lambda text: not shown.append(text), lambda *count: counts.append(count)
    )
    assert read_manifest(folder) == manifest
    assert manifest.revision == hub.branches["main"]
    assert manifest.repo == REPO
    assert manifest.licence == shown[0]
    for said in ("academic", "chhshen@gmail.com", "Stable Video Diffusion", LICENCE):
        assert said in shown[0]
    files = {path.relative_to(tiny).as_posix(): path.read_bytes() for path in tiny.glob("*/*")}
    assert set(manifest.files) == set(files)
    for name, content in files.items():
        assert (folder / name).read_bytes() == content
        assert manifest.files[name].sha256 == hashlib.sha256(content).hexdigest()
    assert not (folder / PARTS).exists()
    assert find_weights(folder) == folder
    assert verify(folder) == []
    done = [count for count in counts if count[0] == DOWNLOADING]
    assert [count[1] for count in done] == sorted(count[1] for count in done)
    assert done[-1][1] == done[-1][2] == sum(map(len, files.values()))


def test_files_of_the_same_content_all_come(hub: FakeHub, folder: Path, tiny: Path):
    """Two files with one hash are two files; an adapter's files count."""
    names = ("unet/pytorch_lora_weights.pt", "unet/unet_lora.pt")
    hub.push(tiny, more=dict.fromkeys(names, b"the same"))
    assert set(names) < set(_pull(hub, folder).files)
    assert [(folder / name).read_bytes() for name in names] == [b"the same"] * 2


def test_what_stands_is_not_asked_for_again(hub: FakeHub, folder: Path):
    """A second pull asks for the state only; a lost file alone is fetched."""
    _pull(hub, folder)
    hub.asked.clear()
    _pull(hub, folder)
    assert hub.fetched() == []
    (folder / VAE).unlink()
    (folder / "gvm-weights.json").unlink()
    _pull(hub, folder)
    assert hub.fetched() == [VAE]


def test_a_cut_line_is_taken_up_where_it_broke(hub: FakeHub, folder: Path):
    """Within one pull the rest is asked for by its first byte."""
    hub.faults.cut_after = [CUT]
    _pull(hub, folder)
    assert 0 < _resumed_at(hub) <= CUT
    assert verify(folder) == []


def test_an_interrupted_pull_goes_on_in_the_next(hub: FakeHub, folder: Path):
    """When the Hub stays away, what came is kept, nothing is in place, and the next one resumes."""
    hub.faults.cut_after = [CUT]
    hub.faults.down_after_cuts = True
    with pytest.raises(EngineError) as caught:
        _pull(hub, folder)
    assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE
    assert find_weights(folder) is None
    assert read_manifest(folder) is None
    hub.faults.down_after_cuts = False
    hub.asked.clear()
    _pull(hub, folder)
    assert 0 < _resumed_at(hub) <= CUT
    assert "unet/config.json" not in hub.fetched()  # it had come whole
    assert verify(folder) == []


def test_a_revision_is_pinned_to_its_commit(hub: FakeHub, folder: Path, tmp_path: Path, tiny: Path):
    """A tag or a commit brings the files of that commit, though the branch moved on."""
    old = hub.branches["main"]
    new = hub.push(make_checkpoint(tmp_path / "new", Recipe(seed=1)))
    hub.branches["v1"] = old
    assert _pull(hub, folder, "v1").revision == old
    assert (folder / UNET).read_bytes() == (tiny / UNET).read_bytes()
    first = engine_revision(folder)
    assert _pull(hub, folder).revision == new
    assert (folder / UNET).read_bytes() == (tmp_path / "new" / UNET).read_bytes()
    assert engine_revision(folder) != first
    assert _pull(hub, folder, old).revision == old
    assert engine_revision(folder) == first


def test_old_weights_stay_whole_until_all_new_ones_have_come(
    hub: FakeHub, folder: Path, tmp_path: Path
):
    """An update whose last file fails leaves the old checkpoint, its record and its revision."""
    _pull(hub, folder)
    before = engine_revision(folder)
    hub.push(make_checkpoint(tmp_path / "new", Recipe(seed=1)))
    hub.faults.damaged.add(VAE)
    with pytest.raises(EngineError, match="damaged"):
        _pull(hub, folder)
    assert engine_revision(folder) == before
    assert verify(folder) == []


def test_shards_take_the_place_of_a_single_file(hub: FakeHub, folder: Path, tmp_path: Path):
    """What only the last release had goes, for the loader would prefer it."""
    _pull(hub, folder)
    hub.push(make_checkpoint(tmp_path / "sharded", Recipe(shards=2)))
    _pull(hub, folder)
    assert not (folder / UNET).exists()
    assert verify(folder) == []
    assert not engine_revision(folder).startswith("local")


def test_a_file_that_was_damaged_on_disk_is_fetched_again(hub: FakeHub, folder: Path):
    """Same size and same time do not save it: the hash is compared."""
    _pull(hub, folder)
    path = folder / VAE
    times = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    (problem,) = verify(folder)
    assert problem.where == str(path)
    hub.asked.clear()
    _pull(hub, folder)
    assert hub.fetched() == [VAE]
    assert verify(folder) == []


def test_bytes_that_were_not_promised_are_refused(hub: FakeHub, folder: Path):
    """A damaged arrival is named, thrown away, and comes anew the next time."""
    hub.faults.damaged.add("unet/config.json")
    with pytest.raises(EngineError, match=r"unet/config\.json arrived damaged"):
        _pull(hub, folder)
    assert find_weights(folder) is None
    hub.faults.damaged.clear()
    _pull(hub, folder)
    assert verify(folder) == []


def test_refused_terms_mean_no_byte(hub: FakeHub, folder: Path):
    """Nothing is fetched and no folder is made."""
    request = PullRequest(folder=folder, endpoint=hub.endpoint)
    with pytest.raises(SettingsError, match="not accepted") as caught:
        pull(request, lambda _: False)
    assert "--accept-licence" in caught.value.remedy
    assert hub.fetched() == []
    assert not folder.exists()


def test_an_unknown_revision_is_said_to_be_one(hub: FakeHub, folder: Path):
    """A wrong name or commit is a usage error that names it, before the terms are shown."""
    for revision in ("v9", "f" * 40, "a b/c"):
        with pytest.raises(SettingsError, match="no revision") as caught:
            _pull(hub, folder, revision)
        assert repr(revision) in caught.value.message


def test_too_little_space_is_said_before_the_first_byte(hub: FakeHub, folder: Path):
    """The error has both numbers."""
    claimed = 1 << 60
    hub.faults.claimed_sizes[UNET] = claimed
    with pytest.raises(OutputError, match="free in") as caught:
        _pull(hub, folder)
    assert caught.value.code is ErrorCode.DISK_FULL
    needed, free = (int(word[1:]) for word in caught.value.message.split() if word[0] == "(")
    assert needed > claimed > free > 0
    assert hub.fetched() == []


def test_without_network_the_way_by_hand_is_told(folder: Path):
    """Every file is named, and where it goes, and how to check it."""
    with FakeHub() as gone:
        pass
    with pytest.raises(EngineError) as caught:
        _pull(gone, folder)
    error = caught.value
    assert error.code is ErrorCode.ENGINE_UNAVAILABLE
    assert gone.endpoint in error.message
    for said in (
        *("unet/config.json", UNET, "vae/config.json", VAE, "scheduler/scheduler_config.json"),
        str(folder),
        f"gvm weights verify --weights {folder}",
    ):
        assert said in error.remedy


def test_a_login_page_is_no_hub(hub: FakeHub, folder: Path):
    """A captive portal that answers everything with HTML is told as what it is."""
    hub.faults.portal = True
    with pytest.raises(EngineError, match="does not answer as a Hub does"):
        _pull(hub, folder)


def test_a_mirror_without_sizes_is_asked_file_by_file(hub: FakeHub, folder: Path):
    """Where the state has names only, sizes and hashes come from each file's headers."""
    hub.faults.bare = True
    _pull(hub, folder)
    assert sum(asked.method == "HEAD" for asked in hub.asked) == 5
    assert verify(folder) == []


def test_a_repository_without_weights_is_refused(hub: FakeHub, folder: Path, tiny: Path):
    """What it lacks is named."""
    commit = hub.push(tiny, branch="empty")
    del hub.commits[commit][VAE]
    with pytest.raises(EngineError, match=r"lacks vae/\*\.safetensors"):
        _pull(hub, folder, "empty")


def test_two_pulls_do_not_write_into_one_folder(hub: FakeHub, folder: Path):
    """The second is told to wait."""
    (folder / PARTS).mkdir(parents=True)
    with (
        FileLock(folder / PARTS / "lock"),
        pytest.raises(EngineError, match="Another pull writes"),
    ):
        _pull(hub, folder)
    _pull(hub, folder)
    assert verify(folder) == []


def test_a_folder_that_cannot_be_written_is_said_to_be_one(hub: FakeHub, tmp_path: Path):
    """The disk's refusal is not taken for the network's."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError) as caught:
        _pull(hub, tmp_path / "file" / "weights")
    assert caught.value.code is ErrorCode.OUTPUT_UNWRITABLE
