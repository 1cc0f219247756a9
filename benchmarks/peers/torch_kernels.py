"""Single kernels of PyTorch: images in its default layout, and channels last."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from kernel_cases import CASES, KernelCase, digest
from protocol import WARM_UP_STEPS, serve, threads


def load():  # type: ignore[no-untyped-def]
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads())
    torch.set_grad_enabled(False)

    class Kernel:
        """``compute`` gives the results that ``digest`` compares, as (n, h, w, c) where they are images."""

        def __init__(self, compute: Callable[[], Any], results: Callable[[Any], Sequence[Any]]) -> None:
            self.compute, self.results = compute, results

        def run(self, n: int) -> list[float]:
            for _ in range(WARM_UP_STEPS):
                self.compute()
            times = []
            for _ in range(n):
                start = time.perf_counter()
                self.compute()
                times.append(time.perf_counter() - start)
            return times

        def losses(self, n: int) -> list[float]:
            results = self.results(self.compute())
            return digest(*(np.ascontiguousarray(r.detach().numpy()) for r in results))

    def image(array: np.ndarray, last: bool) -> Any:
        tensor = torch.from_numpy(array).permute(0, 3, 1, 2)
        return tensor.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)

    def window(array: np.ndarray, last: bool) -> Any:
        tensor = torch.from_numpy(array).permute(3, 2, 0, 1)
        return tensor.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)

    def nhwc(tensor: Any) -> Any:
        return tensor.permute(0, 2, 3, 1)

    def gemm(case: KernelCase, last: bool) -> Kernel:
        s = case.sizes
        a = torch.from_numpy(case.array(0, *((s["k"], s["m"]) if s["transpose_a"] else (s["m"], s["k"]))))
        b = torch.from_numpy(case.array(1, *((s["n"], s["k"]) if s["transpose_b"] else (s["k"], s["n"]))))
        a, b = a.T if s["transpose_a"] else a, b.T if s["transpose_b"] else b
        y = torch.empty(s["m"], s["n"])
        return Kernel(lambda: torch.mm(a, b, out=y), lambda y: [y])

    def conv(case: KernelCase, last: bool) -> Kernel:
        s = case.sizes
        x = image(case.array(0, s["n"], s["h"], s["h"], s["c"]), last)
        w = window(case.array(1, s["window"], s["window"], s["c"], s["filters"]), last)
        g = image(case.array(2, s["n"], s["out"], s["out"], s["filters"]), last)
        stride, pad = [s["stride"]] * 2, [s["pad"]] * 2
        if s["kind"] == "forward":
            return Kernel(lambda: functional.conv2d(x, w, None, stride, pad), lambda y: [nhwc(y)])
        of_input = s["kind"] == "input"
        mask = [of_input, not of_input, False]

        def backward() -> Any:
            grads = torch.ops.aten.convolution_backward(g, x, w, None, stride, pad, [1, 1], False, [0, 0], 1, mask)
            return grads[0 if of_input else 1]

        return Kernel(backward, lambda y: [nhwc(y) if of_input else y.permute(2, 3, 1, 0)])

    def depthwise(case: KernelCase, last: bool) -> Kernel:
        s = case.sizes
        x, w = image(case.array(0, s["n"], s["h"], s["h"], s["c"]), last), window(case.array(1, 3, 3, 1, s["c"]), last)
        return Kernel(lambda: functional.conv2d(x, w, None, 1, 1, 1, s["c"]), lambda y: [nhwc(y)])

    def max_pool(case: KernelCase, last: bool) -> Kernel:
        s = case.sizes
        x = image(case.array(0, s["n"], s["h"], s["h"], s["c"]), last)
        if s["kind"] == "forward":
            return Kernel(lambda: functional.max_pool2d(x, 2), lambda y: [nhwc(y)])
        _, places = torch.ops.aten.max_pool2d_with_indices(x, [2, 2], [2, 2])
        g = image(case.array(1, s["n"], s["h"] // 2, s["h"] // 2, s["c"]), last)
        backward = torch.ops.aten.max_pool2d_with_indices_backward
        return Kernel(lambda: backward(g, x, [2, 2], [2, 2], [0, 0], [1, 1], False, places), lambda y: [nhwc(y)])

    def batch_norm_relu(case: KernelCase, last: bool) -> Kernel:
        s = case.sizes
        x = image(case.array(0, s["n"], s["h"], s["h"], s["c"]), last)
        gamma, beta = torch.from_numpy(case.array(1, s["c"])), torch.from_numpy(case.array(2, s["c"]))

        def forward() -> Any:
            return functional.relu(functional.batch_norm(x, None, None, gamma, beta, True, 0.1, 1e-3))

        if s["kind"] == "forward":
            return Kernel(forward, lambda y: [nhwc(y)])
        backward = gradients_of(forward, (x, gamma, beta), image(case.array(3, s["n"], s["h"], s["h"], s["c"]), last))
        backward.results = lambda found: [nhwc(found[0]), found[1], found[2]]
        return backward

    def softmax_crossentropy(case: KernelCase, last: bool) -> Kernel:
        s = case.sizes
        x = torch.from_numpy(case.array(0, s["rows"], s["classes"])).requires_grad_()
        y = torch.from_numpy(case.labels(1, s["rows"], s["classes"])).long()

        def compute() -> Any:
            with torch.enable_grad():
                loss = functional.cross_entropy(x, y)
            return loss, torch.autograd.grad(loss, x)[0]

        return Kernel(compute, list)

    def layer_norm(case: KernelCase, last: bool) -> Kernel:
        s = case.sizes
        x, g = (torch.from_numpy(case.array(i, s["rows"], s["columns"])) for i in (0, 3))
        gamma, beta = (torch.from_numpy(case.array(i, s["columns"])) for i in (1, 2))
        leaves = x, gamma, beta

        def forward() -> Any:
            return functional.layer_norm(x, [s["columns"]], gamma, beta, 1e-5)

        return Kernel(forward, lambda y: [y]) if s["kind"] == "forward" else gradients_of(forward, leaves, g)

    def lstm(case: KernelCase, last: bool) -> Kernel:
        n, steps, units = (case.sizes[name] for name in ("n", "steps", "units"))
        x, g = (torch.from_numpy(case.array(i, n, steps, units)) for i in (0, 4))
        layer = torch.nn.LSTM(units, units, batch_first=True)
        for i, weight in ((1, layer.weight_ih_l0), (2, layer.weight_hh_l0)):
            weight.copy_(torch.from_numpy(case.array(i, units, 4 * units).T * np.float32(units**-0.5)))
        layer.bias_ih_l0.copy_(torch.from_numpy(case.array(3, 4 * units)))
        layer.bias_hh_l0.zero_().requires_grad_(False)
        if case.sizes["kind"] == "forward":
            return Kernel(lambda: layer(x)[0], lambda y: [y])
        leaves = x.requires_grad_(), layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0

        def training() -> Any:
            with torch.enable_grad():
                y = layer(x)[0]
            return y, *torch.autograd.grad(y, leaves, g)

        return Kernel(training, lambda found: [t.T if i in (2, 3) else t for i, t in enumerate(found)])

    def attention(case: KernelCase, last: bool) -> Kernel:
        """``last`` stands for heads that lie as a projection leaves them, behind the sequence; else before it."""
        s = case.sizes

        def heads_first(i: int) -> Any:
            tensor = torch.from_numpy(case.array(i, s["n"], s["length"], s["heads"], s["dim"])).transpose(1, 2)
            return tensor if last else tensor.contiguous()

        leaves, g = [heads_first(i) for i in range(3)], heads_first(3)

        def forward() -> Any:
            return functional.scaled_dot_product_attention(*leaves)

        if s["kind"] == "forward":
            return Kernel(forward, lambda y: [y.transpose(1, 2)])
        backward = gradients_of(forward, leaves, g)
        backward.results = lambda found: [t.transpose(1, 2) for t in found]
        return backward

    def gradients_of(forward: Callable[[], Any], leaves: Sequence[Any], g: Any) -> Kernel:
        for leaf in leaves:
            leaf.requires_grad_()
        with torch.enable_grad():
            y = forward()
        return Kernel(lambda: torch.autograd.grad(y, leaves, g, retain_graph=True), list)

    def adam(case: KernelCase, last: bool) -> Kernel:
        """``last`` stands for the fused optimizer here."""
        count, each = case.sizes["count"], case.sizes["each"]
        weights = [torch.nn.Parameter(torch.from_numpy(case.array(0, each)), True) for _ in range(count)]
        for w in weights:
            w.grad = torch.from_numpy(case.array(1, each))
        optimizer = torch.optim.Adam(weights, lr=0.001, betas=(0.9, 0.999), eps=1e-7, fused=last, foreach=not last)

        def step() -> None:
            optimizer.step()

        # Keras puts epsilon elsewhere: the weights agree to about 1e-6, the slots exactly.
        return Kernel(step, lambda _: [weights[0], optimizer.state[weights[-1]]["exp_avg_sq"]])

    images = (conv, depthwise, max_pool, batch_norm_relu)
    without_layout = (gemm, softmax_crossentropy, layer_norm, lstm)
    families = {f.__name__: f for f in (*images, *without_layout, attention, adam)}
    seconds = {"adam": "fused", "attention": "as_projected"}
    builders: dict[str, Any] = {}
    for name, case in CASES.items():
        second = seconds.get(case.family, "channels_last")
        for last in (False,) if families[case.family] in without_layout else (False, True):
            builders[f"{name}.{second}" if last else name] = lambda case=case, last=last: families[case.family](
                case, last
            )
    return {"torch": torch.__version__}, builders


if __name__ == "__main__":
    serve(load)
