"""Functions with a gradient of their own."""


def custom_gradient(y, *inputs, rule, index=0):
    """What the function gave."""
    return y
