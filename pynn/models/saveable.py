"""The saving half of a model: its config and its files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pynn.errors import ArgumentError
from pynn.graph import symbolic
from pynn.layers.constructor import automatic_config
from pynn.utils.structure import map_structure

if TYPE_CHECKING:
    from pynn.models.call_graph import CallGraph


class Saveable:
    """What :class:`~pynn.Model` knows about configs and files."""

    name: str
    built: bool
    _graph: CallGraph | None
    _inputs: Any

    if TYPE_CHECKING:  # what Model and Layer add

        def build(self, input_shape: Any = None) -> None: ...
        def _require_built(self, what: str) -> None: ...

    # ---- config ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Everything that :meth:`from_config` needs to make the model again, with new weights.

        Of a functional model: its layers and how they are connected.  Of a class of your own: the constructor's
        arguments, if they are plain values; else override it.
        """
        if self._graph is not None and type(self).__init__ is _model().__init__:
            from pynn.saving.functional_config import functional_config

            return functional_config(self)  # type: ignore[arg-type]
        config: dict[str, Any] = super().get_config()  # type: ignore[misc]
        if type(self).get_config is Saveable.get_config:
            config.update(automatic_config(self, _model()))
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A new model of this config, with new weights.

        Args:
            custom_objects: name -> class or function, for those that are not pynn's own and not registered.

        Example:
            >>> import pynn
            >>> x = pynn.Input((4,))
            >>> model = pynn.Model(x, pynn.layers.Dense(2)(x), name="small")
            >>> pynn.Model.from_config(model.get_config()).count_params()
            10
        """
        from pynn.saving.registration import CustomObjectScope

        with CustomObjectScope(custom_objects):
            if {"layers", "input_layers", "output_layers"} <= set(config):
                from pynn.saving.functional_config import functional_parts

                inputs, outputs = functional_parts(config)
                trainable = bool(config.get("trainable", True))
                return cls(inputs=inputs, outputs=outputs, name=config.get("name"), trainable=trainable)  # type: ignore[call-arg]
            return super().from_config(dict(config))  # type: ignore[misc]

    def to_json(self, **kwargs: Any) -> str:
        """The model's config as text, for :func:`pynn.models.model_from_json`; ``kwargs`` go to ``json.dumps``."""
        from pynn.saving.serialization import serialize_keras_object

        return json.dumps(serialize_keras_object(self), **kwargs)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shape (or shapes) the model was built for."""
        if not self.built:
            return None
        if self._inputs is None:
            return super().get_build_config()  # type: ignore[misc]
        shapes = map_structure(lambda t: t.shape, self._inputs)
        # Keras's functional models have no one shape to write if they have several inputs.
        return {"input_shape": shapes if symbolic.is_shape(shapes) or self._graph is None else None}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Build for the shape that :meth:`get_build_config` gave."""
        shape = config.get("input_shape")
        if shape is not None:
            self.build(symbolic.map_shapes(tuple, shape))
        elif config.get("shapes_dict"):
            super().build_from_config(config)  # type: ignore[misc]

    # ---- files -----------------------------------------------------------------------------------------------

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        zipped: bool | None = None,
        include_optimizer: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write the whole model: config, weights, and the optimizer's state.

        Args:
            filepath: ``*.keras`` (Keras 3's format), ``*.h5`` or ``*.hdf5`` (its older one), or a folder with
                ``zipped=False``.
            overwrite: False is an error if the file exists.
            include_optimizer: False leaves out how the model was compiled (``.h5``) and the optimizer's state.

        The file appears whole or not at all.  Keras reads it, too.
        """
        from pynn.saving.saving_api import save_model

        save_model(self, filepath, overwrite, zipped, include_optimizer=include_optimizer, **kwargs)  # type: ignore[arg-type]

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write all weights to a file.

        Args:
            filepath: ``*.weights.h5`` (Keras's layout, needs h5py), ``*.h5`` (its older one), ``*.safetensors``, or
                ``*.npz`` (NumPy only).

        The file appears whole or not at all: it is written beside its place and renamed.
        """
        from pynn.saving.saving_api import save_weights

        save_weights(self, filepath, overwrite)  # type: ignore[arg-type]

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read weights that :meth:`save_weights` or Keras's own ``save_weights`` wrote.

        Args:
            filepath: a file of any format that :meth:`save_weights` and :meth:`save` write; its content says which.
            skip_mismatch: leave layers whose weights do not fit as they are, with a warning.
            by_name: of ``.h5`` files: find layers by their names instead of their order.

        Raises:
            ShapeError: the file does not fit the model; nothing is changed.
        """
        from pynn.saving.saving_api import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)  # type: ignore[arg-type]

    def export(
        self,
        filepath: Any,
        format: str = "onnx",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write the model's inference as a file for other programs; needs ``pip install 'pynn-engine[onnx]'``.

        Args:
            filepath: where to; the file appears whole or not at all.
            format: ``"onnx"`` only.  (Keras's default is TensorFlow's SavedModel, which pynn does not write.)
            verbose: whether to say where the file is; None as True.
            input_signature: shapes and dtypes of the inputs, ``[InputSpec(shape=(None, 224, 224, 3))]``, for axes whose
                lengths the model leaves open and the file should fix, and for models that were never called.  Axes of
                None stay open; the batch's is called ``batch``.
            opset_version: 18, the one that is written.

        Raises:
            ArgumentError: another format or option, a layer whose op has no translation, or a model that is not told
                by its graph (it keeps state between calls, or unrolls an axis of open length).
            ImportError: the package onnx is not installed.

        Example:
            >>> import pynn, tempfile, os
            >>> model = pynn.Sequential([pynn.Input((4,)), pynn.layers.Dense(3, activation="softmax")])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     model.export(os.path.join(folder, "model.onnx"), verbose=False)
            ...     os.listdir(folder)
            ['model.onnx']
        """
        if format != "onnx":
            raise ArgumentError(
                f"model '{self.name}': export(format={format!r}) is not supported; pynn writes format='onnx', which "
                "other programs read. For another format, save the model as .keras, and export it where Keras and the "
                f"library are installed: keras.saving.load_model('model.keras').export({str(filepath)!r}, "
                f"format={format!r})"
            )
        opset_version = kwargs.pop("opset_version", None)
        if kwargs:
            raise ArgumentError(
                f"model '{self.name}': export(format='onnx') takes input_signature, verbose and opset_version, "
                f"received {', '.join(sorted(kwargs))}"
            )
        from pynn.onnx.exporting import export

        export(self, filepath, input_signature, opset_version)
        if verbose is None or verbose:
            print(f"Saved artifact at '{filepath}'.")

    def to_torch_state_dict(self, names: Any = None) -> dict[str, Any]:
        """The weights as PyTorch's modules hold them, for ``module.load_state_dict``.

        Kernels change their axes, GRUs the order of their gates, and a Dense layer after the Flatten of images the
        order of its rows, so that a PyTorch module of the same layers, which takes its images channels first, gives
        the same results.  PyTorch itself is not needed.

        Args:
            names: None: ``<layer>.weight``, ``<layer>.bias``, ``<layer>.running_mean`` ..., parts of nested models as
                ``<model>.<layer>.weight``.  ``"torchvision"``: torchvision's names, of VGG16, VGG19, ResNet50, 101 and
                152, DenseNet121, 169 and 201, MobileNetV2 and InceptionV3 (where the two differ:
                :mod:`pynn.applications.torchvision_names`).  A dictionary from layers' paths to modules' for others.

        Returns:
            Copies, as float32 NumPy arrays.  ``{k: torch.from_numpy(v) for k, v in state.items()}`` makes tensors of
            them, and ``load_state_dict(..., strict=False)`` passes over the counters of batch normalization, which
            pynn does not have.

        Raises:
            ArgumentError: a layer whose weights no module of PyTorch holds, or an unknown layer in ``names``.

        Example:
            >>> import pynn
            >>> model = pynn.Sequential([pynn.Input((8, 8, 3)), pynn.layers.Conv2D(4, 3, name="conv")])
            >>> {name: array.shape for name, array in model.to_torch_state_dict().items()}
            {'conv.weight': (4, 3, 3, 3), 'conv.bias': (4,)}
        """
        from pynn.saving.torch_state import to_torch_state_dict

        return to_torch_state_dict(self, names)

    def load_torch_state_dict(self, state_dict: Mapping[str, Any], names: Any = None) -> None:
        """Take the weights of a PyTorch module: the way back of :meth:`to_torch_state_dict`.

        Args:
            state_dict: ``module.state_dict()``, or what ``torch.load(file, weights_only=True)`` or
                ``safetensors.numpy.load_file`` gave: names to tensors or arrays.
            names: as in :meth:`to_torch_state_dict`.

        Raises:
            ArgumentError: names that are missing or not expected; nothing is changed.
            ShapeError: an array of another shape; nothing is changed.

        Example:
            >>> import pynn
            >>> model = pynn.Sequential([pynn.Input((3,)), pynn.layers.Dense(2, name="fc")])
            >>> model.load_torch_state_dict({"fc.weight": [[1.0, 2, 3], [4, 5, 6]], "fc.bias": [0.0, 1]})
            >>> model.predict([[1.0, 1, 1]], verbose=0).tolist()
            [[6.0, 16.0]]
        """
        from pynn.saving.torch_state import load_torch_state_dict

        load_torch_state_dict(self, state_dict, names)

    def __reduce__(self) -> Any:
        """Models are pickled and copied as their files are written: with weights, optimizer and compilation."""
        from pynn.saving.pickling import reduce_model

        return reduce_model(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        from pynn.saving.pickling import copy_model

        return memo.setdefault(id(self), copy_model(self))


def _model() -> Any:
    from pynn.models.model import Model

    return Model
