#pragma once
// Activations that a product applies to its finished tile, in registers or while the tile is in the L1 cache.
#include "kernels/kernel.h"
#include "kernels/microkernel.h"
#include "simd/vmath.h"

namespace pynn {
namespace PYNN_ISA {

template <class F>
PYNN_INLINE void map_tile(float* c, int64_t ldc, int64_t rows, int64_t n, F f) {
  for (int64_t i = 0; i < rows; ++i) {
    float* row = c + i * ldc;
    int64_t j = 0;
    for (; j + W <= n; j += W) store(row + j, f(load(row + j)));
    if (j < n) store_first(row + j, f(load_first(row + j, n - j)), n - j);
  }
}

/// The flag with which the micro-kernel applies this activation itself; 0 if that is left to `activate_tile`.
PYNN_INLINE int register_activation(int32_t activation) {
  return activation == kRelu ? kApplyRelu : activation == kRelu6 ? kApplyRelu6 : 0;
}

/// The flags with which the micro-kernel ends a product: what is added, and the activations it applies itself.
PYNN_INLINE int epilogue_flags(bool bias, bool residual, int32_t activation) {
  return (bias ? kAddBias : 0) | (residual ? kAddTile : 0) | register_activation(activation);
}

/// Activations that the micro-kernel does not apply, applied to C[rows][n] in place.
static inline void activate_tile(int32_t activation, float* c, int64_t ldc, int64_t rows, int64_t n) {
  if (activation == kSigmoid) map_tile(c, ldc, rows, n, [](Vec v) { return vsigmoid(v); });
  if (activation == kTanh) map_tile(c, ldc, rows, n, [](Vec v) { return vtanh(v); });
}

}  // namespace PYNN_ISA
}  // namespace pynn
