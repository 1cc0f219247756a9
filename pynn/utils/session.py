"""Starting afresh in a long-lived process such as a notebook."""

from pynn.utils.naming import reset_names


def clear_session() -> None:
    """Forget automatic names: the next ``Dense`` is called ``dense`` again."""
    reset_names()
