#pragma once
// The kernel's transform of a Winograd convolution, for the convolution itself and for packing it beforehand.
#include "kernels/microkernel.h"
#include "kernels/winograd_transforms.h"

namespace pynn {
namespace PYNN_ISA {

/// U = G w G^T of channels [c0, c1) and filters [first, first + width), to u[point][c][filter] with `ld` numbers from
/// channel to channel and `step` from point to point.
template <int m>
static void transform_kernel(const Conv2dWinogradParams& p, const float* w, int64_t first, int64_t width, int64_t c0,
                             int64_t c1, float* u, int64_t ld, int64_t step) {
  constexpr int kSize = Winograd<m>::kSize;
  const int64_t channels = p.c, filters = p.filters;
  const auto multiply = [](const Vec* a, Vec* b) { Winograd<m>::kernel(a, b); };
  if (!p.rotate) {
    for (int64_t c = c0; c < c1; ++c)
      for (int64_t k = 0; k < width; k += W)
        transform_square<3, kSize>(
            multiply, [&](int i, int j) { return load(w + ((i * 3 + j) * channels + c) * filters + first + k); },
            [&](int i, int j, Vec a) { store(u + (i * kSize + j) * step + c * ld + k, a); });
    return;
  }
  // The stored kernel is [3][3][filters][c]: squares of it are transposed, tap by tap, on the way.
  Vec taps[9][W];
  for (int64_t c = c0; c < c1; c += W)
    for (int64_t k = 0; k < width; k += W) {
      for (int64_t tap = 0; tap < 9; ++tap) {
        for (int i = 0; i < W; ++i) taps[tap][i] = load(w + ((8 - tap) * filters + first + k + i) * channels + c);
        transpose_block(taps[tap]);
      }
      for (int64_t row = 0; row < W; ++row)
        transform_square<3, kSize>(
            multiply, [&](int i, int j) { return taps[i * 3 + j][row]; },
            [&](int i, int j, Vec a) { store(u + (i * kSize + j) * step + (c + row) * ld + k, a); });
    }
}

}  // namespace PYNN_ISA
}  // namespace pynn
