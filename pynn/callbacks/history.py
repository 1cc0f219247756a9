"""What ``fit`` returns: the numbers of each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pynn.callbacks.callback import Callback, Logs
from pynn.errors import ArgumentError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class History(Callback):
    """Records the results of every epoch; ``fit`` adds one and returns it.

    Attributes:
        history: name -> list with one number per epoch, such as ``history["val_loss"]``.
        epoch: the epochs' indices.
        params: what the run was started with.

    Example:
        >>> history = model.fit(x, y, epochs=10, validation_split=0.1)  # doctest: +SKIP
        >>> history.history["val_accuracy"][-1]  # doctest: +SKIP
        0.97
        >>> history.plot().savefig("learning_curves.png")  # doctest: +SKIP
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self

    def plot(self, metrics: Sequence[str] | None = None) -> Figure:
        """Draw the learning curves: one panel per metric, training and validation together.

        Args:
            metrics: which, such as ``["loss", "accuracy"]``; None means all, the loss first.

        Returns:
            The matplotlib figure: ``history.plot().savefig("curves.png")``, or ``plt.show()`` afterwards.

        Raises:
            ImportError: if matplotlib is not installed (``pip install 'pynn-engine[plot]'``).
            ArgumentError: if nothing was recorded, or a metric is not there.
        """
        trained = (name for name in self.history if not name.startswith("val_"))
        known = sorted(trained, key=lambda name: (name != "loss", name))
        if not known:
            raise ArgumentError("History.plot has nothing to draw: no epoch was recorded; call fit first")
        names = list(known if metrics is None else metrics)
        for name in names:
            if name not in self.history:
                recorded = ", ".join(self.history)
                raise ArgumentError(f"History.plot got metric {name!r}; recorded are: {recorded}")
        try:
            from matplotlib import pyplot
            from matplotlib.ticker import MaxNLocator
        except ImportError as error:
            raise ImportError("History.plot needs matplotlib: pip install 'pynn-engine[plot]'") from error

        figure, panels = pyplot.subplots(
            1, len(names), figsize=(5 * len(names), 3.6), squeeze=False, layout="constrained"
        )
        for panel, name in zip(panels[0], names, strict=True):
            for key, label, style in ((name, "training", "-"), (f"val_{name}", "validation", "--")):
                values = self.history.get(key, [])
                # After several fits with one History only the last run's epochs are known: count on.
                known_epochs = len(self.epoch) == len(values)
                epochs = [epoch + 1 for epoch in self.epoch] if known_epochs else range(1, len(values) + 1)
                if values:
                    panel.plot(epochs, values, style, marker="o", markersize=3, label=label)
            panel.set_title(name)
            panel.set_xlabel("epoch")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            panel.grid(alpha=0.3)
            panel.legend()
        return figure
