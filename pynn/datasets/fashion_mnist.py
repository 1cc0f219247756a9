"""Fashion-MNIST: MNIST's form, ten kinds of clothing (Xiao, Rasul, Vollgraf; MIT licence).

0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.
"""

from __future__ import annotations

from pynn.datasets import _mnist_like

__all__ = ["load_data"]

SOURCE = _mnist_like.Source(
    name="Fashion-MNIST",
    folder="fashion-mnist",
    md5={
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
)


def load_data() -> tuple[_mnist_like.Split, _mnist_like.Split]:
    """Load Fashion-MNIST.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 ``(60000, 28, 28)`` and ``(10000, 28, 28)``;
        labels uint8 ``(60000,)`` and ``(10000,)``, 0 to 9.

    Raises:
        DataNotFoundError: no file and no network; lists the places looked at and the ways out.
        CorruptDataError: a file whose checksum is not Fashion-MNIST's.
    """
    return _mnist_like.load(SOURCE)
