"""Colour by name: which space a plate is in, and the way from it to display-referred sRGB.

Laws:
1. Names are ours or the OCIO configuration's; `$OCIO` names that, else the built-in ACES one.
2. `auto` is resolved once, when a plate is opened, and a note says what was chosen and why.
3. Nothing is clipped before the display curve; what comes out lies in 0..1.

Our names: `scene_linear` is linear Rec.709 primaries, or with `$OCIO` that configuration's
role; `acescg` is linear AP1; `srgb`, `rec709` and `raw` are taken as they are. Rec.709 video is
not changed because it is display-referred already, as the model's training frames were, and
because the original program feeds video as it is decoded. `cineon` is Kodak's log curve.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.curves import linear_from_cineon, srgb_from_linear
from gvm_server.media.plate import Pixels

AS_DISPLAYED = ("srgb", "rec709", "raw")
CINEON = "cineon"
OUR_NAMES = ("auto", "scene_linear", "acescg", *AS_DISPLAYED, CINEON)

_OVERRIDE = "Name another with --input-colorspace if that is wrong."

# One space has other names in other configurations; the first that is there is taken.
_SRGB = ("srgb_rec709_scene", "srgb_tx", "Utility - sRGB - Texture", "sRGB")
_LINEAR_REC709 = ("lin_rec709_scene", "lin_rec709", "Utility - Linear - sRGB")
_ACESCG = ("lin_ap1_scene", "ACEScg", "ACES - ACEScg")
_ACES2065 = ("lin_ap0_scene", "ACES2065-1", "ACES - ACES2065-1")

# CIE x, y of red, green, blue and white, as an EXR's `chromaticities` has them.
_PRIMARIES: Mapping[tuple[float, ...], tuple[str, ...]] = MappingProxyType(
    {
        (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290): _LINEAR_REC709,
        (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767): _ACESCG,
        (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767): _ACES2065,
    }
)
_LOG_TRANSFERS = ("printing density", "logarithmic")
_VIDEO_TRANSFERS = ("itu-r 709", "smpte 274", "itu-r 601")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileHint:
    """What a file says about its colours.

    Attributes:
        kind: OpenImageIO's name of the format, or `movie`, or `pixels` from a host.
        is_float: whether pixels are half or float.
        bits: bits of an integer channel as stored.
        colourspace: the name in its metadata.
        chromaticities: CIE x, y of red, green, blue and white.
        is_aces: whether it calls itself an ACES container.
        transfer: a DPX header's transfer characteristic.
    """

    kind: str
    is_float: bool
    bits: int = 8
    colourspace: str = ""
    chromaticities: tuple[float, ...] = ()
    is_aces: bool = False
    transfer: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ColourChoice:
    """The space that a plate is read in, and what to tell the artist ("" where nothing is)."""

    name: str
    note: str = ""


def resolve_colourspace(name: str, hint: FileHint) -> ColourChoice:
    """Return the colour space that a name means for this file; `auto` looks at the file.

    Raises:
        InputError: COLOURSPACE_UNKNOWN, with the names that come close.
    """
    if name != "auto":
        return ColourChoice(name=_canonical(name))
    chosen, why = _guess(hint)
    return ColourChoice(name=chosen, note=f"The plate is read as {chosen}: {why}. {_OVERRIDE}")


def to_display(pixels: Pixels, colourspace: str) -> Pixels:
    """Return display-referred sRGB 0..1, [H, W, 3], for pixels in a resolved colour space.

    Raises:
        InputError: COLOURSPACE_UNKNOWN, or the configuration cannot convert it.
    """
    return _converter(colourspace)(pixels)


def _guess(hint: FileHint) -> tuple[str, str]:
    """Return a colour space and the reason for it."""
    if hint.kind in {"dpx", "cineon"}:
        return _guess_film(hint)
    if hint.kind == "movie":
        return "rec709", "movies are taken as displayed"
    if not hint.is_float:
        return "srgb", "its pixels are integers"
    return _guess_float(hint)


def _guess_float(hint: FileHint) -> tuple[str, str]:
    if hint.is_aces:
        return _canonical(_there(_ACES2065) or "ACES2065-1"), "it is an ACES container"
    if hint.colourspace and (named := _there((hint.colourspace,))):
        return named, "its metadata says so"
    if hint.chromaticities:
        for primaries, names in _PRIMARIES.items():
            if np.allclose(hint.chromaticities, primaries, atol=1e-3) and (named := _there(names)):
                return named, "its chromaticities say so"
        return _scene_linear(), "its pixels are float; its chromaticities are not known here"
    return _scene_linear(), "its pixels are float"


def _guess_film(hint: FileHint) -> tuple[str, str]:
    transfer = hint.transfer.lower()
    if transfer.startswith(_VIDEO_TRANSFERS):
        return "rec709", f"its header says {hint.transfer}"
    if transfer == "linear":
        return _scene_linear(), "its header says linear"
    if transfer.startswith(_LOG_TRANSFERS) or hint.kind == "cineon":
        return CINEON, "its header says film density"
    if hint.bits == 10:
        return CINEON, "its header names no curve, and 10-bit DPX files are mostly film log"
    return "srgb", "its header names no curve"


def _canonical(name: str) -> str:
    """Return one name for a space, so that its aliases share keys."""
    if name in AS_DISPLAYED or name == CINEON:
        return name
    if name == "scene_linear":
        return _scene_linear()
    found = _there(_ACESCG) if name == "acescg" else _there((name,))
    if found is None:
        raise _unknown(name)
    return found


def _scene_linear() -> str:
    # Without $OCIO the role would be ACEScg; files without metadata are linear Rec.709.
    name = "scene_linear" if os.environ.get("OCIO") else _LINEAR_REC709[0]
    found = _there((name,))
    if found is None:
        raise _unknown("scene_linear")
    return found


def _there(names: tuple[str, ...]) -> str | None:
    """Return the configuration's own name for the first of these that it has."""
    config = _config()
    for name in names:
        own = config.resolve(name)
        if own in config.getColorSpaceNames():
            return str(own)
    return None


@lru_cache(maxsize=1)
def _config() -> oiio.ColorConfig:
    return oiio.ColorConfig()


@lru_cache(maxsize=64)
def _converter(name: str) -> Callable[[Pixels], Pixels]:
    if name in AS_DISPLAYED or name == _there(("data",)):
        return _clip
    if name == CINEON:
        return lambda pixels: srgb_from_linear(linear_from_cineon(pixels))
    space, target, linear = _canonical(name), _there(_SRGB), _there(_LINEAR_REC709)
    if target is None:
        raise InputError(
            f"The OCIO configuration {_config().configname()} has no sRGB colour space to show"
            f" {name} in.",
            remedy="Give its sRGB space the alias srgb_tx, or unset OCIO.",
            code=ErrorCode.COLOURSPACE_UNKNOWN,
        )
    if space == target:
        return _clip
    if space == linear:
        return srgb_from_linear
    if linear is not None and _config().isColorSpaceLinear(space):
        # Between linear spaces OCIO is a matrix; ours does the same in a third of the time.
        matrix = _convert(np.eye(3, dtype=np.float32)[np.newaxis], space, linear)[0].T.copy()
        return lambda pixels: srgb_from_linear(_apply(matrix, pixels))
    return lambda pixels: _clip(_convert(pixels, space, target))


def _apply(matrix: NDArray[np.float32], pixels: Pixels) -> Pixels:
    # In one piece, or the last pixels of a row would be rounded in another way.
    whole = np.ascontiguousarray(pixels)
    return np.asarray(cv2.transform(whole, matrix), dtype=np.float32)


def _convert(pixels: Pixels, space: str, target: str) -> Pixels:
    source = oiio.ImageBuf(np.ascontiguousarray(pixels))
    converted = oiio.ImageBufAlgo.colorconvert(source, space, target, unpremult=False)
    result = converted.get_pixels(oiio.FLOAT)
    if converted.has_error or result is None:
        raise InputError(
            f"{space} cannot be converted to {target}: {converted.geterror().strip()}",
            remedy="Check the OCIO configuration, or name another colour space.",
            code=ErrorCode.COLOURSPACE_UNKNOWN,
        )
    return np.asarray(result, dtype=np.float32)


def _clip(pixels: Pixels) -> Pixels:
    return np.clip(pixels, np.float32(0.0), np.float32(1.0))


def _unknown(name: str) -> InputError:
    config = _config()
    spaces = config.getColorSpaceNames()
    known = {alias: space for space in spaces for alias in (space, *config.getAliases(space))}
    by_lower = {one.lower(): known.get(one, one) for one in (*known, *OUR_NAMES)}
    close = get_close_matches(name.lower(), by_lower, n=5, cutoff=0.5)
    shown = list(dict.fromkeys(by_lower[one] for one in close)) or list(OUR_NAMES)
    return InputError(
        f"The OCIO configuration {config.configname()} has no colour space {name!r}.",
        remedy=f"Name one such as {', '.join(shown)}.",
        code=ErrorCode.COLOURSPACE_UNKNOWN,
    )


def configuration_digest(source: str) -> str:
    """Return a hash of a configuration's content, hexadecimal.

    Args:
        source: a path, or an `ocio://` name; "" is the built-in one. Those are told by their names
            and OpenImageIO's version.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        built_in = not source or "://" in source
        content = f"{source} {oiio.__version__}".encode() if built_in else Path(source).read_bytes()
    except OSError as error:
        raise InputError(
            f"The OCIO configuration {source} cannot be read: {error.strerror}.",
            remedy="Set OCIO to a configuration that is there, or unset it.",
            code=ErrorCode.COLOURSPACE_UNKNOWN,
            path=source,
        ) from error
    return hashlib.sha256(content).hexdigest()[:32]


def config_version() -> str:
    """Return what changes when the OCIO configuration that `$OCIO` names is edited."""
    path = os.environ.get("OCIO", "")
    if not Path(path).is_file():
        return path  # built in, or none
    status = Path(path).stat()
    return f"{path}:{status.st_size}:{status.st_mtime_ns}"
