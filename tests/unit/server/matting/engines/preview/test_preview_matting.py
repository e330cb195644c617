"""The matting step: the closed form's own Laplacian, its least, and what it does to an alpha."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.preview.engine import MANNERS, PreviewEngine
from gvm_server.matting.engines.preview.matting import FLAT, Lines, settled, solved, weights_of
from gvm_server.matting.engines.preview.steady import Seen
from tests.support.portrait import portrait
from tests.support.threads import hashes

HEIGHT, WIDTH = 9, 11


def drawn(*shape: int) -> Image:
    """Return seeded values in 0..1."""
    return np.random.default_rng(5).random(shape, np.float32)


def dense(picture: Image) -> NDArray[np.float64]:
    """Return the matting Laplacian of a small picture as a matrix, by its definition."""
    height, width = picture.shape[:2]
    colours = picture.reshape(-1, 3).astype(np.float64)
    matrix = np.zeros((height * width, height * width))
    for y in range(height):
        for x in range(width):
            rows, columns = (
                range(max(at - 1, 0), min(at + 2, side)) for at, side in ((y, height), (x, width))
            )
            box = [row * width + column for row in rows for column in columns]
            apart = colours[box] - colours[box].mean(axis=0)
            ridged = apart.T @ apart / len(box) + FLAT / len(box) * np.eye(3)
            told = (1 + apart @ np.linalg.inv(ridged) @ apart.T) / len(box)
            matrix[np.ix_(box, box)] += np.eye(len(box)) - told
    return matrix


def test_the_boxes_say_what_the_matrix_says():
    """At the border, too, where boxes are cut."""
    picture, values = drawn(HEIGHT, WIDTH, 3), drawn(HEIGHT, WIDTH)
    expected = (dense(picture) @ values.ravel()).reshape(HEIGHT, WIDTH)
    np.testing.assert_allclose(Lines.of(picture).laplacian(values), expected, atol=1e-4)


def test_twenty_steps_reach_the_least():
    """As the dense system's solution."""
    picture, prior = drawn(HEIGHT, WIDTH, 3), drawn(HEIGHT, WIDTH)
    weights = weights_of(prior)
    system = dense(picture) + np.diag(weights.ravel().astype(np.float64))
    expected = np.linalg.solve(system, (weights * prior).ravel()).reshape(HEIGHT, WIDTH)
    np.testing.assert_allclose(solved(Lines.of(picture), prior, weights), expected, atol=1e-4)


def test_a_soft_edge_goes_to_the_colours_edge():
    """A little: the networks are believed, too. Far from it 0 and 1 stay."""
    truth = np.zeros((200, 320), np.float32)
    cv2.ellipse(truth, (160, 120), (70, 90), 0, 0, 360, 1.0, -1)
    colours = np.where(truth[..., None] > 0, [0.7, 0.5, 0.4], [0.2, 0.3, 0.45])
    picture = (colours + 0.01 * (drawn(200, 320, 3) - 0.5)).astype(np.float32)
    rough = np.asarray(cv2.GaussianBlur(truth, (0, 0), 1.0), np.float32)
    made = settled(picture, rough)
    assert np.abs(made - truth).mean() < 0.93 * np.abs(rough - truth).mean()
    assert made[:20].max() < 1e-4
    assert made[110:130, 150:170].min() > 0.98


def test_what_is_even_stays_so():
    """Nobody, and a person who fills the box."""
    picture = drawn(64, 96, 3)
    for value in (0.0, 1.0):
        np.testing.assert_allclose(settled(picture, np.full((64, 96), value, np.float32)), value)


def test_any_count_of_threads_gives_the_same_bits():
    """Of the step, at a size that is brought down and up again."""
    picture, alpha = drawn(300, 620, 3), np.asarray(cv2.blur(drawn(300, 620), (31, 31)), np.float32)
    assert len(set(hashes(lambda: settled(picture, alpha)))) == 1


def test_it_is_an_option_and_changes_the_matte():
    """Off by default; a person is still found."""
    frame = portrait(180, 320)
    plain, settled_too = (
        cast("Seen", PreviewEngine(MANNERS[name]).encode(frame)).alpha
        for name in ("best", "matting")
    )
    assert (plain != settled_too).any()
    assert np.abs(plain - settled_too).mean() < 0.02
    np.testing.assert_array_equal(cast("Seen", PreviewEngine().encode(frame)).alpha, plain)
