"""Single kernels of pynn, as programs of one op (or of what is fused into one)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from kernel_cases import CASES, KernelCase, digest
from protocol import WARM_UP_STEPS, serve


def load():  # type: ignore[no-untyped-def]
    import pynn
    from pynn import _core, config, ops
    from pynn.executor.native import NativeProgram
    from pynn.graph.ir import Spec
    from pynn.graph.trace import Trace
    from pynn.graph.variable import Variable, aligned_empty
    from pynn.ops.activations import Relu
    from pynn.ops.attention import Attention, AttentionGrad
    from pynn.ops.conv import Conv2d, Conv2dGradInput, Conv2dGradKernel
    from pynn.ops.layer_normalization import LayerNorm, LayerNormGrad
    from pynn.ops.matmul import Matmul
    from pynn.ops.normalization import BatchNorm, BatchNormGrad
    from pynn.ops.pool import MaxPool2d, MaxPool2dGrad
    from pynn.ops.recurrent import Lstm, LstmGrad
    from pynn.ops.softmax import SparseSoftmaxCrossentropy, SparseSoftmaxCrossentropyGrad
    from pynn.utils import machine

    class Kernel:
        """A program whose operands lie still, as they do inside a step.

        ``compared`` is how many of its results other frameworks give too; ``variables`` are results that are states.
        """

        def __init__(
            self,
            compute: Any,
            arrays: list[np.ndarray],
            compared: int | None = None,
            variables: Sequence[Variable] = (),
        ) -> None:
            with Trace() as trace:
                inputs = [trace.input(f"x{i}", Spec(a.shape, str(a.dtype))) for i, a in enumerate(arrays)]
                graph = trace.finish(compute(*inputs))
            self.program = NativeProgram(graph)
            self.compared, self.variables = compared, variables
            self.outputs = [aligned_empty(v.shape, v.dtype) for v in graph.outputs]
            operands = []
            for a in arrays:
                operands.append(aligned_empty(a.shape, str(a.dtype)))
                operands[-1][...] = a
            self.arguments = [*operands, *self.outputs], config.num_threads()

        def run(self, n: int) -> list[float]:
            step, arguments = self.program._core.run, self.arguments
            for _ in range(WARM_UP_STEPS):
                step(*arguments)
            times = []
            for _ in range(n):
                start = time.perf_counter()
                step(*arguments)
                times.append(time.perf_counter() - start)
            return times

        def losses(self, n: int) -> list[float]:
            self.program._core.run(*self.arguments)
            return digest(*self.outputs[: self.compared], *(v.numpy() for v in self.variables))

    class Peak:
        """What the machine can do at this moment: GFLOP/s and GB/s of main memory."""

        def losses(self, n: int) -> list[float]:
            machine._measure.cache_clear()
            peak = machine.machine_peak()
            return [peak.gflops, peak.memory]

    def gemm(case: KernelCase) -> Kernel:
        s = case.sizes
        a = case.array(0, *((s["k"], s["m"]) if s["transpose_a"] else (s["m"], s["k"])))
        b = case.array(1, *((s["n"], s["k"]) if s["transpose_b"] else (s["k"], s["n"])))
        op = Matmul(s["transpose_a"], s["transpose_b"])
        return Kernel(lambda x, y: [op(x, y)], [a, b])

    def conv(case: KernelCase) -> Kernel:
        s = case.sizes
        config.set_conv_precision("exact" if s["exact"] else "fast")
        pads = ((s["pad"], s["pad"]),) * 2
        common: dict[str, Any] = {"strides": (s["stride"], s["stride"]), "padding": pads}
        x = case.array(0, s["n"], s["h"], s["h"], s["c"])
        w = case.array(1, s["window"], s["window"], s["c"], s["filters"])
        g = case.array(2, s["n"], s["out"], s["out"], s["filters"])
        if s["kind"] == "forward":
            return Kernel(lambda a, b: [Conv2d(**common)(a, b)], [x, w])
        if s["kind"] == "input":
            return Kernel(lambda a, b: [Conv2dGradInput(**common, input_shape=x.shape)(a, b)], [g, w])
        return Kernel(lambda a, b: [Conv2dGradKernel(**common, kernel_shape=w.shape)(a, b)], [x, g])

    def depthwise(case: KernelCase) -> Kernel:
        s = case.sizes
        x, w = case.array(0, s["n"], s["h"], s["h"], s["c"]), case.array(1, 3, 3, 1, s["c"])
        op = Conv2d(padding=((1, 1), (1, 1)), groups=s["c"])
        return Kernel(lambda a, b: [op(a, b)], [x, w])

    def max_pool(case: KernelCase) -> Kernel:
        s = case.sizes
        x = case.array(0, s["n"], s["h"], s["h"], s["c"])
        if s["kind"] == "forward":
            return Kernel(lambda a: [MaxPool2d((2, 2), (2, 2))(a)], [x])
        y = x.reshape(s["n"], s["h"] // 2, 2, s["h"] // 2, 2, s["c"]).max(axis=(2, 4))
        g = case.array(1, *y.shape)
        return Kernel(lambda a, b, c: [MaxPool2dGrad((2, 2), (2, 2))(a, b, c)], [g, x, y])

    def batch_norm_relu(case: KernelCase) -> Kernel:
        s = case.sizes
        x = case.array(0, s["n"], s["h"], s["h"], s["c"])
        gamma, beta = case.array(1, s["c"]), case.array(2, s["c"])

        def forward(x: Any, gamma: Any, beta: Any) -> Any:
            y, mean, variance = BatchNorm(1e-3)(x, gamma, beta)
            return [Relu()(y), mean, variance]

        if s["kind"] == "forward":
            return Kernel(forward, [x, gamma, beta], compared=1)
        first = Kernel(forward, [x, gamma, beta])
        first.losses(1)
        _, mean, variance = first.outputs
        g = case.array(3, *x.shape)

        def backward(g: Any, x: Any, gamma: Any, mean: Any, variance: Any, beta: Any) -> Any:
            return list(BatchNormGrad(1e-3, "relu")(g, x, gamma, mean, variance, beta))  # as the passes fuse it

        return Kernel(backward, [g, x, gamma, mean, variance, beta])

    def softmax_crossentropy(case: KernelCase) -> Kernel:
        s = case.sizes
        x, y = case.array(0, s["rows"], s["classes"]), case.labels(1, s["rows"], s["classes"])

        def compute(x: Any, y: Any) -> Any:
            loss, p = SparseSoftmaxCrossentropy()(x, y)
            return [ops.mean(loss), SparseSoftmaxCrossentropyGrad()(ops.full_like(loss, 1 / s["rows"]), p, y)]

        return Kernel(compute, [x, y])

    def layer_norm(case: KernelCase) -> Kernel:
        s = case.sizes
        x, g = (case.array(i, s["rows"], s["columns"]) for i in (0, 3))
        gamma, beta = case.array(1, s["columns"]), case.array(2, s["columns"])
        forward = Kernel(lambda x, gamma, beta: list(LayerNorm(1e-5)(x, gamma, beta)), [x, gamma, beta], compared=1)
        if s["kind"] == "forward":
            return forward
        forward.losses(1)
        _, mean, rstd = forward.outputs
        return Kernel(lambda *operands: list(LayerNormGrad(1e-5)(*operands)), [g, x, gamma, mean, rstd])

    def lstm(case: KernelCase) -> Kernel:
        """All of the layer: the product with the input for all steps, and what depends on the step before."""
        n, steps, units = (case.sizes[name] for name in ("n", "steps", "units"))
        x, g = (case.array(i, n, steps, units) for i in (0, 4))
        kernel, recurrent = (case.array(i, units, 4 * units) * np.float32(units**-0.5) for i in (1, 2))
        states = [np.zeros((n, units), np.float32)] * 2
        operands = [x, kernel, recurrent, case.array(3, 4 * units), *states]

        def compute(x: Any, kernel: Any, recurrent: Any, bias: Any, h0: Any, c0: Any, *g: Any) -> Any:
            rows = ops.reshape(x, (n * steps, units))
            z = ops.reshape(Matmul()(rows, kernel) + bias, (n, steps, 4 * units))
            sequence, _, _, before, cells, gates = Lstm()(z, recurrent, h0, c0)
            if not g:
                return [sequence]
            dz = ops.reshape(LstmGrad()(gates, cells, c0, recurrent, *g)[0], (n * steps, 4 * units))
            dx = ops.reshape(Matmul(transpose_b=True)(dz, kernel), x.shape)
            before = ops.reshape(before, (n * steps, units))
            of_kernels = [Matmul(transpose_a=True)(a, dz) for a in (rows, before)]
            return [sequence, dx, *of_kernels, ops.sum(dz, axis=0)]

        return Kernel(compute, operands if case.sizes["kind"] == "forward" else [*operands, g])

    def attention(case: KernelCase) -> Kernel:
        s = case.sizes
        q, k, v, g = (case.array(i, s["n"], s["length"], s["heads"], s["dim"]) for i in range(4))
        scale = s["dim"] ** -0.5
        forward = Kernel(lambda *operands: list(Attention(scale)(*operands)), [q, k, v], compared=1)
        if s["kind"] == "forward":
            return forward
        forward.losses(1)
        return Kernel(lambda *operands: list(AttentionGrad(scale)(*operands)), [q, k, v, *forward.outputs, g])

    def adam(case: KernelCase) -> Kernel:
        count, each = case.sizes["count"], case.sizes["each"]
        groups = [[Variable(case.array(kind, each)) for _ in range(count)] for kind in range(2)]
        groups += [[Variable(np.zeros(each, np.float32)) for _ in range(count)] for _ in range(2)]
        w, g, m, v = groups

        def compute() -> Any:
            new = ops.adam_step(0.001, 0, w, g, m, v, 0.9, 0.999, 1e-7)
            for variables, values in zip((w, m, v), new, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)
            return []

        return Kernel(compute, [], variables=[w[0], v[-1]])

    builders: dict[str, Any] = {"peak": Peak}
    images = (conv, depthwise, max_pool, batch_norm_relu)
    others = (gemm, softmax_crossentropy, layer_norm, lstm, attention, adam)
    families = {f.__name__: f for f in (*images, *others)}
    for name, case in CASES.items():
        builders[name] = lambda case=case: families[case.family](case)
    return {"pynn": pynn.__version__, "isa": _core.isa()}, builders


if __name__ == "__main__":
    serve(load)
