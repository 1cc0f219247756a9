#pragma once
// Products of blocks that fit the L2 cache, of any leading dimensions: what batched products and attention are made of.
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {

/// op(B)[k][n] as the micro-kernel reads it: panels of kTileCols columns, each k rows of whole vectors.
struct Panels {
  const float* data;
  int64_t k, n;
};

/// Floats that the panels of a [k][n] matrix take.
static inline int64_t panel_floats(int64_t k, int64_t n) { return k * round_up(n, W); }

/// Copies op(B)[k][n] into panels at `room`; B is stored [n][k] if `transposed`.  Copying pays as soon as a few tiles
/// read it: rows that lie heads * dim floats apart share few sets of the L1 cache.
static inline Panels pack_panels(const float* b, int64_t ldb, bool transposed, int64_t k, int64_t n, float* room) {
  for (int64_t j = 0; j < n; j += kTileCols) {
    const int64_t columns = smaller<int64_t>(kTileCols, n - j);
    if (transposed)
      pack_b_panel_transposed(b + j * ldb, ldb, k, columns, room + j * k);
    else
      pack_b_panel(b + j, ldb, k, columns, room + j * k);
  }
  return {room, k, n};
}

/// C[m][n] = op(A)[m][k] B, or C + that if `accumulate`, for the first `n` columns and first `k` rows of the panels.
/// A is [m][k] (kRows) or [k][m] (kCols).  Each result is one chain in the order of k, whatever m and n are.
template <AMode mode>
static inline void multiply_block(int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const Panels& b,
                                  float* c, int64_t ldc, bool accumulate) {
  const int64_t tiles = ceil_div(m, kTileRows);
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t i0 = part_start(m, tiles, t), i1 = part_start(m, tiles, t + 1);
    for (int64_t j = 0; j < n; j += kTileCols) {
      // The panel's own width says how its rows lie; of a wider panel only the first vectors may be wanted.
      const int64_t ldb = vectors_for(smaller<int64_t>(kTileCols, b.n - j)) * W;
      const int64_t columns = smaller<int64_t>(kTileCols, n - j);
      pick_micro_kernel<mode>(i1 - i0, vectors_for(columns))(k, mode == kCols ? a + i0 : a + i0 * lda, lda,
                                                             b.data + j * b.k, ldb, c + i0 * ldc + j, ldc,
                                                             accumulate ? kAccumulate : 0, nullptr, columns);
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
