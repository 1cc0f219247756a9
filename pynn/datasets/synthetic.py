"""Digits drawn by a program: a data set with MNIST's form that needs no file and no network.

Each digit is one or two pen strokes through a few control points.  Every sample moves the control points a
little, then turns, scales, shears and shifts the figure, picks a pen width and adds noise.  The picture is
rendered from the distance of each pixel to the nearest piece of a stroke, which gives smooth edges without
any imaging library.

The same arguments give the same bytes on every machine and NumPy: random numbers are the raw 64-bit words of
PCG64 (the part of NumPy's generators whose stream is guaranteed), and the arithmetic is +, -, *, / and sqrt
on arrays, which IEEE 754 rounds in one way only (no sin, no matrix product).
"""

from __future__ import annotations

import numpy as np

from pynn.errors import ArgumentError

SIZE = 28
BLOCK = 64  # samples rendered together: their working arrays (4 x 200 KB) stay in the L2 cache
PIECES = 3  # straight pieces per span of a smooth stroke

#: Ways of writing each digit; a sample picks one.  A way is one or two strokes, a stroke the control points
#: of a smooth curve or of straight lines, as x,y in hundredths of the figure's box; y points down.
WAYS: dict[int, tuple[str, ...]] = {
    0: (
        "curve 52,2 24,14 14,50 24,86 50,98 77,86 86,50 76,14 48,2",
        "curve 62,4 34,10 24,46 30,84 48,97 68,80 76,42 66,10 52,5",
    ),
    1: (
        "line 52,0 50,100",
        "line 30,22 54,2 52,98",
        "line 32,20 53,2 52,97 | line 28,98 76,98",
    ),
    2: (
        "curve 18,26 30,6 56,2 78,18 72,42 44,68 16,96 | line 16,96 84,94",
        "curve 20,22 42,3 70,12 72,38 48,68 22,90 18,76 38,78 60,94 86,90",
    ),
    3: (
        "curve 20,14 46,1 74,12 70,36 42,46 | curve 42,46 74,54 82,76 60,96 34,97 16,84",
        "line 20,4 76,4 46,42 | curve 46,42 74,50 80,76 58,97 32,96 18,86",
    ),
    4: (
        "line 58,2 12,66 86,66 | line 66,36 64,100",
        "curve 22,4 18,30 22,50 48,54 76,46 | line 78,2 74,50 70,100",
    ),
    5: (
        "line 78,4 30,4 24,44 | curve 24,44 52,36 78,52 78,80 54,98 30,96 16,84",
        "line 84,2 38,6 30,42 | curve 30,42 58,46 72,66 62,90 36,98 14,90",
    ),
    6: (
        "curve 70,4 44,16 24,44 20,74 38,97 66,94 80,72 64,53 40,56 23,76",
        "curve 48,0 28,30 20,64 30,94 58,98 74,80 64,62 40,64 25,82",
    ),
    7: (
        "line 16,6 82,4 44,98",
        "line 16,6 82,4 42,98 | line 34,50 76,48",
        "curve 16,16 20,5 50,7 82,4 66,40 52,70 48,98",
    ),
    8: (
        "curve 50,48 26,32 32,8 56,1 76,14 70,34 50,48 26,64 22,86 46,99 74,90 78,68 50,48",
        "curve 72,10 48,2 28,14 34,36 62,58 74,80 54,98 30,90 30,68 56,44 74,24 70,8",
    ),
    9: (
        "curve 74,22 50,2 24,14 22,38 44,50 68,38 75,18 | curve 75,18 74,50 68,76 62,100",
        "curve 76,14 52,1 26,16 24,42 50,50 74,30 78,10 78,50 66,84 44,98 24,92",
    ),
}

Stroke = tuple[bool, tuple[tuple[float, float], ...]]  # (smooth, points as (x, y) from 0 to 1)


def _strokes(way: str) -> tuple[Stroke, ...]:
    strokes = []
    for stroke in way.split("|"):
        kind, *points = stroke.split()
        pairs = [point.split(",") for point in points]
        strokes.append((kind == "curve", tuple((int(x) / 100, int(y) / 100) for x, y in pairs)))
    return tuple(strokes)


GLYPHS = {digit: tuple(_strokes(way) for way in ways) for digit, ways in WAYS.items()}

#: Random words drawn for each sample: label, way of writing, turn, 2 scales, shear, 2 shifts, pen, ink, then
#: two for each control point.
WORDS = 10 + 2 * max(sum(len(points) for _, points in glyph) for ways in GLYPHS.values() for glyph in ways)


def synthetic_digits(
    train: int = 6000, test: int = 1000, seed: int = 0
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Drawn digits in the form of ``mnist.load_data()``: deterministic, without any file.

    Args:
        train: number of training samples; a larger number only adds samples behind the same first ones.
        test: number of test samples, drawn independently of the training samples.
        seed: a number from 0 up; each gives another data set.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 ``(n, 28, 28)``, 0 is background; labels uint8
        ``(n,)``.

    Example:
        >>> (x, y), _ = synthetic_digits(train=100, test=10)
        >>> x.shape, x.dtype, y.shape
        ((100, 28, 28), dtype('uint8'), (100,))
    """
    for name, value in (("train", train), ("test", test), ("seed", seed)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 0:
            raise ArgumentError(f"synthetic_digits: {name} must be an integer from 0 up, received {value!r}")
    return _split(int(train), int(seed), 0), _split(int(test), int(seed), 1)


def _split(count: int, seed: int, split: int) -> tuple[np.ndarray, np.ndarray]:
    figures, noise = (np.random.PCG64(np.random.SeedSequence([seed, split, part])) for part in (0, 1))
    words = figures.random_raw(count * WORDS).reshape(count, WORDS)
    labels = (words[:, 0] % 10).astype(np.uint8)
    uniform = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53  # (count, WORDS) in [0, 1)
    images = np.zeros((count, SIZE, SIZE), np.uint8)
    for digit, ways in GLYPHS.items():
        for way, glyph in enumerate(ways):
            chosen = np.flatnonzero((labels == digit) & (words[:, 1] % len(ways) == way))
            for first in range(0, len(chosen), BLOCK):
                rows = chosen[first : first + BLOCK]
                images[rows] = _draw(glyph, uniform[rows])
    _add_noise(images, noise)
    return images, labels


def _draw(glyph: tuple[Stroke, ...], u: np.ndarray) -> np.ndarray:
    """Render one way of writing, ``u``: random numbers (samples, WORDS) -> uint8 (samples, 28, 28)."""
    half = (u[:, 2] - 0.5) * 0.30  # tangent of half the angle: turns by up to 17 degrees without a sine
    cos, sin = (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)
    width, height = 15.0 + 5.0 * u[:, 3], 17.0 + 4.0 * u[:, 4]  # of the figure, in pixels
    shear = (u[:, 5] - 0.4) * 0.5  # people lean to the right more often
    shift_x, shift_y = (u[:, 6] - 0.5) * 4.0, (u[:, 7] - 0.5) * 4.0
    radius = (0.75 + 1.05 * u[:, 8]).astype(np.float32)
    ink = (190.0 + 65.0 * u[:, 9]).astype(np.float32)

    nearest = np.full((len(u), SIZE, SIZE), 1e9, np.float32)  # squared distance to the strokes
    used = 10
    for smooth, control in glyph:
        wobble = u[:, used : used + 2 * len(control)].reshape(len(u), len(control), 2)
        used += 2 * len(control)
        points = np.array(control) - 0.5 + (wobble - 0.5) * 0.11  # (samples, points, 2)
        if smooth:
            points = _smooth(points)
        x, y = points[..., 0] * width[:, None], points[..., 1] * height[:, None]
        x = x - shear[:, None] * y
        px = cos[:, None] * x - sin[:, None] * y + (SIZE - 1) / 2 + shift_x[:, None]
        py = sin[:, None] * x + cos[:, None] * y + (SIZE - 1) / 2 + shift_y[:, None]
        _approach(nearest, px.astype(np.float32), py.astype(np.float32))
    np.sqrt(nearest, out=nearest)
    np.subtract((radius + 0.5)[:, None, None], nearest, out=nearest)  # an edge one pixel wide
    np.clip(nearest, 0, 1, out=nearest)
    nearest *= ink[:, None, None]
    return nearest.astype(np.uint8)


def _smooth(points: np.ndarray) -> np.ndarray:
    """Catmull-Rom curve: control points (samples, n, 2) -> corners (samples, (n - 1) * PIECES + 1, 2)."""
    ends = np.concatenate([points[:, :1], points, points[:, -1:]], axis=1)
    a, b, c, d = ends[:, :-3], ends[:, 1:-2], ends[:, 2:-1], ends[:, 3:]
    out = np.empty((len(points), (points.shape[1] - 1) * PIECES + 1, 2))
    for piece in range(PIECES):
        t = piece / PIECES
        out[:, piece:-1:PIECES] = b + 0.5 * t * (
            (c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * (b - c) + d - a))
        )
    out[:, -1] = points[:, -1]
    return out


def _approach(nearest: np.ndarray, px: np.ndarray, py: np.ndarray) -> None:
    """Lower ``nearest`` to each pixel's squared distance to a stroke; its corners px, py: (samples, corners).

    For a piece from a to b and a pixel p, with d = b - a, u = (p - a).d / d.d and t = clip(u, 0, 1):
    |p - a - t d|^2 = |p - a|^2 - t (2 u - t) d.d, where u and |p - a|^2 are sums of a row's and a column's
    number.
    """
    pixel = np.arange(SIZE, dtype=np.float32)
    u, t = np.empty_like(nearest), np.empty_like(nearest)
    for i in range(px.shape[1] - 1):
        dx, dy = px[:, i + 1] - px[:, i], py[:, i + 1] - py[:, i]
        length = np.maximum(dx * dx + dy * dy, np.float32(1e-4))
        rx, ry = pixel - px[:, i, None], pixel - py[:, i, None]  # (samples, 28)
        np.add((rx * (dx / length)[:, None])[:, None, :], (ry * (dy / length)[:, None])[:, :, None], out=u)
        np.clip(u, 0, 1, out=t)
        u += u
        u -= t
        u *= t
        u *= length[:, None, None]
        np.add((rx * rx)[:, None, :], (ry * ry)[:, :, None], out=t)
        t -= u
        np.minimum(nearest, t, out=nearest)
    np.maximum(nearest, 0, out=nearest)  # rounding may have gone below


def _add_noise(images: np.ndarray, bits: np.random.PCG64) -> None:
    """A grain of up to 15 grey levels on every eighth pixel or so, like dust on a scan."""
    flat = images.reshape(-1)
    for first in range(0, flat.size, 1 << 20):
        part = flat[first : first + (1 << 20)]
        grain = bits.random_raw(-(-part.size // 8)).astype("<u8").view(np.uint8)[: part.size]
        grain = np.where(grain < 32, grain >> 1, 0).astype(np.uint8)
        np.minimum(part, np.uint8(255) - grain, out=part)
        part += grain
