"""What a chain of element-wise ops means: its steps, one after the other."""

import numpy as np

from pynn.reference import known_meaning


def elementwise_chain(*inputs, steps, accesses, outputs, shapes):
    positions = np.arange(int(np.prod(shapes[0], dtype=np.int64)))
    registers = [
        np.reshape(x, -1)[positions // repeat % period] for x, (repeat, period) in zip(inputs, accesses, strict=True)
    ]
    for op, read in steps:
        registers.append(known_meaning(op.name)(*(registers[r] for r in read), **op.attributes()))
    return tuple(registers[r].reshape(shape) for r, shape in zip(outputs, shapes, strict=True))
