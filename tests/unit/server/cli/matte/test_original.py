"""The original program's words: every command line of its guide, and what is refused."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from gvm_client.errors import EngineError, ErrorCode, SettingsError
from gvm_client.settings import ModelSettings, Noise, WindowSettings
from gvm_server.cli.main import build_parser, main
from gvm_server.cli.matte.original import clip_name, translate
from gvm_server.cli.matte.request import request_from
from tests.support import guide

BARE = "--data_dir plate.mov --output_dir out"


def words(text):
    """Return what a command line means: our options after the translation."""
    return translate(build_parser().parse_args(["matte", *shlex.split(text)]))


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A working folder without plates and weights, as the guide's paths are relative."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _window(frames, chunk, longest, **changes: int):
    return WindowSettings(
        frames_per_window=frames, decode_chunk=chunk, max_resolution=longest, **changes
    )


COMMANDS = {
    "basic": (guide.BASIC, _window(8, 8, 960), 0, "output"),
    "low memory": (guide.LOW_MEMORY, _window(4, 4, 720, size=512), 0, "output_lowmem"),
    "high quality": (guide.HIGH_QUALITY, _window(16, 16, 1280, overlap=2, steps=3), 0, "output_hq"),
    "fast test": (guide.FAST_TEST, _window(8, 8, 720), 50, "output_test"),
    "sequence only": (guide.SEQUENCE_ONLY, _window(8, 8, 960), 0, "output_images"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_of_the_guide_asks_for_what_it_says(here, name):
    """Plate, output, window and frames arrive in the request; the weights' own UNet is no other."""
    text, window, max_frames, folder = COMMANDS[name]
    meant = words(text)
    request = request_from(meant)
    assert request.plate.path == str(here / "data" / "Sony_Lens_Test.mp4")
    assert request.output.path == str(here / folder / "Sony_Lens_Test")
    assert (request.window, request.max_frames) == (window, max_frames)
    assert request.model == ModelSettings(weights=str(here / "data" / "weights"))
    movies = (f"{folder}/Sony_Lens_Test_matte.mp4", f"{folder}/Sony_Lens_Test_green.mp4")
    assert (meant.movie, meant.comp) == ((None, None) if "only" in name else movies)


@pytest.mark.parametrize(
    ("text", "window", "max_frames"),
    [
        (guide.EVERYDAY, _window(8, 8, 960), 0),
        (guide.PRODUCTION, _window(16, 16, 1280, steps=3), 0),
        (guide.PROTOTYPE, _window(4, 4, 512), 100),
    ],
)
def test_the_recommended_settings_are_ours_too(text, window, max_frames):
    """The fragments of the guide's last section set window, chunk, size, steps and frames."""
    request = request_from(words(f"{BARE} {text}"))
    assert (request.window, request.max_frames) == (window, max_frames)


def test_words_that_are_not_given_leave_our_defaults():
    """The original's defaults (32 frames, overlap 6, type dav) never apply by themselves."""
    request = request_from(words(BARE))
    assert request.window == WindowSettings()
    assert request.model == ModelSettings()


def test_the_original_s_defaults_are_taken_when_given():
    """32 frames with overlap 6, interpolation 16 and chunk 16 are a window of ours."""
    request = request_from(
        words(f"{BARE} --num_frames_per_batch 32 --num_overlap_frames 6 --decode_chunk_size 16")
    )
    assert request.window == _window(32, 16, 1024, overlap=6)


def test_an_overlap_above_half_the_window_is_refused_with_both_numbers(capsys):
    """Reducing it in silence would make another matte than was asked for."""
    code = main(["matte", *shlex.split(f"{BARE} --num_frames_per_batch 8 --num_overlap_frames 6")])
    assert code == 2
    assert "--num_overlap_frames is 6" in (said := capsys.readouterr().err)
    assert "here 4" in said


def test_ours_and_theirs_mix_and_the_last_word_holds():
    """A word of theirs shares the place of ours; PLATE and -o may stand beside their options."""
    request = request_from(
        words("plate.mov -o alphas --frames-per-window 8 --num_frames_per_batch 4 --max_frames 3")
    )
    assert (request.window.frames_per_window, request.max_frames) == (4, 3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-o out", "PLATE nor --data_dir"),
        ("plate.mov", "--out nor --output_dir"),
        ("a.mov --data_dir b.mov -o out", "a.mov and --data_dir means b.mov"),
        ("a.mov -o out --output_dir other", "not both"),
        (f"{BARE} --pretrain_type dav", "neither ships nor imports"),
        (f"{BARE} --pretrain_type sd2", "must be svd"),
        (f"{BARE} --mode depth", "only mattes"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(text, says):
    """No plate, no output, two different ones, or a network that never was: said, exit code 2."""
    with pytest.raises(SettingsError, match=says) as caught:
        words(text)
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert main(["matte", *shlex.split(text)]) == 2


def test_the_same_thing_said_twice_is_no_conflict(here):
    """`--data_dir ./a.mov` and PLATE `a.mov` are one file."""
    assert words("a.mov --data_dir ./a.mov -o out/a --output_dir out").plate == "a.mov"


def test_what_has_no_effect_is_said_in_one_line():
    """Interpolation, the mode, CLIP, another UNet for interpolation, and a seed of no noise."""
    (note,) = words(
        f"{BARE} --mode matte --num_interp_frames 16 --use_clip_img_emb --use_unet_interp --seed 0"
    ).notes
    for option in ("--mode", "--num_interp_frames", "--use_clip_img_emb", "--use_unet_interp"):
        assert option in note
    assert "--seed" in note
    assert words(BARE).notes == []


def test_gaussian_noise_takes_its_seed_along():
    """With noise the seed has an effect: it travels, and nothing is said against it."""
    meant = words(f"{BARE} --noise_type gaussian --seed 7")
    assert meant.notes == []
    assert request_from(meant).model == ModelSettings(noise=Noise.GAUSSIAN, seed=7)


@pytest.mark.parametrize(
    ("unet", "other"),
    [
        ("w/unet", ""),
        ("w", ""),
        ("./w/../w/unet/", ""),
        ("tuned", "tuned"),
        ("whole", "whole/unet"),
    ],
)
def test_unet_base_names_the_weights_own_or_another(here, unet, other):
    """A network's folder, or the folder above it as the original reads it."""
    (here / "w" / "unet").mkdir(parents=True)
    (here / "whole" / "unet").mkdir(parents=True)
    meant = words(f"{BARE} --model_base w --unet_base {unet}")
    assert meant.unet == (str(here / other) if other else "")


def test_an_adapter_travels_and_a_folder_without_one_is_said(here):
    """What lies in the folder decides; half an adapter is an error that names it."""
    folder = here / "lora"
    folder.mkdir()
    meant = words(f"{BARE} --lora_base lora")
    assert (meant.lora, meant.notes) == (
        "",
        [f"{folder} holds no adapter: the UNet is used as it is."],
    )
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(EngineError, match="lora"):
        words(f"{BARE} --lora_base lora")
    (folder / "unet_lora.pt").write_bytes(b"")
    assert request_from(words(f"{BARE} --lora_base lora")).model.lora == str(folder)


def test_deliverables_named_by_our_words_win_over_the_folder_s():
    """`--movie` beside `--output_dir` names the matte movie; the comp keeps the folder's name."""
    meant = words(f"{BARE} --movie preview.mov")
    assert (meant.movie, meant.comp) == ("preview.mov", "out/plate_green.mp4")


@pytest.mark.parametrize(
    ("plate", "name"),
    [
        ("data/Sony_Lens_Test.mp4", "Sony_Lens_Test"),
        ("shot.v02.%04d.exr", "shot.v02"),
        ("shot_####.dpx", "shot"),
        ("shot.@@@@.exr", "shot"),
        ("take.two/%04d.exr", "take.two"),
        ("folder.v01", "folder.v01"),
        ("folder.v01/", "folder.v01"),
        ("still.png", "still"),
        (".", None),
    ],
)
def test_a_clip_is_called_after_its_plate(here, plate, name):
    """Frame fields and endings go, dots of a version stay; a bare field takes its folder's name."""
    (here / "folder.v01").mkdir()
    assert clip_name(plate) == (name or Path.cwd().name)
