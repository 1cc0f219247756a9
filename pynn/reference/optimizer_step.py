"""What the optimizer steps mean: lists of parameters in, lists of new parameters and slots out, in Keras's formulas."""

import numpy as np


def _step(rule, arrays, count, decay):
    """``rule(w, g, *slots)`` gives the new weight and slots of each parameter; ``decay`` is the share weights lose."""
    groups = [arrays[i : i + count] for i in range(0, len(arrays), count)]
    rows = [rule(wi - wi * wi.dtype.type(decay) if decay else wi, *rest) for wi, *rest in zip(*groups, strict=True)]
    return tuple(row[i] for i in range(len(rows[0])) for row in rows)


def _means(g, m, v, beta_1, beta_2):
    return m + (g - m) * (1 - beta_1), v + (g * g - v) * (1 - beta_2)


def _mean_weight(beta, iterations):
    # In double: in float32, 1 - beta^t is wrong in the fifth digit for small t.
    return 1 - beta ** (float(iterations) + 1)


def sgd_step(lr, *arrays, momentum, nesterov, count, weight_decay, dampening):
    rate = lr * (1 - dampening)

    def rule(w, g, v=None):
        if v is None:
            return (w - rate * g,)
        new_v = momentum * v - rate * g
        return (w + momentum * new_v - rate * g if nesterov else w + new_v), new_v

    return _step(rule, arrays, count, lr * weight_decay)


def adam_step(lr, iterations, *arrays, beta_1, beta_2, epsilon, count, weight_decay, amsgrad):
    alpha = float(lr) * np.sqrt(_mean_weight(beta_2, iterations)) / _mean_weight(beta_1, iterations)

    def rule(w, g, m, v, largest=None):
        m, v = _means(g, m, v, beta_1, beta_2)
        slots = (m, v, np.maximum(v, largest)) if amsgrad else (m, v)
        return (w - m * w.dtype.type(alpha) / (np.sqrt(slots[-1]) + epsilon), *slots)

    return _step(rule, arrays, count, lr * weight_decay)


def nadam_step(lr, iterations, product, *arrays, beta_1, beta_2, epsilon, count, weight_decay):
    t, product = float(iterations) + 1, float(product)
    u, after = (beta_1 * (1 - 0.5 * 0.96**step) for step in (t, t + 1))
    of_mean, of_gradient = after / (1 - product * after), (1 - u) / (1 - product)
    of_square = 1 / _mean_weight(beta_2, iterations)

    def rule(w, g, m, v):
        m, v = _means(g, m, v, beta_1, beta_2)
        number = w.dtype.type
        ahead = number(of_mean) * m + number(of_gradient) * g
        return w - ahead * lr / (np.sqrt(v * number(of_square)) + epsilon), m, v

    return _step(rule, arrays, count, lr * weight_decay)


def adamax_step(lr, iterations, *arrays, beta_1, beta_2, epsilon, count, weight_decay):
    rate = float(lr) / _mean_weight(beta_1, iterations)

    def rule(w, g, m, u):
        m, u = m + (g - m) * (1 - beta_1), np.maximum(beta_2 * u, np.abs(g))
        return w - w.dtype.type(rate) * m / (u + epsilon), m, u

    return _step(rule, arrays, count, lr * weight_decay)


def rmsprop_step(lr, *arrays, rho, momentum, epsilon, centered, count, weight_decay):
    def rule(w, g, v, *rest):
        v = rho * v + (1 - rho) * (g * g)
        mean = rho * rest[0] + (1 - rho) * g if centered else None
        move = lr * g / np.sqrt(v + epsilon if mean is None else v - mean * mean + epsilon)
        if momentum:
            move = momentum * rest[-1] + move
        return (w - move, v, *([mean] if centered else []), *([move] if momentum else []))

    return _step(rule, arrays, count, lr * weight_decay)


def adagrad_step(lr, *arrays, epsilon, count, weight_decay):
    def rule(w, g, a):
        a = a + g * g
        return w - lr * g / np.sqrt(a + epsilon), a

    return _step(rule, arrays, count, lr * weight_decay)


def adadelta_step(lr, *arrays, rho, epsilon, count, weight_decay):
    def rule(w, g, a, u):
        a = rho * a + (1 - rho) * (g * g)
        move = np.sqrt(u + epsilon) * g / np.sqrt(a + epsilon)
        return w - lr * move, a, rho * u + (1 - rho) * (move * move)

    return _step(rule, arrays, count, lr * weight_decay)


def lion_step(lr, *arrays, beta_1, beta_2, count, weight_decay):
    def rule(w, g, m):
        return w - lr * np.sign(beta_1 * m + (1 - beta_1) * g), beta_2 * m + (1 - beta_2) * g

    return _step(rule, arrays, count, lr * weight_decay)


def increment(x, by):
    return x + np.asarray(by, x.dtype)
