"""Maxima, minima and saddle points of a function of two numbers, by its gradient and its Hessian.

Where the gradient is 0, r, s and t are the second derivatives along x, of both, and along y:
r t - s^2 > 0 is a minimum if r > 0 and a maximum if r < 0; r t - s^2 < 0 is a saddle point; 0 says nothing.
"""

import argparse
from pathlib import Path

import numpy as np

import pynn
from pynn import ops

FUNCTIONS = {
    "cubes": lambda x, y: x**3 - 3 * x + y**3 - 3 * y,
    "waves": lambda x, y: ops.sin(x) * ops.cos(y),
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "flat": lambda x, y: x**4 + y**4,  # a minimum that the second derivatives do not see
}
MARKS = {"minimum": "v", "maximum": "^", "saddle point": "x", "undecided": "s"}


def classify(hessian):
    """What a critical point with these second derivatives is."""
    (r, s), (_, t) = hessian
    scale, determinant = np.abs(hessian).max(), r * t - s**2
    if abs(determinant) <= 1e-4 * max(scale, 1) ** 2:
        return "undecided"
    return "saddle point" if determinant < 0 else "minimum" if r > 0 else "maximum"


def critical_points(f, size, starts=9):
    """{(x, y): kind} within -size ... size: Newton's steps towards a gradient of 0, from places all over."""
    gradient = pynn.grad(lambda p: f(p[0], p[1]))
    hessian = pynn.hessian(lambda p: f(p[0], p[1]))
    found = {}
    for start in np.stack(np.meshgrid(*[np.linspace(-size, size, starts)] * 2), -1).reshape(-1, 2):
        p, step = start.astype("float64"), np.inf
        for _ in range(50):
            if np.abs(step).max() < 1e-6 or np.abs(p).max() > 10 * size:
                break
            step = np.linalg.lstsq(np.asarray(hessian(p)), np.asarray(gradient(p)), rcond=None)[0]
            p = p - step
        known = any(np.abs(p - other).max() < 0.01 for other in found)
        still = np.abs(step).max() < 1e-4 and np.abs(gradient(p)).max() < 1e-3
        if still and np.abs(p).max() <= size and not known:
            found[tuple(p.tolist())] = classify(np.asarray(hessian(p)))
    return {tuple(float(round(n, 2)) + 0.0 for n in p): found[p] for p in sorted(found)}  # + 0.0: no -0.0


def draw(f, points, size, title, path):
    from matplotlib.figure import Figure

    x, y = np.meshgrid(*[np.linspace(-size, size, 200)] * 2)
    axes = (figure := Figure(figsize=(6.4, 5.2), layout="constrained")).subplots()
    figure.colorbar(axes.contourf(x, y, np.asarray(f(x, y)), 40, cmap="viridis"))
    for kind, mark in MARKS.items():
        places = np.array([p for p, k in points.items() if k == kind]).reshape(-1, 2)
        if len(places):
            axes.plot(*places.T, mark, color="white", markeredgecolor="red", markersize=10, label=kind)
    axes.legend(loc="upper right")
    axes.set(title=title, xlabel="x", ylabel="y")
    figure.savefig(path, dpi=100)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--function", choices=FUNCTIONS, nargs="+", default=list(FUNCTIONS))
parser.add_argument("--size", type=float, default=5.0, help="look within -size ... size")
parser.add_argument("--folder", type=Path, default=Path("critical_points"))
options = parser.parse_args()
options.folder.mkdir(parents=True, exist_ok=True)
for name in options.function:
    points = critical_points(FUNCTIONS[name], options.size)
    print(f"{name}:", *(f"  ({x:5.2f}, {y:5.2f})  {kind}" for (x, y), kind in points.items()), sep="\n")
    draw(FUNCTIONS[name], points, options.size, name, options.folder / f"{name}.png")
print(f"pictures: {options.folder}")
