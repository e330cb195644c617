#!/usr/bin/env bash
# PyAV 18.1.0 (PyPI av==18.1.0, FFmpeg 8.1.2), mp4 and mov with B-frames.
# Expected: `container.seek(time, stream=...)` lands at the last key frame at or before that time. A
#   demuxed key packet's own `dts`, its place in decoding order, finds that key frame, as it does in
#   mp4 without B-frames.
# Seen: in mp4 and mov with B-frames the demuxer compares with presentation times, so a key packet's
#   `dts` finds the key frame before it, a whole group of pictures earlier; its `pts` finds it.
# Why it matters: a reader that counts frames from the key frame it asked for (because a container's
#   times are not to be trusted) numbers every frame wrongly by one group, without any error.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "av==18.1.0" "numpy==2.4.6"
cd "$work"
"$work/venv/bin/python" - <<'PY'
import sys

import av
import numpy as np


def lands(name, b_frames):
    """Seek to each key packet by its dts and by its pts; say how many seeks find that packet."""
    options = {"g": "12", "bf": str(b_frames), "x264-params": "scenecut=0"}
    with av.open(name, "w") as container:
        stream = container.add_stream("libx264", rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(60):
            grey = np.full((48, 64, 3), index * 4, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(name) as container:
        video = container.streams.video[0]
        packets = [packet for packet in container.demux(video) if packet.size]
        keys = [(packet.dts, packet.pts) for packet in packets if packet.is_keyframe]
        found = []
        for which in (0, 1):
            count = 0
            for key in keys[1:]:
                container.seek(key[which], stream=video)
                count += next(container.demux(video)).dts == key[0]
            found.append(count)
    return len(keys) - 1, *found


seen = {}
for name, b_frames in (("plain.mp4", 0), ("waiting.mp4", 2), ("waiting.mov", 2)):
    seen[name] = lands(name, b_frames)
    keys, by_dts, by_pts = seen[name]
    print(f"{name}: {keys} key frames, {by_dts} found by their dts, {by_pts} by their pts")
if seen["plain.mp4"] != (4, 4, 4) or {seen["waiting.mp4"], seen["waiting.mov"]} != {(4, 0, 4)}:
    sys.exit("This has changed.")
print("As described.")
PY
