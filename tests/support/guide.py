"""The command lines that stand in the original guide, word by word, without `python demo.py`."""

from __future__ import annotations

_MODEL = (
    "--model_base 'data/weights/' --unet_base data/weights/unet --lora_base data/weights/unet"
    " --mode 'matte'"
)
_PLATE = "--pretrain_type 'svd' --data_dir 'data/Sony_Lens_Test.mp4'"

BASIC = (
    f"{_MODEL} --num_frames_per_batch 8 --num_interp_frames 1 --num_overlap_frames 1"
    " --denoise_steps 1 --decode_chunk_size 8 --max_resolution 960"
    f" {_PLATE} --output_dir 'output'"
)
LOW_MEMORY = (
    f"{_MODEL} --num_frames_per_batch 4 --num_interp_frames 1 --num_overlap_frames 1"
    " --denoise_steps 1 --decode_chunk_size 4 --max_resolution 720 --size 512"
    f" {_PLATE} --output_dir 'output_lowmem'"
)
HIGH_QUALITY = (
    f"{_MODEL} --num_frames_per_batch 16 --num_interp_frames 2 --num_overlap_frames 2"
    " --denoise_steps 3 --decode_chunk_size 16 --max_resolution 1280"
    f" {_PLATE} --output_dir 'output_hq'"
)
FAST_TEST = (
    f"{_MODEL} --num_frames_per_batch 8 --max_frames 50 --denoise_steps 1 --decode_chunk_size 8"
    f" --max_resolution 720 {_PLATE} --output_dir 'output_test'"
)
SEQUENCE_ONLY = (
    f"{_MODEL} --num_frames_per_batch 8 --denoise_steps 1 --decode_chunk_size 8"
    " --max_resolution 960 --pretrain_type 'svd' --output_image_seq_only"
    " --data_dir 'data/Sony_Lens_Test.mp4' --output_dir 'output_images'"
)

# Section 10 recommends settings without the rest of the command line.
EVERYDAY = (
    "--num_frames_per_batch 8 --decode_chunk_size 8 --max_resolution 960 --denoise_steps 1"
    " --num_interp_frames 1"
)
PRODUCTION = (
    "--num_frames_per_batch 16 --decode_chunk_size 16 --max_resolution 1280 --denoise_steps 3"
    " --num_interp_frames 2"
)
PROTOTYPE = (
    "--num_frames_per_batch 4 --decode_chunk_size 4 --max_resolution 512 --denoise_steps 1"
    " --max_frames 100"
)
