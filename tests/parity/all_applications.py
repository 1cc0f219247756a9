"""Every network of ``keras.applications`` beside ours: at its own size with the top, at another one without.

    KERAS_BACKEND=jax python tests/parity/all_applications.py [NAME ...]

Both get the same random weights and images.  A line per case says the largest difference of the outputs, as a part of
what lies between the largest and the smallest output; more than 1e-4 is an error.
"""

import gc
import sys
import time

import numpy as np
from test_applications_against_keras import give_numbers, images, layers_of, pair

ALLOWED = 1e-4


def networks(keras, pynn):
    """Names of the functions that both have."""
    return [n for n in sorted(pynn.applications.__all__) if n[0].isupper() and hasattr(keras.applications, n)]


def difference(keras, name, **arguments):
    """Size of the images, parameters, and the largest difference of the outputs as a part of their spread."""
    theirs, ours = pair(keras, name, **arguments)
    assert layers_of(ours) == layers_of(theirs), f"{name}: other layers or weights"
    x = images(name, arguments["input_shape"][0], count=2)
    give_numbers(theirs, ours, x)
    expected = theirs.predict(x, verbose=0)
    found = ours.predict(x, verbose=0)
    assert np.ptp(expected, 0).max() > 5e-3 * np.ptp(expected), f"{name}: the outputs do not depend on the image"
    return x.shape[1], ours.count_params(), float(np.abs(found - expected).max() / np.ptp(expected))


def main(names):
    import keras

    import pynn

    wrong = 0
    for name in names or networks(keras, pynn):
        own = pair(keras, name)[1].input_shape[1] or 224
        for arguments in (
            {"input_shape": (own, own, 3)},
            {"input_shape": (max(own // 2, 75) + 1,) * 2 + (3,), "include_top": False, "pooling": "avg"},
        ):
            started = time.perf_counter()
            size, parameters, part = difference(keras, name, **arguments)
            gc.collect()
            top = "with top   " if arguments.get("include_top", True) else "without top"
            print(
                f"{name:20s} {parameters:12,d} parameters  {size}x{size} {top}  {part:.1e}"
                f"{'' if part <= ALLOWED else '  WRONG'}  ({time.perf_counter() - started:.0f} s)",
                flush=True,
            )
            wrong += part > ALLOWED
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) > 0)
