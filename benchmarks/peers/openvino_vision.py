"""OpenVINO on the CPU, in float32 as the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx_nets import to_onnx
from protocol import serve, threads
from vision_case import cases


def load():  # type: ignore[no-untyped-def]
    import io

    import onnx  # noqa: F401
    import openvino

    core = openvino.Core()

    def predict(net: Any, x: Any) -> Any:
        model = core.read_model(io.BytesIO(to_onnx(net, len(x)).SerializeToString()))
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": threads(),
            "INFERENCE_PRECISION_HINT": "f32",
        }
        compiled = core.compile_model(model, "CPU", settings)
        request = compiled.create_infer_request()
        batch = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        return lambda: request.infer({0: batch})[0]

    return {"openvino": openvino.__version__.split("-")[0]}, cases({"": predict})


if __name__ == "__main__":
    serve(load)
