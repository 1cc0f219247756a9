#pragma once
// How batch normalization walks over x[rows][channels].
//
// Few channels would leave vector lanes empty, so `fold` neighbouring rows are seen as one row of `width` = fold *
// channels columns, a multiple of 16: six channels fill vectors of 16 as well as 64 do.  Column i belongs to channel
// i % channels.  Rows beyond the last whole fold are the `tail`.  Everything depends on the shape alone (not even on
// the vector width), so results do not depend on threads.
#include "kernels/kernel.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kMaxRowBlocks = 64;  // partial sums per channel
constexpr int64_t kMinBlockRows = 32;  // fewer rows, and the partial sums would cost as much as the sums
constexpr int64_t kColumnBlock = 256;  // 1 KB of each row: partial sums of a task stay in the L1 cache
constexpr int64_t kFoldBelow = 64;     // channels
constexpr int64_t kChunk = 16384;      // elements of one task of the element-wise pass

struct Blocks {
  int64_t rows, channels;
  int64_t fold, width, folded_rows;
  int64_t row_blocks, column_blocks, column_block;
  int64_t chunk_rows, chunks;

  Blocks(int64_t rows_, int64_t channels_) : rows(rows_), channels(channels_) {
    int64_t common = 1;  // largest power of two that divides both 16 and channels
    while (common < 16 && channels % (2 * common) == 0) common *= 2;
    fold = channels < kFoldBelow ? 16 / common : 1;
    while (fold * channels < kFoldBelow) fold *= 2;  // four vectors at a time hide the latency of the additions
    width = fold * channels;
    folded_rows = rows / fold;
    row_blocks = smaller(kMaxRowBlocks, larger<int64_t>(folded_rows / kMinBlockRows, 1));
    // A folded row is at most 1008 columns: keep it whole.
    column_block = fold > 1 ? width : smaller(kColumnBlock, width);
    column_blocks = ceil_div(width, column_block);
    chunk_rows = larger<int64_t>(kChunk / width, 1);
    chunks = larger<int64_t>(ceil_div(folded_rows, chunk_rows), 1);
  }

  int64_t tail() const { return rows - folded_rows * fold; }
  int64_t tail_start() const { return folded_rows * width; }
  double elements() const { return static_cast<double>(rows) * static_cast<double>(channels); }
  /// Floats of one per-column array in shared memory.
  int64_t padded_width() const { return round_up(width, 16); }
};

/// Repeats `period` numbers until `n` are written, by doubling what is there.
inline void repeat(const float* source, int64_t period, float* to, int64_t n) {
  int64_t done = smaller(period, n);
  memcpy(to, source, static_cast<size_t>(done) * sizeof(float));
  while (done < n) {
    const int64_t more = smaller(done, n - done);
    memcpy(to + done, to, static_cast<size_t>(more) * sizeof(float));
    done += more;
  }
}

/// Calls row(first_element, n) for each folded row of the chunks [begin, end), the tail with the last chunk.  Backwards
/// within the chunks of one call: what the pass before read last is still in the cache.
template <class F>
PYNN_INLINE void for_each_row(const Blocks& b, int64_t begin, int64_t end, const F& row) {
  for (int64_t chunk = end - 1; chunk >= begin; --chunk) {
    if (chunk == b.chunks - 1 && b.tail()) row(b.tail_start(), b.tail() * b.channels);
    const int64_t last = smaller((chunk + 1) * b.chunk_rows, b.folded_rows);
    for (int64_t r = chunk * b.chunk_rows; r < last; ++r) row(r * b.width, b.width);
  }
}

}  // namespace
}  // namespace PYNN_ISA
}  // namespace pynn
