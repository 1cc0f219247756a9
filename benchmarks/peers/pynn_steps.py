"""pynn."""

from __future__ import annotations

from keras_api import cases
from protocol import serve


def load():  # type: ignore[no-untyped-def]
    import pynn

    return {"pynn": pynn.__version__}, cases(pynn, lambda array: array, {"": {}})


if __name__ == "__main__":
    serve(load)
