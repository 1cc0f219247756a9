"""pynn, on little data."""

from __future__ import annotations

from calls import cases
from protocol import serve


def load():  # type: ignore[no-untyped-def]
    import pynn

    return {"pynn": pynn.__version__}, cases(pynn)


if __name__ == "__main__":
    serve(load)
