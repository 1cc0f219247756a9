"""Starting afresh in a long-lived process such as a notebook."""

import gc

from pynn.utils.naming import reset_names


def clear_session(free_memory: bool = True) -> None:
    """Forget automatic names: the next ``Dense`` is called ``dense`` again.

    Args:
        free_memory: also collect garbage at once: models that nobody holds any more, with their programs.

    Example:
        >>> import pynn
        >>> clear_session()
        >>> pynn.layers.Dense(1).name, pynn.layers.Dense(1).name
        ('dense', 'dense_1')
    """
    reset_names()
    if free_memory:
        gc.collect()
