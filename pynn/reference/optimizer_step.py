"""What the optimizer steps mean: lists of parameters in, lists of new parameters and slots out, in Keras's formulas."""

import numpy as np


def sgd_step(lr, *arrays, momentum, nesterov, count):
    w, g, v = arrays[:count], arrays[count : 2 * count], arrays[2 * count :]
    if not momentum:
        return tuple(wi - lr * gi for wi, gi in zip(w, g, strict=True))
    new_v = [momentum * vi - lr * gi for vi, gi in zip(v, g, strict=True)]
    if nesterov:
        new_w = [wi + momentum * vi - lr * gi for wi, gi, vi in zip(w, g, new_v, strict=True)]
    else:
        new_w = [wi + vi for wi, vi in zip(w, new_v, strict=True)]
    return (*new_w, *new_v)


def adam_step(lr, iterations, *arrays, beta_1, beta_2, epsilon, count):
    w, g, m, v = (arrays[i * count : (i + 1) * count] for i in range(4))
    t = float(iterations) + 1
    # In double and then in the parameters' dtype: in float32, 1 - beta_2^t is wrong in the fifth digit for small t.
    alpha = float(lr) * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    new_m = [mi + (gi - mi) * (1 - beta_1) for mi, gi in zip(m, g, strict=True)]
    new_v = [vi + (gi * gi - vi) * (1 - beta_2) for vi, gi in zip(v, g, strict=True)]
    new_w = [
        wi - mi * wi.dtype.type(alpha) / (np.sqrt(vi) + epsilon) for wi, mi, vi in zip(w, new_m, new_v, strict=True)
    ]
    return (*new_w, *new_m, *new_v)


def increment(x, by):
    return x + np.asarray(by, x.dtype)
