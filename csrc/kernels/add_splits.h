#pragma once
// The second phase of a sum that was split into a fixed number of parts.
#include "kernels/kernel.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// total[i] = the sum over the splits of partial[split][i], in their order, for i in [begin, end).
static inline void add_splits(const float* partial, int64_t splits, int64_t numbers, int64_t begin, int64_t end,
                              float* total) {
  for (int64_t i = begin; i < end; i += W) {
    const int64_t lanes = smaller<int64_t>(W, end - i);
    Vec sum = load_first(partial + i, lanes);
    for (int64_t split = 1; split < splits; ++split) sum += load_first(partial + split * numbers + i, lanes);
    store_first(total + i, sum, lanes);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
