#pragma once
// What pooling and its gradient agree on: which positions of the image a window covers.
#include "kernels/kernel.h"
#include "simd/stream.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

struct Largest {  // a NaN stays, whichever of the two it is
  static inline Vec join(Vec best, Vec x) {
    const Vec larger_one = x > best ? x : best;
    return x == x ? larger_one : x;
  }
};

/// The part of window `i` that lies inside [0, size).
inline Range window_inside(int64_t i, int64_t stride, int64_t before, int64_t pool, int64_t size) {
  const int64_t start = i * stride - before;
  return {larger<int64_t>(0, start), smaller(size, start + pool)};
}
inline Range rows_of(const Pool2dParams& p, int64_t oy) { return window_inside(oy, p.stride_h, p.top, p.pool_h, p.h); }
inline Range columns_of(const Pool2dParams& p, int64_t ox) {
  return window_inside(ox, p.stride_w, p.left, p.pool_w, p.w);
}

}  // namespace
}  // namespace PYNN_ISA
}  // namespace pynn
