"""The one table of bounds: each is checked before anything is allocated, and said with the value.

The OpenFX plug-in has them by `plugin_host/make_tables.py`, which writes a C++ header.
"""

from __future__ import annotations

MAX_MESSAGE_BYTES = 1 << 20
MAX_TEXT = 8192  # bytes of any text; PATH_MAX is 4096, a range of frames may be longer
MAX_REQUEST = 64  # bytes of a request's name
MAX_FIELDS = 64  # of any map
MAX_FRAMES_IN_MESSAGE = 1024  # frames named one by one; a window has at most 256
MAX_CUTS = 10_000
MAX_JOBS = 256  # in a status
MAX_VARIABLES = 64  # of a colour configuration, in a job
MAX_CONFIG_BYTES = 64 << 20  # of a colour configuration; ACES 1.2, the largest in use, has 1 MiB
MAX_BUFFER_SIDE = 65_536  # pixels of a mapped image
SHOWN_COLUMNS, SHOWN_ROWS = 32, 18  # cells of a picture that a host shows
SHOWN_SAMPLES = 16  # of a cell, each way: averages of pixels
SHOWN_EQUAL = 1e-5  # times their value, cells differ by the order of sums alone
MAX_SHOWN_ASPECT = 100.0  # of it, either way
MAX_CONNECTION_BYTES = 64 * 1024
MAX_LOG_BYTES = 1 << 20  # a longer log is put aside when a server is started
MAX_FRAMES = 1_000_000  # of a range, and of a clip: eleven hours at 24 frames per second
MAX_PADDING = 18  # digits of a frame's number
MAX_CANVAS_PIXELS = 1 << 28  # 16384 x 16384: 3 GiB of float colours, for each frame in hand
MAX_PARTS = 1024  # of an image file
MAX_LUT_BYTES = 1 << 30  # of one lookup table, unpacked
MAX_NETWORK_LEVELS = 16  # of a checkpoint's networks; the released ones have 4
MAX_NETWORK_WIDTH = 16_384  # channels, context or heads; the released ones have at most 1280
MAX_NETWORK_DEPTH = 64  # layers of a level, or of its transformers; the released ones have 2
MAX_CHECKPOINT_CONFIG_BYTES = 1 << 20

MAX_FRAMES_PER_WINDOW = 256  # the protocol's bound; memory ends far below it
MAX_STEPS = 50
MAX_SIDE = 8192  # working pixels; a longer side than an 8K plate is a typing error
MAX_STOPS = 8.0  # of exposure, up and down
MAX_REGIONS = 1024  # of a job: one a shot
MAX_REGION_SCALE = 4.0  # times the whole frame's working scale: sixteen times the work
MAX_RADIUS = 256.0  # plate pixels of grow and blur
