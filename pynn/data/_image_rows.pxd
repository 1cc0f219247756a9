# cython: language_level=3
"""One image of a batch: cropped, mirrored, normalised, a square cut out.  In NumPy: image_reference.py.

A file of declarations, so that ``_batching.pyx`` compiles it into its own loops.
"""
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.string cimport memset

ctypedef fused Pixel:
    uint8_t
    float

cdef struct Images:
    int64_t height, width, channels
    int64_t crop, cutout
    bint flip, reflect
    uint64_t key         # of the epoch
    const float* scale   # `width` times one for each channel
    const float* shift


cdef inline uint64_t mix(uint64_t z) noexcept nogil:
    """SplitMix64's output function."""
    z = (z ^ (z >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t>0x94D049BB133111EB
    return z ^ (z >> 31)


cdef inline int64_t draw(uint64_t bits, int at, int size, int64_t n) noexcept nogil:
    """A whole number from 0 to n - 1, from ``size`` bits beginning at ``at``."""
    return <int64_t>((((bits >> at) & ((<uint64_t>1 << size) - 1)) * <uint64_t>n) >> size)


cdef inline int64_t inside(int64_t i, int64_t size) noexcept nogil:
    """The place that a place outside shows, where the image is mirrored at its edges."""
    if i < 0:
        return -i
    return 2 * (size - 1) - i if i >= size else i


cdef inline void pixels(const Images* how, const Pixel* source, float* target, int64_t x, int64_t count) noexcept nogil:
    """``count`` pixels of a line, as they are from left to right; ``x`` is the first one's place, for the scale."""
    cdef int64_t i
    cdef const float* scale = how.scale
    cdef const float* shift = how.shift
    for i in range(count * how.channels):
        target[i] = <float>source[i] * scale[i] + shift[i]


cdef inline void line(const Images* how, const Pixel* source, float* target, int64_t right) noexcept nogil:
    """A line of the image, moved by ``right`` pixels; what comes in at the edges is zero or mirrored."""
    cdef int64_t c = how.channels, w = how.width, x
    cdef int64_t first = max(-right, 0), last = min(w - right, w)  # these places show pixels of the image
    pixels(how, source + (first + right) * c, target + first * c, first, last - first)
    if how.reflect:
        for x in range(first):
            pixels(how, source + inside(x + right, w) * c, target + x * c, x, 1)
        for x in range(last, w):
            pixels(how, source + inside(x + right, w) * c, target + x * c, x, 1)
    else:
        memset(target, 0, first * c * sizeof(float))
        memset(target + last * c, 0, (w - last) * c * sizeof(float))


cdef inline void mirror(float* target, int64_t width, int64_t channels) noexcept nogil:
    cdef int64_t left = 0, right = (width - 1) * channels, k
    cdef float kept
    while left < right:
        for k in range(channels):
            kept = target[left + k]
            target[left + k] = target[right + k]
            target[right + k] = kept
        left += channels
        right -= channels


cdef inline void image_row(const Images* how, const Pixel* source, float* target, int64_t position) noexcept nogil:
    """The image at ``position`` of the epoch."""
    cdef int64_t h = how.height, w = how.width, row = w * how.channels, y, below, x, last
    cdef uint64_t bits = mix(how.key + <uint64_t>(position + 1) * <uint64_t>0x9E3779B97F4A7C15)
    cdef int64_t down = draw(bits, 0, 16, 2 * how.crop + 1) - how.crop
    cdef int64_t right = draw(bits, 16, 16, 2 * how.crop + 1) - how.crop
    cdef bint mirrored = how.flip and (bits >> 63)
    for y in range(h):
        below = y + down
        if how.reflect:
            below = inside(below, h)
        if below < 0 or below >= h:
            memset(target + y * row, 0, row * sizeof(float))
            continue
        line(how, source + below * row, target + y * row, right)
        if mirrored:
            mirror(target + y * row, w, how.channels)
    if how.cutout:
        y = draw(bits, 32, 15, h) - how.cutout // 2
        x = draw(bits, 47, 16, w) - how.cutout // 2
        last = min(x + how.cutout, w)
        x = max(x, 0)
        for below in range(max(y, 0), min(y + how.cutout, h)):
            memset(target + below * row + x * how.channels, 0, max(last - x, 0) * how.channels * sizeof(float))
