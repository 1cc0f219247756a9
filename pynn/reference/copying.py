"""What copying means."""


def copy(x):
    return x.copy()
