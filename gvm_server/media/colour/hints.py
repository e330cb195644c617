"""What a file says about its colours, and which space `auto` takes it for.

What a file says and is not known here is said aloud; a curve that would be read wrongly is
never taken for another in silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.colour.encodings import ACES2065, LINEAR_SPACES, REC709, names_of

PQ, HLG, DISPLAY_2020, DISPLAY_P3 = "pq", "hlg", "rec2020", "p3"

_LOG_TRANSFERS = ("printing density", "logarithmic")
_VIDEO_TRANSFERS = ("itu-r 709", "smpte 274", "itu-r 601")

# ISO/IEC 23091-2 (H.273), tables 2 and 3.
_PQ_CODE, _HLG_CODE, _LINEAR_CODE = 16, 18, 8
_UNKNOWN_CURVES = {9: "logarithmic (100:1)", 10: "logarithmic (316:1)", 17: "SMPTE ST 428-1"}
_WIDE = {9: DISPLAY_2020, 11: DISPLAY_P3, 12: DISPLAY_P3}
_UNKNOWN_PRIMARIES = {8: "film", 10: "CIE XYZ"}

_LINEAR_NAME = "lin_"  # so begin the names of linear spaces of the ASWF Color Interop Forum
# What shows as sRGB does, near enough: gammas of 2.2 and 2.4 with the same primaries.
_AS_SRGB = ("srgb", "g22_rec709", "g24_rec709", "rec709", "rec.709")

Find = Callable[[tuple[str, ...]], str | None]
"""Gives the configuration's own name for the first of some names that it has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileHint:
    """What a file says about its colours.

    Attributes:
        kind: OpenImageIO's name of the format, or `movie`, or `pixels` from a host.
        is_float: whether pixels are half or float.
        bits: bits of an integer channel as stored.
        colourspace: the name in its metadata.
        profile: what its ICC profile calls itself.
        interop_id: its `colorInteropID` (ASWF Color Interop Forum), as it is written.
        chromaticities: CIE x, y of red, green, blue and white.
        is_aces: whether it calls itself an ACES container.
        transfer: a DPX header's transfer characteristic.
        curve: the transfer characteristics by their code (ISO/IEC 23091-2); 2 is unspecified.
        primaries: the colour primaries by their code; 2 is unspecified.
    """

    kind: str
    is_float: bool
    bits: int = 8
    colourspace: str = ""
    profile: str = ""
    interop_id: str = ""
    chromaticities: tuple[float, ...] = ()
    is_aces: bool = False
    transfer: str = ""
    curve: int = 2
    primaries: int = 2


def guess(hint: FileHint, find: Find, *, scene_linear: str) -> tuple[str, str]:
    """Return a colour space and the reason for it.

    Args:
        hint: what the file says.
        find: looks names up in the configuration.
        scene_linear: the space of float pixels that say nothing.

    Raises:
        InputError: COLOURSPACE_UNKNOWN: the file names a curve that cannot be read here.
    """
    if hint.kind in {"dpx", "cineon"}:
        return _guess_film(hint, scene_linear)
    if hint.kind == "movie" or hint.curve in {_PQ_CODE, _HLG_CODE}:
        return _guess_video(hint, scene_linear)
    if not hint.is_float:
        return _guess_integers(hint, find, scene_linear)
    return _guess_float(hint, find, scene_linear)


def _guess_integers(hint: FileHint, find: Find, scene_linear: str) -> tuple[str, str]:
    """Return what a PNG's code points or gamma say; integers that say nothing are as displayed."""
    _require_known(hint, "The file")
    if hint.curve == _LINEAR_CODE or hint.colourspace.startswith(_LINEAR_NAME):
        named = find((hint.colourspace,)) if hint.colourspace else None
        return named or scene_linear, "the file says linear"
    if wide := _WIDE.get(hint.primaries):
        return wide, "the file's primaries say so"
    return "srgb", "its pixels are integers" + _not_known(hint, find) + _not_read(hint)


def _not_read(hint: FileHint) -> str:
    """Return what is passed over of an integer image's colours, as the rest of a sentence."""
    if hint.profile and "srgb" not in _plain(hint.profile):
        return f"; its ICC profile {hint.profile!r} is not read"
    if hint.colourspace and not _plain(hint.colourspace).startswith(_AS_SRGB):
        return f"; its colour space {hint.colourspace!r} is not read"
    return ""


def _plain(name: str) -> str:
    return name.lower().replace(" ", "").replace("-", "")


def _guess_float(hint: FileHint, find: Find, scene_linear: str) -> tuple[str, str]:
    if hint.is_aces:
        return find(LINEAR_SPACES[ACES2065]) or "ACES2065-1", "it is an ACES container"
    for said in (hint.interop_id, hint.colourspace):
        if said and (named := find((said,))):
            return named, "its metadata says so"
    unknown = _not_known(hint, find)
    if hint.chromaticities:
        if named := find(names_of(hint.chromaticities)):
            return named, f"its chromaticities say so{unknown}"
        numbers = " ".join(f"{number:.5g}" for number in hint.chromaticities)
        return f"linear({numbers})", f"its chromaticities say so{unknown}"
    return scene_linear, f"its pixels are float{unknown}"


def _not_known(hint: FileHint, find: Find) -> str:
    said = hint.interop_id
    if not said or said.lower() in {"unknown", "data"} or find((said,)):
        return ""
    return f"; its colorInteropID {said!r} is not known to the configuration"


def _guess_video(hint: FileHint, scene_linear: str) -> tuple[str, str]:
    if hint.curve == _PQ_CODE:
        return PQ, "the file says PQ (SMPTE ST 2084); white is 203 cd/m2, brighter is clipped"
    if hint.curve == _HLG_CODE:
        return HLG, "the file says HLG (ITU-R BT.2100); white is 203 cd/m2, brighter is clipped"
    _require_known(hint, "The movie")
    if hint.curve == _LINEAR_CODE:
        return scene_linear, "the movie says linear"
    if wide := _WIDE.get(hint.primaries):
        return wide, "the movie's primaries say so"
    return "rec709", "movies are taken as displayed"


def _require_known(hint: FileHint, what: str) -> None:
    """Refuse a curve or primaries that would be taken for others.

    Raises:
        InputError: COLOURSPACE_UNKNOWN.
    """
    unknown = _UNKNOWN_CURVES.get(hint.curve) or _UNKNOWN_PRIMARIES.get(hint.primaries)
    if unknown:
        raise InputError(
            f"{what} says that its colours are {unknown}; they are not read here by themselves.",
            remedy="Name the space to read them in with --input-colorspace.",
            code=ErrorCode.COLOURSPACE_UNKNOWN,
        )


def _guess_film(hint: FileHint, scene_linear: str) -> tuple[str, str]:
    transfer = hint.transfer.lower()
    if transfer.startswith(_VIDEO_TRANSFERS):
        return "rec709", f"its header says {hint.transfer}"
    if transfer == "linear":
        return scene_linear, "its header says linear"
    if transfer.startswith(_LOG_TRANSFERS) or hint.kind == "cineon":
        return "cineon", "its header says film density"
    if hint.bits == 10:
        return "cineon", "its header names no curve, and 10-bit DPX files are mostly film log"
    return "srgb", "its header names no curve"


__all__ = ["DISPLAY_2020", "DISPLAY_P3", "HLG", "PQ", "REC709", "FileHint", "Find", "guess"]
