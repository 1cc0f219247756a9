"""NumPy by hand: the gradients of the MLP on paper, every array allocated once."""

from __future__ import annotations

from networks import BATCH, NETWORKS, SGD_RATE
from protocol import Epochs, Steps, serve


def load():  # type: ignore[no-untyped-def]
    import numpy as np

    def build():  # type: ignore[no-untyped-def]
        w1, b1, w2, b2 = NETWORKS["mlp"].weights()
        hidden = np.empty((BATCH, 64), np.float32)
        g_hidden = np.empty_like(hidden)
        p = np.empty((BATCH, 10), np.float32)
        g = np.empty_like(p)
        row = np.empty((BATCH, 1), np.float32)
        g_w1, g_w2 = np.empty_like(w1), np.empty_like(w2)
        ones = np.ones(BATCH, np.float32)
        scale = np.float32(2 / p.size)
        rate = np.float32(SGD_RATE)

        def train(x: np.ndarray, y: np.ndarray) -> float:
            nonlocal b1, b2
            np.matmul(x, w1, out=hidden)
            np.add(hidden, b1, out=hidden)
            np.negative(hidden, out=hidden)
            np.exp(hidden, out=hidden)
            np.add(hidden, 1, out=hidden)
            np.reciprocal(hidden, out=hidden)
            np.matmul(hidden, w2, out=p)
            np.add(p, b2, out=p)
            np.subtract(p, p.max(axis=1, keepdims=True), out=p)
            np.exp(p, out=p)
            np.sum(p, axis=1, keepdims=True, out=row)
            np.divide(p, row, out=p)

            np.subtract(p, y, out=g)
            flat = g.reshape(-1)
            loss = float(flat @ flat) / flat.size
            # d loss / d p = 2 (p - y) / size, and through the softmax p (g - sum(g p)).
            np.multiply(g, scale, out=g)
            np.einsum("ij,ij->i", g, p, out=row[:, 0])
            np.subtract(g, row, out=g)
            np.multiply(g, p, out=g)
            np.matmul(hidden.T, g, out=g_w2)
            np.matmul(g, w2.T, out=g_hidden)
            # sigmoid' = h (1 - h)
            np.multiply(g_hidden, hidden, out=g_hidden)
            np.subtract(1, hidden, out=hidden)
            np.multiply(g_hidden, hidden, out=g_hidden)
            np.matmul(x.T, g_hidden, out=g_w1)

            for w, g_w in ((w1, g_w1), (w2, g_w2)):
                np.multiply(g_w, rate, out=g_w)
                np.subtract(w, g_w, out=w)
            b1 -= rate * (ones @ g_hidden)
            b2 -= rate * (ones @ g)
            return loss

        return train

    def step() -> Steps:
        train = build()
        x, y = NETWORKS["mlp"].data(BATCH)
        return Steps(lambda: train(x, y))

    def fit() -> Epochs:
        train = build()
        x, y = NETWORKS["mlp"].data()
        samples = len(x)
        rng = np.random.default_rng(0)
        x_batch, y_batch = np.empty((BATCH, 784), np.float32), np.empty((BATCH, 10), np.float32)

        def epoch() -> float:
            order = rng.permutation(samples)
            total = 0.0
            for start in range(0, samples, BATCH):
                rows = order[start : start + BATCH]
                np.take(x, rows, axis=0, out=x_batch, mode="clip")
                np.take(y, rows, axis=0, out=y_batch, mode="clip")
                total += train(x_batch, y_batch)
            return total / (samples // BATCH)

        return Epochs(epoch, samples // BATCH)

    return {"numpy": np.__version__}, {"mlp.step": step, "mlp.fit": fit}


if __name__ == "__main__":
    serve(load)
