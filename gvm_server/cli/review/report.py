"""`gvm report`: a shot on one HTML page that needs nothing beside it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from gvm_client.process import Exit
from gvm_server.cli.cache import cache_in_use
from gvm_server.cli.matte.request import absolute
from gvm_server.cli.review.limits import limits_of, not_checked
from gvm_server.cli.review.page import ENDINGS, Page, html_of
from gvm_server.cli.review.sheet import check_rows, prove_output, sheet_of
from gvm_server.cli.review.shot import Shot, opened
from gvm_server.cli.terminal import size_in_words
from gvm_server.measure.verdict import excesses
from gvm_server.media.atomic_files import replacing
from gvm_server.media.colour.spaces import Colour
from gvm_server.media.outputs import sheet
from gvm_server.media.outputs.movie import DEFAULT_RATE
from gvm_server.media.outputs.proxy import (
    Picture,
    ProxyMovie,
    proxy_picture,
    proxy_size,
)
from gvm_server.media.pixels import Pixels
from gvm_server.media.store.past import last_job_of

PROXY_SIDE = 640  # pixels of the longest side of what the page plays


def run(parsed: argparse.Namespace) -> int:
    """Write the page; exit CHECK_FAILED where a limit is passed.

    Raises:
        SettingsError: the name's ending, a limit or a number cannot be used.
        InputError: a frame is missing, unreadable, or of another size than its plate.
        OutputError: the page cannot be written, or would replace a file that is not ours.
    """
    check_rows(parsed)
    limits = limits_of(parsed)
    out = Path(absolute(parsed.out))
    picture = Path(absolute(parsed.sheet)) if parsed.sheet else None
    with opened(parsed) as shot:
        prove_output(out, shot, ENDINGS, overwrite=parsed.overwrite)
        if picture:
            prove_output(picture, shot, sheet.ENDINGS, overwrite=parsed.overwrite)
        proxies = _proxies(shot)
        review = shot.review(proxies)
        passed = excesses(review, limits, parsed.min_coverage)
        shown = sheet_of(shot, review, parsed.rows, parsed.width)
        text = html_of(
            Page(
                review=review,
                notes=(*shot.notes, *review.notes, *not_checked(review, limits)),
                limits=limits,
                passed=passed,
                sheet=shown,
                movie=proxies.movie.finish(),
                size=proxies.size,
                rate=proxies.rate,
                job=last_job_of(cache_in_use(writes=False)[0].memo, review.matte),
            )
        ).encode()
    with replacing(out, size_hint=len(text)) as temporary:
        temporary.write_bytes(text)
    print(f"{out} is written: {size_in_words(len(text))}.")
    if picture:
        sheet.write_picture(picture, shown)
        print(f"{picture} is written.")
    return Exit.CHECK_FAILED if passed else Exit.DONE


@dataclass(frozen=True, kw_only=True, slots=True)
class _Proxies:
    """Makes the page's movie of the frames that are looked at."""

    colour: Colour
    size: tuple[int, int]
    rate: Fraction
    movie: ProxyMovie = field(repr=False)

    def see(self, plate: Pixels, alpha: Pixels) -> Picture:
        """Return plate above matte."""
        return proxy_picture(plate, alpha, self.colour, self.size)

    def take(self, seen: Picture) -> None:
        """Encode it."""
        self.movie.add(seen)


def _proxies(shot: Shot) -> _Proxies:
    header = shot.plate.header(shot.frames[0])
    display = header.display
    size = proxy_size(display.width, display.height, header.pixel_aspect, PROXY_SIDE)
    rate = Fraction(*header.frame_rate) if header.frame_rate else DEFAULT_RATE
    movie = ProxyMovie(size, len(shot.frames), rate)
    return _Proxies(colour=shot.plate.colour, size=size, rate=rate, movie=movie)
