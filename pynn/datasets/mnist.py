"""MNIST: 28x28 grey images of handwritten digits, 60,000 to train, 10,000 to test (LeCun, Cortes, Burges)."""

from __future__ import annotations

from pynn.datasets import _mnist_like

__all__ = ["load_data"]

SOURCE = _mnist_like.Source(
    name="MNIST",
    folder="mnist",
    md5={
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
)


def load_data(path: str = "mnist.npz") -> tuple[_mnist_like.Split, _mnist_like.Split]:
    """Load MNIST.

    Args:
        path: name of Keras's archive, taken instead of the four idx files where it is there: relative to
            ``PYNN_DATA_DIR`` or the cache, or absolute.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images uint8 ``(60000, 28, 28)`` and ``(10000, 28, 28)``, 0
        is background; labels uint8 ``(60000,)`` and ``(10000,)``, 0 to 9.

    Raises:
        DataNotFoundError: no file and no network; lists the places looked at and the ways out.
        CorruptDataError: a file whose checksum is not MNIST's.
    """
    return _mnist_like.load(SOURCE, path)
