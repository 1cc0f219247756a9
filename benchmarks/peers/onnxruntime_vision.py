"""ONNX Runtime on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx_nets import to_onnx
from protocol import serve, threads
from vision_case import cases


def load():  # type: ignore[no-untyped-def]
    import onnx  # noqa: F401
    import onnxruntime

    def predict(net: Any, x: Any) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads()
        model = to_onnx(net, len(x)).SerializeToString()
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        batch = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        return lambda: session.run(None, {"x": batch})[0]

    return {"onnxruntime": onnxruntime.__version__}, cases({"": predict})


if __name__ == "__main__":
    serve(load)
