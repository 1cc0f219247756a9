#pragma once
// Work across the lanes of one vector: reductions that leave their result in every lane, and lane numbers.
// Results stay in vector registers, so short rows (ten class scores) never pass through memory or scalar code.
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

#if defined(PYNN_ISA_LEVEL_avx512)
constexpr VecInt kLane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
PYNN_INLINE Vec swap_by_8(Vec v) {
  return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
}
PYNN_INLINE Vec swap_by_4(Vec v) {
  return __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
}
PYNN_INLINE Vec swap_by_2(Vec v) {
  return __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}
PYNN_INLINE Vec swap_by_1(Vec v) {
  return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}
#elif defined(PYNN_ISA_LEVEL_avx2)
constexpr VecInt kLane = {0, 1, 2, 3, 4, 5, 6, 7};
PYNN_INLINE Vec swap_by_4(Vec v) { return __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3); }
PYNN_INLINE Vec swap_by_2(Vec v) { return __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5); }
PYNN_INLINE Vec swap_by_1(Vec v) { return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6); }
#else
constexpr VecInt kLane = {0, 1, 2, 3};
PYNN_INLINE Vec swap_by_2(Vec v) { return __builtin_shufflevector(v, v, 2, 3, 0, 1); }
PYNN_INLINE Vec swap_by_1(Vec v) { return __builtin_shufflevector(v, v, 1, 0, 3, 2); }
#endif

/// The sum of all lanes, in every lane (bitwise the same in each, because a + b == b + a).
PYNN_INLINE Vec sum_in_every_lane(Vec v) {
#if defined(PYNN_ISA_LEVEL_avx512)
  v += swap_by_8(v);
#endif
#if defined(PYNN_ISA_LEVEL_avx512) || defined(PYNN_ISA_LEVEL_avx2)
  v += swap_by_4(v);
#endif
  v += swap_by_2(v);
  return v + swap_by_1(v);
}

/// The maximum of all lanes, in every lane.
PYNN_INLINE Vec max_in_every_lane(Vec v) {
#if defined(PYNN_ISA_LEVEL_avx512)
  v = vmax(v, swap_by_8(v));
#endif
#if defined(PYNN_ISA_LEVEL_avx512) || defined(PYNN_ISA_LEVEL_avx2)
  v = vmax(v, swap_by_4(v));
#endif
  v = vmax(v, swap_by_2(v));
  return vmax(v, swap_by_1(v));
}

/// `v` in the first n lanes, `other` in the rest.
PYNN_INLINE Vec first_lanes(Vec v, int64_t n, Vec other) { return kLane < static_cast<int32_t>(n) ? v : other; }

/// Lanes 0, 2, 4, ... (1, 3, 5, ...) of the 2 W numbers that a and b are, and back: the first (second) W of the numbers
/// a0, b0, a1, b1, ...
#if defined(PYNN_ISA_LEVEL_avx512)
PYNN_INLINE Vec even_lanes(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
PYNN_INLINE Vec odd_lanes(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
PYNN_INLINE Vec zip_low(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
PYNN_INLINE Vec zip_high(Vec a, Vec b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#elif defined(PYNN_ISA_LEVEL_avx2)
PYNN_INLINE Vec even_lanes(Vec a, Vec b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14); }
PYNN_INLINE Vec odd_lanes(Vec a, Vec b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15); }
PYNN_INLINE Vec zip_low(Vec a, Vec b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
PYNN_INLINE Vec zip_high(Vec a, Vec b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
#else
PYNN_INLINE Vec even_lanes(Vec a, Vec b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6); }
PYNN_INLINE Vec odd_lanes(Vec a, Vec b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7); }
PYNN_INLINE Vec zip_low(Vec a, Vec b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
PYNN_INLINE Vec zip_high(Vec a, Vec b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
#endif

}  // namespace PYNN_ISA
}  // namespace pynn
