#!/usr/bin/env bash
# OpenImageIO 3.2.2.0 (PyPI OpenImageIO==3.2.2.0): a PNG whose cICP chunk says Rec.2020 or P3 primaries with the
# curve of BT.709 or BT.2020 gets the colour space of a PNG that says nothing.
#
# Expected: of primaries 9 (BT.2020) with curve 1, 14 or 13, and of primaries 12 (P3, D65) with curve 1 (ITU-T
#           H.273), `oiio:ColorSpace` names a space with those primaries, as it does for 9 with 16 (PQ), 9
#           with 8 (linear) and 12 with 13 (sRGB); or it is not set.
# Seen:     it is `srgb_rec709_scene`, as without the chunk. The `CICP` attribute itself is right.
# Matters:  Rec.2020 is what SDR stills of UHD deliveries are written in; who goes by the name alone reads
#           them with too little saturation, and is told nothing. Go by `CICP` first.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "OpenImageIO==3.2.2.0" "numpy==2.4.6"
"$work/venv/bin/python" - "$work/a.png" <<'PY'
import struct
import sys
import zlib

import OpenImageIO as oiio

path = sys.argv[1]


def chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def named(cicp: tuple[int, ...]) -> tuple[str, object]:
    """Return what OpenImageIO calls the space of a PNG of two pixels by two, and its code points."""
    rows = b"".join(b"\0" + bytes([90, 40, 20] * 2) for _ in range(2))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)))
        if cicp:
            file.write(chunk(b"cICP", bytes(cicp)))
        file.write(chunk(b"IDAT", zlib.compress(rows)))
        file.write(chunk(b"IEND", b""))
    image = oiio.ImageInput.open(path)
    spec = image.spec()
    image.close()
    return spec.getattribute("oiio:ColorSpace"), spec.getattribute("CICP")


nothing, _ = named(())
print(f"no cICP: {nothing}")
seen = True
for primaries, curve, surprises in (
    (9, 1, True), (9, 14, True), (9, 13, True), (12, 1, True),
    (9, 16, False), (9, 8, False), (12, 13, False),
):
    space, codes = named((primaries, curve, 0, 1))
    print(f"primaries {primaries:2}, curve {curve:2}: {space}, CICP {codes}")
    seen = seen and (space == nothing) == surprises and tuple(codes)[:2] == (primaries, curve)
sys.exit(not seen)
PY
