# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False, freethreading_compatible=True
"""Gather rows of arrays into batch buffers, converting them or changing them as images, without the GIL.

The work of one batch is cut into tasks of about 24 KB, which a running Program's idle threads take one at a
time (see csrc/include/pynn/background.h).  Row numbers are checked once per epoch by `check_rows`; everything after
that trusts them, hence boundscheck=False.  The plain-NumPy twins are batching_reference.py and image_reference.py.
"""
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_GetPointer, PyCapsule_New, PyCapsule_SetContext
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

import numpy as np

from pynn.data._image_rows cimport Images, image_row

cdef extern from "pynn/background.h" namespace "pynn" nogil:
    cdef struct BackgroundTask:
        void (*run)(void* context, int64_t begin, int64_t end) noexcept nogil
        void* context
        int64_t tasks
    const char* kBackgroundCapsule

cdef extern from *:
    """
    static inline void pynn_prefetch(const void* address) { __builtin_prefetch(address, 0, 3); }
    """
    void pynn_prefetch(const void* address) noexcept nogil

cdef enum:
    TASK_BYTES = 24 * 1024     # written by one task: a microsecond or two
    TASK_ROWS = 256            # at most: a tiny row still costs a cache miss
    PREFETCH_BYTES = 8 * 1024  # how far ahead of the copying: enough to hide a miss, little enough to stay in L1
    LINE = 64

ctypedef fused Number:
    int8_t
    int16_t
    int32_t
    int64_t
    uint8_t
    uint16_t
    uint32_t
    float
    double

ctypedef fused Target:
    float
    int32_t

ctypedef void (*Convert)(const void* source, void* target, int64_t count) noexcept nogil
ctypedef int64_t (*ReadLabel)(const void* source) noexcept nogil


cdef void _convert(const Number* source, Target* target, int64_t count) noexcept nogil:
    cdef int64_t i
    for i in range(count):
        target[i] = <Target>source[i]


cdef int64_t _label(const Number* source) noexcept nogil:
    return <int64_t>source[0]


cdef Convert _converter(str source, str target) except? NULL:
    """The loop from one dtype to another; NULL where there is none."""
    if target == "float32":
        if source == "int8": return <Convert>_convert[int8_t, float]
        if source == "int16": return <Convert>_convert[int16_t, float]
        if source == "int32": return <Convert>_convert[int32_t, float]
        if source == "int64": return <Convert>_convert[int64_t, float]
        if source == "uint8": return <Convert>_convert[uint8_t, float]
        if source == "uint16": return <Convert>_convert[uint16_t, float]
        if source == "uint32": return <Convert>_convert[uint32_t, float]
        if source == "float64": return <Convert>_convert[double, float]
    if target == "int32":
        if source == "int8": return <Convert>_convert[int8_t, int32_t]
        if source == "int16": return <Convert>_convert[int16_t, int32_t]
        if source == "int64": return <Convert>_convert[int64_t, int32_t]
        if source == "uint8": return <Convert>_convert[uint8_t, int32_t]
        if source == "uint16": return <Convert>_convert[uint16_t, int32_t]
        if source == "uint32": return <Convert>_convert[uint32_t, int32_t]
    return NULL


cdef ReadLabel _label_reader(str source) except? NULL:
    if source == "int8": return <ReadLabel>_label[int8_t]
    if source == "int16": return <ReadLabel>_label[int16_t]
    if source == "int32": return <ReadLabel>_label[int32_t]
    if source == "int64": return <ReadLabel>_label[int64_t]
    if source == "uint8": return <ReadLabel>_label[uint8_t]
    if source == "uint16": return <ReadLabel>_label[uint16_t]
    if source == "uint32": return <ReadLabel>_label[uint32_t]
    return NULL


def converts(str source, str target) -> bool:
    """Whether rows of dtype ``source`` can be gathered into a buffer of dtype ``target``."""
    return source == target or _converter(source, target) != NULL


cdef int64_t _first_bad_row(const int64_t[::1] order, uint64_t rows) noexcept nogil:
    cdef int64_t i
    cdef bint bad = False
    for i in range(order.shape[0]):  # no early exit: it vectorises; negatives are huge if unsigned
        bad |= <uint64_t>order[i] >= rows
    if bad:
        for i in range(order.shape[0]):
            if <uint64_t>order[i] >= rows:
                return i
    return -1


def check_rows(const int64_t[::1] order, int64_t rows) -> int:
    """Position of the first number in ``order`` that is not a row number 0 .. rows - 1; -1 if all are."""
    cdef int64_t bad
    with nogil:
        bad = _first_bad_row(order, rows)
    return bad


cdef struct Column:
    const char* source
    char* target
    int64_t row          # elements in a row of the source
    int64_t source_item  # bytes of an element
    int64_t target_item
    int64_t target_row   # elements in a row of the target
    int64_t task_rows    # rows in a task, if a row is not larger than a task
    int64_t pieces       # tasks in a row, if it is
    int64_t tasks        # of the batch that is being filled
    Convert convert      # NULL: copy
    ReadLabel label      # not NULL: write a one-hot row
    Images* images       # not NULL: change the row as an image
    bint bytes           # its pixels are uint8, else float32


cdef struct Batch:
    Column* columns
    int64_t count
    const int64_t* order  # NULL: rows first, first + 1, ...
    int64_t first         # of the batch, in `order` or in the source
    int64_t rows
    BackgroundTask task


cdef void _move(const Column* c, const char* source, char* target, int64_t count) noexcept nogil:
    if c.convert == NULL:
        memcpy(target, source, count * c.target_item)
    else:
        c.convert(source, target, count)


cdef void _fill_piece(const Column* c, const Batch* b, int64_t task) noexcept nogil:
    """One task of a column whose rows are larger than a task."""
    cdef int64_t i = task // c.pieces
    cdef int64_t piece = task - i * c.pieces
    cdef int64_t begin = c.row * piece // c.pieces
    cdef int64_t end = c.row * (piece + 1) // c.pieces
    cdef int64_t row = b.first + i if b.order == NULL else b.order[b.first + i]
    cdef const char* source = c.source + (row * c.row + begin) * c.source_item
    _move(c, source, c.target + (i * c.row + begin) * c.target_item, end - begin)


cdef void _fill_rows(const Column* c, const Batch* b, int64_t begin, int64_t end) noexcept nogil:
    """Rows [begin, end) of the batch, of one column."""
    cdef int64_t source_row = c.row * c.source_item
    cdef int64_t target_row = c.target_row * c.target_item
    cdef char* target = c.target + begin * target_row
    cdef const char* source
    cdef int64_t i, row, label, ahead, line
    if b.order == NULL and c.label == NULL and c.images == NULL:
        _move(c, c.source + (b.first + begin) * source_row, target, (end - begin) * c.row)
        return
    # Shuffled rows are misses that no hardware prefetcher foresees: ask for a later row while this one is copied
    # (128 rows of 784 bytes out of 47 MB: 16 us instead of 48).
    ahead = 1 + PREFETCH_BYTES // (source_row + LINE)
    for i in range(begin, end):
        if b.order == NULL:
            row = b.first + i
        else:
            row = b.order[b.first + i]
            if i + ahead < b.rows:
                source = c.source + b.order[b.first + i + ahead] * source_row
                line = 0
                while line < source_row:
                    pynn_prefetch(source + line)
                    line += LINE
        source = c.source + row * source_row
        if c.images != NULL:
            if c.bytes:
                image_row[uint8_t](c.images, <const uint8_t*>source, <float*>target, b.first + i)
            else:
                image_row[float](c.images, <const float*>source, <float*>target, b.first + i)
        elif c.label == NULL:
            _move(c, source, target, c.row)
        else:
            memset(target, 0, target_row)
            label = c.label(source)
            if 0 <= label < c.target_row:  # checked before; but the user's array may have been changed since
                (<float*>target)[label] = 1
        target += target_row


cdef void _run(void* context, int64_t begin, int64_t end) noexcept nogil:
    """Tasks [begin, end) of a batch; a BackgroundTask's function."""
    cdef const Batch* b = <const Batch*>context
    cdef int64_t i, local, offset = 0
    cdef const Column* c
    cdef int64_t task = begin
    for i in range(b.count):
        c = &b.columns[i]
        while task < end and task < offset + c.tasks:
            local = task - offset
            if c.pieces > 1:
                _fill_piece(c, b, local)
            else:
                _fill_rows(c, b, local * c.task_rows, min(b.rows, (local + 1) * c.task_rows))
            task += 1
        offset += c.tasks


cdef class Gather:
    """Fills one set of batch buffers; made once, started for each batch.

    Starting allocates nothing: it writes a few numbers into a structure that the capsule points to.
    """
    cdef Batch batch
    cdef Images* images  # one for each column; most are not used
    cdef int capacity
    cdef list kept  # the arrays whose memory the columns point to
    cdef const int64_t[::1] order  # likewise

    def __cinit__(self, int capacity):
        self.batch.columns = <Column*>calloc(max(capacity, 1), sizeof(Column))
        self.images = <Images*>calloc(max(capacity, 1), sizeof(Images))
        if self.batch.columns == NULL or self.images == NULL:
            raise MemoryError()
        self.batch.task.run = _run
        self.batch.task.context = &self.batch
        self.capacity = capacity
        self.kept = []

    def __dealloc__(self):
        free(self.batch.columns)
        free(self.images)

    def add(self, source, target, bint one_hot):
        """Add a column: rows of ``source`` (n, row) go to rows of ``target`` (batch size, row).

        Both are 2-D, C-contiguous, not empty; ``converts`` must be true of their dtypes, or ``one_hot`` be set, the
        source be one integer a row and the target float32.
        """
        cdef const uint8_t[:, ::1] source_bytes = source.view("uint8")
        cdef uint8_t[:, ::1] target_bytes = target.view("uint8")
        cdef Column* c
        cdef str source_type = str(source.dtype), target_type = str(target.dtype)
        if self.batch.count >= self.capacity:
            raise RuntimeError("Gather.add: more columns than announced")
        c = &self.batch.columns[self.batch.count]
        c.source = <const char*>&source_bytes[0, 0]
        c.target = <char*>&target_bytes[0, 0]
        c.row = source.shape[1]
        c.target_row = target.shape[1]
        c.source_item = source.itemsize
        c.target_item = target.itemsize
        if one_hot:
            c.label = _label_reader(source_type)
            if c.label == NULL or c.row != 1 or target_type != "float32":
                raise RuntimeError(f"Gather.add: no one-hot rows from {source_type} {source.shape}")
        else:
            c.convert = _converter(source_type, target_type)
            if c.row != c.target_row or (c.convert == NULL and source_type != target_type):
                raise RuntimeError(f"Gather.add: no way from {source_type} {source.shape} to {target_type}")
        c.task_rows = min(TASK_ROWS, max(1, TASK_BYTES // (c.target_row * c.target_item)))
        c.pieces = 1 if one_hot else max(1, c.target_row * c.target_item // TASK_BYTES)
        self.kept += [source, target]
        self.batch.count += 1

    def add_images(self, source, target, tuple shape, how):
        """Add a column of images, (n, height * width * channels), that come as ``how`` says, an ``Augmentation``.

        ``source`` is uint8 or float32, ``target`` float32, ``shape`` (height, width, channels).
        """
        self.add(source, target, False)
        cdef Column* c = &self.batch.columns[self.batch.count - 1]
        cdef Images* images = &self.images[self.batch.count - 1]
        images.height, images.width, images.channels = shape
        if str(source.dtype) not in ("uint8", "float32") or str(target.dtype) != "float32":
            raise RuntimeError(f"Gather.add_images: no way from {source.dtype} to {target.dtype}")
        if images.height * images.width * images.channels != c.row:
            raise RuntimeError(f"Gather.add_images: rows of {c.row} are not images of {shape}")
        images.crop, images.cutout, images.flip = how.crop, how.cutout, how.flip
        images.reflect = how.crop_mode == "reflect"
        lines = [np.tile(numbers, shape[1]) for numbers in how.scale_and_shift(shape[2])]
        cdef const float[::1] scale = lines[0], shift = lines[1]
        images.scale, images.shift = &scale[0], &shift[0]
        self.kept += lines
        c.images = images
        c.bytes = str(source.dtype) == "uint8"
        c.pieces = 1

    def set_key(self, uint64_t key):
        """What is random about images follows from this number and their position in the epoch."""
        for i in range(self.batch.count):
            self.images[i].key = key

    def capsule(self):
        """The capsule to hand to ``Program.run(inputs, background=...)``; it keeps this object alive."""
        capsule = PyCapsule_New(&self.batch.task, kBackgroundCapsule, _release)
        PyCapsule_SetContext(capsule, <void*>self)
        Py_INCREF(self)
        return capsule

    def set_order(self, const int64_t[::1] order):
        """From now on batches take rows ``order[first]``, ``order[first + 1]``, ...; None: first, first + 1, ...

        ``order`` has passed ``check_rows`` and is not changed while this object uses it.
        """
        self.order = order
        if order is None:
            self.batch.order = NULL
        else:
            self.batch.order = &order[0]

    def start(self, int64_t first, int64_t rows):
        """The next fill is of ``rows`` rows from position ``first``."""
        cdef int64_t i, tasks = 0
        cdef Column* c
        self.batch.first = first
        self.batch.rows = rows
        for i in range(self.batch.count):
            c = &self.batch.columns[i]
            c.tasks = rows * c.pieces if c.pieces > 1 else (rows + c.task_rows - 1) // c.task_rows
            tasks += c.tasks
        self.batch.task.tasks = tasks


cdef void _release(object capsule) noexcept:
    Py_DECREF(<object>PyCapsule_GetContext(capsule))


def run_task(capsule, int64_t begin=0, int64_t end=-1) -> int:
    """Do tasks [begin, end) of a background capsule (all, unless told otherwise) on this thread, without the GIL.

    Returns the number of tasks that the capsule has.
    """
    cdef BackgroundTask* task = <BackgroundTask*>PyCapsule_GetPointer(capsule, kBackgroundCapsule)
    if end < 0 or end > task.tasks:
        end = task.tasks
    if begin < end:
        with nogil:
            task.run(task.context, max(begin, 0), end)
    return task.tasks
