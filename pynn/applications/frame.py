"""What all architectures share: the arguments of ``keras.applications``, the input, the top and the weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynn import layers, settings
from pynn.applications import weight_files
from pynn.applications.weight_files import WeightFile
from pynn.errors import ArgumentError, ShapeError
from pynn.graph.symbolic import KerasTensor
from pynn.models import Model
from pynn.utils.callers import users_line

#: With the top, without it.
Files = tuple[WeightFile, WeightFile]
CLASSES = 1000

_ARGUMENTS = """

    Args:
        include_top: with the classifier on top.{preprocessing}
        weights: None (random), ``"imagenet"`` (published weights, downloaded once) or the path of a file.
        input_tensor: a symbolic tensor to start at.
        input_shape: of one image; free without the top and without ImageNet's weights. At least {least} x {least}
            pixels, {size} x {size} by default.
        pooling: without the top: None (the last feature maps), ``"avg"`` or ``"max"`` over all places.
        classes: number of classes.
        classifier_activation: of the top; None for logits.
        name: of the model.

    Raises:
        ArgumentError: arguments that do not go together.
        ShapeError: an input shape that the network cannot take.
        DataNotFoundError: the weights are not here and could not be downloaded.
    """


def channel_axis() -> int:
    """Of images: the last, or 1 where ``pynn.config.set_image_data_format("channels_first")`` holds."""
    return 1 if settings.image_data_format() == "channels_first" else -1


def only_own_weights(network: str, weights: Any) -> None:
    """Refuse ImageNet's weights for a network that there are none for."""
    if weights == "imagenet":
        raise ArgumentError(
            f"{network}: there are no published weights of ImageNet for it; pass weights=None or the path of a file"
        )


@dataclass(frozen=True)
class Options:
    """The arguments that all architectures take."""

    include_top: bool
    weights: Any
    input_tensor: Any
    input_shape: Any
    pooling: str | None
    classes: int
    classifier_activation: Any


class Frame:
    """One network being built: from ``image`` to ``model``.

    Args:
        network: its name, for messages.
        options: what the user wants.
        size: height and width of images if the user does not say; ImageNet's weights with a top need it.
        least: the smallest height and width.
        any_size: the top takes images of any size, also unknown ones.
        channels: of images if the user does not say.
    """

    def __init__(
        self, network: str, options: Options, size: int = 224, least: int = 32, any_size: bool = False,
        channels: int = 3,
    ):  # fmt: skip
        self.network, self.options, self.least, self._channels = network, options, least, channels
        self._fixed = options.include_top and not any_size
        self._check_options()
        self.shape = self._input_shape(size)
        #: What the first layer is called on.
        self.image: Any = options.input_tensor
        if options.input_tensor is None:
            self.image = layers.Input(self.shape)
            self._inputs: Any = self.image
        elif isinstance(options.input_tensor, KerasTensor):
            self._inputs = _sources(options.input_tensor)
        else:
            raise ArgumentError(
                f"{network}: input_tensor must be a symbolic tensor such as Input(({size}, {size}, 3)) gives, received "
                f"{type(options.input_tensor).__name__}"
            )

    def _check_options(self) -> None:
        o = self.options
        if o.weights not in (None, "imagenet") and not Path(o.weights).exists():
            raise ArgumentError(
                f"{self.network}: weights must be None, 'imagenet' or the path of a file; there is no file {o.weights}"
            )
        if o.weights == "imagenet" and o.include_top and o.classes != CLASSES:
            raise ArgumentError(
                f"{self.network}: ImageNet's weights are for {CLASSES} classes, received classes={o.classes}; pass "
                "include_top=False and put a layer of your own on top, or weights=None"
            )
        if o.pooling not in (None, "avg", "max"):
            raise ArgumentError(f"{self.network}: pooling must be None, 'avg' or 'max', received {o.pooling!r}")
        if o.include_top and o.weights is not None and o.classifier_activation not in (None, "softmax"):
            raise ArgumentError(
                f"{self.network}: with weights that were trained before, classifier_activation must be None or "
                f"'softmax', received {o.classifier_activation!r}"
            )

    def _input_shape(self, size: int) -> tuple[int | None, ...]:
        """Of one image, in the order of the data format."""
        o = self.options
        first = settings.image_data_format() == "channels_first"
        imagenet = o.weights == "imagenet"
        shape = None if o.input_shape is None else tuple(o.input_shape)
        if shape is not None and len(shape) != 3:
            raise ShapeError(f"{self.network}: input_shape must be three numbers, as (224, 224, 3), received {shape}")
        channels = self._channels if shape is None else shape[0 if first else -1]
        default = (channels, size, size) if first else (size, size, channels)
        if shape is None:
            return default if self._fixed else tuple(n if n == channels else None for n in default)
        if imagenet and channels != 3:
            raise ShapeError(f"{self.network}: ImageNet's weights are for 3 channels, received input_shape={shape}")
        if imagenet and self._fixed and shape != default:
            raise ShapeError(
                f"{self.network}: ImageNet's weights with the top are for images of {default}, received "
                f"input_shape={shape}; pass include_top=False for images of other sizes"
            )
        if channels not in (1, 3):
            warnings.warn(
                f"{self.network} usually gets images of 1 or 3 channels, received {channels}", stacklevel=users_line()
            )
        sides = shape[1:] if first else shape[:2]
        if any(n is not None and n < self.least for n in sides):
            raise ShapeError(
                f"{self.network}: images must have at least {self.least}x{self.least} pixels, received "
                f"input_shape={shape}"
            )
        if self._fixed and None in shape:
            raise ShapeError(
                f"{self.network}: the top needs a known size of images, received input_shape={shape}; pass "
                "include_top=False for images of any size"
            )
        return shape

    @property
    def sides(self) -> tuple[int | None, int | None]:
        """Height and width."""
        return self.shape[1:] if settings.image_data_format() == "channels_first" else self.shape[:2]  # type: ignore[return-value]

    def top(
        self, x: Any, average: str | None = "avg_pool", dropout: float = 0, pool_names: bool = False,
        initializer: Any = "glorot_uniform",
    ) -> Any:  # fmt: skip
        """The end that most networks have: an average over all places and a dense layer, or the pooling asked for.

        Args:
            x: the last feature maps.
            average: name of the layer before the dense one.
            dropout: between the two.
            pool_names: the layer for ``pooling`` is called ``avg_pool`` or ``max_pool``.
            initializer: of the dense layer's kernel.
        """
        if not self.options.include_top:
            return self.pooled(x, pool_names)
        x = layers.GlobalAveragePooling2D(name=average)(x)
        if dropout > 0:
            x = layers.Dropout(dropout, name="top_dropout")(x)
        return self.classifier(x, initializer=initializer)

    def classifier(self, x: Any, name: str = "predictions", initializer: Any = "glorot_uniform") -> Any:
        """The dense layer that says the class."""
        o = self.options
        return layers.Dense(
            o.classes, activation=o.classifier_activation, kernel_initializer=initializer, name=name
        )(x)  # fmt: skip

    def pooled(self, x: Any, names: bool = False) -> Any:
        """Feature maps as the user wants them."""
        pooling = self.options.pooling
        if pooling is None:
            return x
        kind = layers.GlobalAveragePooling2D if pooling == "avg" else layers.GlobalMaxPooling2D
        return kind(name=f"{pooling}_pool" if names else None)(x)

    def model(self, x: Any, name: str | None, files: Files | Callable[[], Files] | None = None) -> Model:
        """From the input to ``x``, with its weights; ``files`` are those for ``"imagenet"``."""
        model = Model(self._inputs, x, name=name)
        weights = self.options.weights
        if weights == "imagenet" and files is not None:
            pair = files() if callable(files) else files
            weights = weight_files.find(pair[0 if self.options.include_top else 1])
        if weights is not None:
            model.load_weights(weights)
        return model


def _sources(tensor: KerasTensor) -> Any:
    """The inputs that a symbolic tensor was made of: one, or a list."""
    found: dict[int, KerasTensor] = {}
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        t = waiting.pop()
        if id(t) in seen:
            continue
        seen.add(id(t))
        if not t.call.inputs:
            found.setdefault(id(t), t)
        waiting += reversed(t.call.inputs)
    inputs = list(found.values())
    return inputs[0] if len(inputs) == 1 else inputs


def described(application: Callable[..., Model], network: str, module: str, about: str, size: int = 224,
              least: int = 32, preprocessing: str = "") -> Callable[..., Model]:  # fmt: skip
    """The public function of a network, with its name, home and docstring.

    Args:
        application: what it does.
        network, about, size, least: as of :func:`architecture`.
        module: where it is.
        preprocessing: what its argument ``include_preprocessing`` does, if it has one.
    """
    application.__name__ = application.__qualname__ = network
    application.__module__ = module
    more = f"\n        include_preprocessing: {preprocessing}" if preprocessing else ""
    application.__doc__ = about + _ARGUMENTS.format(size=size, least=least, preprocessing=more)
    return application


def architecture(
    network: str, build: Callable[[Frame], Any], files: Files, about: str, size: int = 224, least: int = 32,
    model_name: str | None = None,
) -> Callable[..., Model]:  # fmt: skip
    """The public function of a network.

    Args:
        network: name of the function.
        build: makes the last layer's output from a :class:`Frame`.
        files: published weights.
        about: first line of its docstring: paper and number of parameters.
        size: default height and width of images.
        least: smallest ones.
        model_name: the model's default name; the lower-case name of the function if it is not given.
    """

    def application(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: Any = None,
        pooling: str | None = None,
        classes: int = CLASSES,
        classifier_activation: Any = "softmax",
        name: str | None = model_name or network.lower(),
    ) -> Model:
        options = Options(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        frame = Frame(network, options, size, least)
        return frame.model(build(frame), name, files)

    return described(application, network, build.__module__, about, size, least)
