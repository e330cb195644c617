"""Colour by name: which space a plate is in, and the way from it to display-referred sRGB.

- A `Colour` is a value: it holds the very conversion that its digest stands for.
- Names are ours or the OCIO configuration's; `$OCIO` of whoever asks names that, else the
  built-in ACES one.
- `auto` is resolved once, when a plate is opened, and a note says what was chosen and why.
- Nothing is clipped before the display curve; what comes out lies in 0..1.

Our names: `scene_linear` is linear Rec.709 primaries, or with `$OCIO` that configuration's
role; `acescg` is linear AP1; `srgb`, `rec709` and `raw` are taken as they are. Rec.709 video is
not changed because it is display-referred already, as the model's training frames were, and
because the original program feeds video as it is decoded. `cineon` is Kodak's log curve; `pq` and
`hlg` are ITU-R BT.2100, `rec2020` and `p3` displayed pixels of those primaries.
`linear(...)` is linear light of eight chromaticities, as an EXR has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.colour.encodings import (
    ACESCG,
    LINEAR_SPACES,
    P3_D65,
    REC709,
    REC2020,
    Chromaticities,
    display_from_linear,
    linear_from_cineon,
    linear_from_display,
    linear_from_hlg,
    linear_from_pq,
    linear_from_srgb,
    srgb_from_linear,
    to_linear_rec709,
)
from gvm_server.media.colour.hints import DISPLAY_2020, DISPLAY_P3, HLG, PQ, FileHint, guess
from gvm_server.media.colour.ocio import Configuration, hash_bytes, load_config
from gvm_server.media.colour.tone_mapping import NO_TONE_MAPPING, ToneMapping
from gvm_server.media.pixels import HALVES, Pixels, StoredPixels, Table, as_float, looked_up

COLOUR_REVISION = 2  # moves when a conversion here gives other pixels

AS_DISPLAYED = ("srgb", "rec709", "raw")
CINEON = "cineon"
OUR_NAMES = (
    *("auto", "scene_linear", "acescg", *AS_DISPLAYED),
    *(CINEON, PQ, HLG, DISPLAY_2020, DISPLAY_P3),
)

_OVERRIDE = "Name another with --input-colorspace if that is wrong."
_SRGB = ("srgb_rec709_scene", "srgb_tx", "Utility - sRGB - Texture", "sRGB")
_OWN_LINEAR = re.compile(r"linear\(([-+.\deE ]+)\)", re.ASCII)

_NEAR_WHITE = 1e-3  # of a display's curve, which conversions round

_Converter = Callable[[Pixels], Pixels]
_Matrix = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Conversion:
    """The ways out of a space, of pixels [H, W, 3].

    Attributes:
        display: to display-referred sRGB, clipped.
        light: to linear Rec.709, not clipped; None where pixels are displayed ones, whose light
            ends at white.
        back: gives the way from what `Colour.to_linear` gives; None where there is none.
        is_linear: whether pixels are linear light as they are.
        by_channel: whether each channel is converted by itself, so that a table can do it.
    """

    display: _Converter
    light: _Converter | None = None
    back: Callable[[], _Converter] | None = None
    is_linear: bool = False
    by_channel: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Colour:
    """The space that a plate is read in.

    Attributes:
        name: one of ours, or the configuration's own.
        digest: 16 bytes that stand for the conversion, the configuration's content included.
        conversion: the ways out of it.
        note: what to tell the artist; "" where there is nothing.
        chromaticities: of its linear space; () where they are not known.
    """

    name: str
    digest: bytes
    conversion: _Conversion = field(compare=False)  # the digest stands for it
    note: str = ""
    chromaticities: Chromaticities = ()

    def to_display(self, pixels: StoredPixels, mapping: ToneMapping = NO_TONE_MAPPING) -> Pixels:
        """Return display-referred sRGB 0..1, [H, W, 3]; the pixels given are not changed.

        Halves give what the same values as float give, and take a fraction of the time where the
        conversion is by channel.

        Args:
            pixels: [H, W, 3], as the file has them; finite.
            mapping: what is done to their light; by default nothing, and white is clipped.
        """
        if pixels.dtype == np.float16 and self.conversion.by_channel:
            return looked_up(pixels.view(np.float16), _table(self, mapping))
        return _displayed(as_float(pixels), self.conversion, mapping)

    @property
    def linear(self) -> str:
        """The name of the plate's linear space: its own where it is one, else linear Rec.709."""
        return self.name if self.conversion.is_linear else LINEAR_SPACES[REC709][0]

    def to_linear(self, pixels: Pixels) -> Pixels:
        """Return the plate's linear light, [H, W, 3]: of its own primaries where it is linear.

        Of displayed pixels it ends at white; of others nothing is clipped. The pixels given are not
        changed, and may be the ones returned.
        """
        conversion = self.conversion
        if conversion.is_linear:
            return pixels
        if conversion.light is not None:
            return conversion.light(pixels)
        return linear_from_srgb(conversion.display(pixels))

    def way_back(self) -> _Converter:
        """Return what turns the light that `to_linear` gives into the plate's own pixels again.

        Raises:
            InputError: COLOURSPACE_UNKNOWN: there is no such way.
        """
        if self.conversion.is_linear:
            return lambda pixels: pixels
        if self.conversion.back is None:
            raise InputError(
                f"Light cannot be turned into {self.name} again: that space is only read.",
                remedy="Convert the plate to a linear space before this node, or write the"
                " foreground into files with --channels fg.",
                code=ErrorCode.COLOURSPACE_UNKNOWN,
            )
        return self.conversion.back()

    def display_of_linear(self, pixels: Pixels) -> Pixels:
        """Return display-referred sRGB 0..1 of light in the space that `to_linear` gives."""
        conversion = self.conversion
        return conversion.display(pixels) if conversion.is_linear else srgb_from_linear(pixels)


def _displayed(pixels: Pixels, conversion: _Conversion, mapping: ToneMapping) -> Pixels:
    if mapping == NO_TONE_MAPPING:
        return conversion.display(pixels)
    if conversion.light is not None:
        return srgb_from_linear(mapping.apply(conversion.light(pixels)))
    shown = conversion.display(pixels)
    if mapping.exposure == 0.0:  # displayed pixels have no light above white
        return shown
    return srgb_from_linear(mapping.apply(linear_from_srgb(shown), most=1.0))


@lru_cache(maxsize=8)  # of 256 KiB; a job uses one
def _table(colour: Colour, mapping: ToneMapping) -> Table:
    """Return what each half becomes; NaN and infinite ones, which no plate has, are taken for 0."""
    halves = np.where(np.isfinite(HALVES), HALVES, np.float16(0.0)).astype(np.float32)
    grey = np.repeat(halves[:, np.newaxis], 3, axis=1)[np.newaxis]
    made = _displayed(grey, colour.conversion, mapping)
    return np.ascontiguousarray(made[0, :, 0])


def resolve_colour(name: str, hint: FileHint, configuration: Configuration | None = None) -> Colour:
    """Return the colour space that a name means for this file; `auto` looks at the file.

    Args:
        name: `auto`, one of our names, or the configuration's.
        hint: what the file says.
        configuration: of OpenColorIO; None is the built-in one.

    Raises:
        InputError: COLOURSPACE_UNKNOWN, with the names that come close; or the configuration
            cannot convert the space.
    """
    config = configuration or load_config("")
    if name != "auto":
        return _colour(_canonical(name, config), config, "")
    chosen, why = guess(hint, lambda names: config.find(*names), scene_linear=_scene_linear(config))
    note = f"The plate is read as {chosen}: {why}. {_OVERRIDE}"
    return _colour(chosen, config, note)


def _colour(name: str, config: Configuration, note: str) -> Colour:
    ours = _ours(name)
    if ours is not None:
        # No part of a configuration is in it: an edited one costs nothing.
        own = _OWN_LINEAR.fullmatch(name)
        return Colour(
            name=name,
            digest=_digest("ours", name),
            conversion=ours,
            note=note,
            chromaticities=_numbers(own[1]) if own else REC709,
        )
    conversion = _configured(name, config)
    known = (each for each, names in LINEAR_SPACES.items() if config.find(*names) == name)
    return Colour(
        name=name,
        digest=_digest("ocio", name, config.digest.hex()),
        conversion=conversion,
        note=note,
        chromaticities=next(known, ()) if conversion.is_linear else REC709,
    )


def _numbers(text: str) -> Chromaticities:
    return tuple(float(number) for number in text.split())


def _digest(*texts: str) -> bytes:
    return hash_bytes(*(text.encode() for text in (str(COLOUR_REVISION), *texts)))


def _ours(name: str) -> _Conversion | None:
    """Return the conversion of a space that no configuration defines."""
    if name in AS_DISPLAYED:
        return _as_displayed()
    if name == CINEON:
        return _of_light(linear_from_cineon, by_channel=True)
    if name in {PQ, HLG}:
        linear = linear_from_pq if name == PQ else linear_from_hlg
        wide = _matrix(REC2020)
        return _of_light(lambda pixels: _apply(wide, linear(pixels)))
    if name in {DISPLAY_2020, DISPLAY_P3}:
        gamut = _matrix(REC2020 if name == DISPLAY_2020 else P3_D65)
        # Into light and back by one curve: neutral colours stay as they are displayed.
        return _Conversion(
            display=lambda pixels: display_from_linear(_apply(gamut, linear_from_display(pixels)))
        )
    if own := _OWN_LINEAR.fullmatch(name):
        primaries = _matrix(_numbers(own[1]))
        return _of_light(lambda pixels: _apply(primaries, pixels), is_linear=True)
    return None


def _configured(name: str, config: Configuration) -> _Conversion:
    if config.is_data(name):
        return _as_displayed()
    target, linear = config.find(*_SRGB), config.find(*LINEAR_SPACES[REC709])
    if target is None:
        raise InputError(
            f"{config.name} has no sRGB colour space to show {name} in.",
            remedy="Give its sRGB space the alias srgb_tx, or unset OCIO.",
            code=ErrorCode.COLOURSPACE_UNKNOWN,
            path=config.source,
        )
    if name == target:
        return _as_displayed()
    if name == linear:
        return _of_light(lambda pixels: pixels, is_linear=True, by_channel=True)
    if linear is not None and config.is_linear(name):
        # Between linear spaces OCIO is a matrix; ours does the same in a third of the time.
        unit = np.eye(3, dtype=np.float32)[np.newaxis]
        matrix = config.converter(name, linear)(unit)[0].T.copy()
        return _of_light(lambda pixels: _apply(matrix, pixels), is_linear=True)
    shown = config.converter(name, target)
    if linear is None or not _holds_light_above_white(config.converter(name, linear)):
        return _Conversion(
            display=lambda pixels: _clip(shown(pixels)),
            back=lambda: _after(srgb_from_linear, config.converter(target, name)),
        )
    return _of_light(config.converter(name, linear), back=lambda: config.converter(linear, name))


def _holds_light_above_white(to_linear: _Converter) -> bool:
    """Whether the greatest code value is brighter than white: a camera's log curve, or HDR."""
    return bool(to_linear(np.ones((1, 1, 3), np.float32)).max() > 1.0 + _NEAR_WHITE)


def _as_displayed() -> _Conversion:
    return _Conversion(display=_clip, back=lambda: srgb_from_linear, by_channel=True)


def _after(first: _Converter, then: _Converter) -> _Converter:
    return lambda pixels: then(first(pixels))


def _of_light(
    to_linear: _Converter,
    *,
    back: Callable[[], _Converter] | None = None,
    is_linear: bool = False,
    by_channel: bool = False,
) -> _Conversion:
    return _Conversion(
        display=lambda pixels: srgb_from_linear(to_linear(pixels)),
        light=to_linear,
        back=back,
        is_linear=is_linear,
        by_channel=by_channel,
    )


def _canonical(name: str, config: Configuration) -> str:
    """Return one name for a space, so that its aliases share keys."""
    if name in OUR_NAMES or _OWN_LINEAR.fullmatch(name):
        if name == "scene_linear":
            return _scene_linear(config)
        if name != "acescg":
            return name
    found = config.find(*LINEAR_SPACES[ACESCG]) if name == "acescg" else config.find(name)
    if found is None:
        raise _unknown(name, config)
    return found


def _scene_linear(config: Configuration) -> str:
    # Without $OCIO the role would be ACEScg; files without metadata are linear Rec.709.
    name = LINEAR_SPACES[REC709][0] if config.is_built_in else "scene_linear"
    found = config.find(name)
    if found is None:
        raise _unknown("scene_linear", config)
    return found


def _matrix(chromaticities: tuple[float, ...]) -> _Matrix:
    matrix = to_linear_rec709(chromaticities)
    if matrix is None:
        raise InputError(
            f"{' '.join(map(str, chromaticities))} are no primaries of colours.",
            remedy="Name the plate's colour space with --input-colorspace.",
            code=ErrorCode.COLOURSPACE_UNKNOWN,
        )
    return matrix


def _apply(matrix: _Matrix, pixels: Pixels) -> Pixels:
    # In one piece, or the last pixels of a row would be rounded in another way.
    whole = np.ascontiguousarray(pixels)
    return np.asarray(cv2.transform(whole, matrix), dtype=np.float32)


def _clip(pixels: Pixels) -> Pixels:
    return np.clip(pixels, np.float32(0.0), np.float32(1.0))


def _unknown(name: str, config: Configuration) -> InputError:
    known = {alias: space for space in config.spaces() for alias in (space, *config.aliases(space))}
    by_lower = {one.lower(): known.get(one, one) for one in (*known, *OUR_NAMES)}
    close = get_close_matches(name.lower(), by_lower, n=5, cutoff=0.5)
    shown = list(dict.fromkeys(by_lower[one] for one in close)) or list(OUR_NAMES)
    return InputError(
        f"{config.name} has no colour space {name!r}.",
        remedy=f"Name one such as {', '.join(shown)}.",
        code=ErrorCode.COLOURSPACE_UNKNOWN,
        path=config.source,
    )
