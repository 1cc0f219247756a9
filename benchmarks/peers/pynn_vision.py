"""pynn classifies images, and learns to."""

from __future__ import annotations

from typing import Any

from keras_api_nets import build, trainer
from protocol import serve
from vision_case import cases


def load():  # type: ignore[no-untyped-def]
    import pynn

    def predict(net: Any, x: Any) -> Any:
        model = build(pynn, net)
        return lambda: model.predict_on_batch(x)

    def train(net: Any, x: Any, y: Any) -> Any:
        model = trainer(pynn, net)
        return lambda: model.train_on_batch(x, y)

    return {"pynn": pynn.__version__}, cases({"": predict}, {"": train})


if __name__ == "__main__":
    serve(load)
