#pragma once
// How batch normalization walks over x[rows][channels], and what forward and backward kernel must agree on.
//
// Few channels would leave vector lanes empty, so `fold` neighbouring rows are seen as one row of `width` = fold *
// channels columns, a multiple of 16: six channels fill vectors of 16 as well as 64 do.  Column i belongs to channel
// i % channels.  Rows beyond the last whole fold, the `tail`, are one more row with fewer columns.  Everything depends
// on the shape alone (not even on the vector width), so results do not depend on threads.
#include "kernels/rows.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kMaxRowBlocks = 64;      // partial sums per channel
constexpr int64_t kMinBlockRows = 32;      // fewer rows, and the partial sums would cost as much as the sums
constexpr int64_t kColumnBlock = 256;      // 1 KB of each row: partial sums of a task stay in the L1 cache
constexpr int64_t kFoldBelow = 64;         // channels
constexpr int64_t kChunk = 16384;          // elements of one task of the element-wise pass
constexpr int64_t kStripElements = 16384;  // of each array at a time: all columns of some rows, then the next rows
constexpr int64_t kChannelBlock = 16;      // channels of one task that finishes statistics

/// How far ahead of what is read an array is fetched, in floats.  The gradient reads two arrays at a time, and the
/// hardware alone does not keep up with that: 32 x 56 x 56 x 64 took 2.82 ms without, 1.76 with 512, 1.56 with 1024;
/// 2048 gains nothing more.  Forward it is 1.01 and 0.95 ms.  Arrays that lie in the L2 cache lose up to 5 %.
constexpr int64_t kFetchAhead = 1024;

struct Blocks {
  int64_t rows, channels;
  int64_t fold, width, folded_rows, tail_columns;
  int64_t whole_blocks, row_blocks;  ///< the tail is a block of its own
  int64_t column_blocks, column_block;
  int64_t chunk_rows, chunks;

  Blocks(int64_t rows_, int64_t channels_) : rows(rows_), channels(channels_) {
    int64_t common = 1;  // largest power of two that divides both 16 and channels
    while (common < 16 && channels % (2 * common) == 0) common *= 2;
    fold = channels < kFoldBelow ? 16 / common : 1;
    while (fold * channels < kFoldBelow) fold *= 2;  // four vectors at a time hide the latency of the additions
    width = fold * channels;
    folded_rows = rows / fold;
    tail_columns = (rows - folded_rows * fold) * channels;
    whole_blocks = folded_rows ? smaller(kMaxRowBlocks, larger<int64_t>(folded_rows / kMinBlockRows, 1)) : 0;
    row_blocks = whole_blocks + (tail_columns ? 1 : 0);
    // A folded row is at most 1008 columns: keep it whole.
    column_block = fold > 1 ? width : smaller(kColumnBlock, width);
    column_blocks = ceil_div(width, column_block);
    chunk_rows = larger<int64_t>(kChunk / width, 1);
    chunks = larger<int64_t>(ceil_div(folded_rows, chunk_rows), 1);
  }

  double elements() const { return static_cast<double>(rows) * static_cast<double>(channels); }
  /// Floats of one per-column array in shared memory.
  int64_t padded_width() const { return round_up(width, 16); }
  /// Floats of the partial sums [row_blocks][2][padded_width].
  int64_t partial_sums() const { return row_blocks * 2 * padded_width(); }
};

/// load_first of an array that is read in order.
template <class Lanes>
PYNN_INLINE Vec load_in_order(const float* p, Lanes lanes) {
  __builtin_prefetch(p + kFetchAhead);
  return load_first(p, lanes);
}

template <int32_t kValue>
struct Constant {
  static constexpr int32_t value = kValue;
};

/// Calls f(c, Constant<number of vectors>, lanes of each) over the columns [c0, c1): four whole vectors where it can.
template <class F>
PYNN_INLINE void for_each_columns(int64_t c0, int64_t c1, const F& f) {
  int64_t c = c0;
  for (; c + 4 * W <= c1; c += 4 * W) f(c, Constant<4>{}, Whole{});
  for_each_vector(c, c1, [&](int64_t at, auto lanes) { f(at, Constant<1>{}, lanes); });
}

/// The task of a summing pass that covers `rows` rows, from element `start` on, of the columns [c0, c1).
struct SumTask {
  int64_t start, rows, c0, c1;
  float *sums, *products;  ///< where its two partial sums go

  SumTask(const Blocks& b, int64_t task, float* partials) {
    const int64_t block = task / b.column_blocks;
    const bool tail = block == b.whole_blocks;
    const int64_t first = tail ? b.folded_rows : part_start(b.folded_rows, b.whole_blocks, block);
    start = first * b.width;
    rows = tail ? 1 : part_start(b.folded_rows, b.whole_blocks, block + 1) - first;
    c0 = task % b.column_blocks * b.column_block;
    c1 = tail ? b.tail_columns : smaller(c0 + b.column_block, b.width);
    sums = partials + block * 2 * b.padded_width();
    products = sums + b.padded_width();
    const int64_t used = tail ? b.width : c1;
    for (int64_t c = c0; c < used; ++c) sums[c] = products[c] = 0.f;
  }

  /// Calls f(row, rows, c, Constant<number of vectors>, lanes of each): all columns of a strip of rows before the next
  /// strip, so that memory is read in order.
  template <class F>
  void for_each_strip(const F& f) const {
    const int64_t strip = larger<int64_t>(kStripElements / (c1 - c0), 4);
    for (int64_t r = 0; r < rows; r += strip)
      for_each_columns(c0, c1,
                       [&](int64_t c, auto vectors, auto lanes) { f(r, smaller(strip, rows - r), c, vectors, lanes); });
  }
};

/// Sums of the two partial sums of channels [c, c + n), in double and in the order of the blocks.
PYNN_INLINE void add_partials(const Blocks& b, const float* partials, int64_t c, int64_t n, double* s, double* q) {
  for (int64_t block = 0; block < b.row_blocks; ++block) {
    const float* sums = partials + block * 2 * b.padded_width() + c;
    const float* products = sums + b.padded_width();
    for (int64_t f = 0; f < b.width; f += b.channels)
      for (int64_t i = 0; i < n; ++i) {
        s[i] += static_cast<double>(sums[f + i]);
        q[i] += static_cast<double>(products[f + i]);
      }
  }
}

/// Repeats `period` numbers until `n` are written, by doubling what is there.
inline void repeat(const float* source, int64_t period, float* to, int64_t n) {
  int64_t done = smaller(period, n);
  memmove(to, source, static_cast<size_t>(done) * sizeof(float));
  while (done < n) {
    const int64_t more = smaller(done, n - done);
    memcpy(to + done, to, static_cast<size_t>(more) * sizeof(float));
    done += more;
  }
}

/// Calls row(first_element, n) for each folded row of the chunks of tasks [begin, end), the tail with the last chunk.
template <class F>
PYNN_INLINE void for_each_row(const Blocks& b, int64_t begin, int64_t end, const F& row) {
  const int64_t last = smaller(end * b.chunk_rows, b.folded_rows);
  for (int64_t r = begin * b.chunk_rows; r < last; ++r) row(r * b.width, b.width);
  if (end == b.chunks && b.tail_columns) row(b.folded_rows * b.width, b.tail_columns);
}

/// What x - mean is multiplied by.  From the variance as it is stored, so that the backward kernel gets the same bits.
PYNN_INLINE float channel_scale(float gamma, float variance, float epsilon) {
  return static_cast<float>(static_cast<double>(gamma) /
                            sqrt(static_cast<double>(variance) + static_cast<double>(epsilon)));
}

/// The subtraction first, or a large mean would cost its digits.
PYNN_INLINE Vec normalized(Vec x, Vec mean, Vec scale, Vec offset) { return (x - mean) * scale + offset; }

template <int32_t kActivation>
PYNN_INLINE Vec activated(Vec v) {
  if constexpr (kActivation == kRelu || kActivation == kRelu6) v = v > Vec{} ? v : (v != v ? v : Vec{});
  if constexpr (kActivation == kRelu6) v = v > broadcast(6.f) ? broadcast(6.f) : v;
  return v;
}

/// `g` where the activation has slope 1, else 0; `v` is what it was given, or what it gave.
template <int32_t kActivation>
PYNN_INLINE Vec where_active(Vec v, Vec g) {
  if constexpr (kActivation == kRelu || kActivation == kRelu6) g = v > Vec{} ? g : Vec{};
  if constexpr (kActivation == kRelu6) g = v < broadcast(6.f) ? g : Vec{};
  return g;
}

/// 32 x 56 x 56 x 64 (26 MB) with and without, second pass: forward 0.99 and 1.28 ms, gradient 1.71 and 1.94 ms.
constexpr int64_t kStreamedBytes = int64_t{16} << 20;

/// Whether a result of these blocks at `y` goes past the cache: it is too large to stay there until it is read.
inline bool streams(const Blocks& b, const float* y) {
  return b.rows * b.channels * 4 >= kStreamedBytes && b.width % 16 == 0 &&
         reinterpret_cast<uintptr_t>(y) % (W * 4) == 0;
}

/// store_first, past the cache if kStream: `p` is then aligned.
template <bool kStream>
PYNN_INLINE void store_result(float* p, Vec v, Whole) {
  if constexpr (kStream)
    store_streaming(p, v);
  else
    store(p, v);
}
template <bool kStream>
PYNN_INLINE void store_result(float* p, Vec v, int64_t lanes) {
  store_first(p, v, lanes);
}

/// Calls f(Constant<activation>).
template <class F>
PYNN_INLINE void with_activation(int32_t activation, const F& f) {
  if (activation == kRelu) return f(Constant<kRelu>{});
  if (activation == kRelu6) return f(Constant<kRelu6>{});
  f(Constant<kLinear>{});
}

}  // namespace
}  // namespace PYNN_ISA
}  // namespace pynn
