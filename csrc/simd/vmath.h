#pragma once
// Elementary functions on vectors.  Polynomials and range reductions after Cephes (S. Moshier); error bounds are
// stated per function and held by tests/native/test_vmath.py.
#include "simd/lanes.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// exp(x) = (1 + fraction) * 2^exponent, for |x| < 2^20.
struct ExpParts {
  Vec fraction;
  VecInt exponent;
};

PYNN_INLINE ExpParts vexp_parts(Vec x) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low mantissa bits.
  const Vec shifted = x * 1.44269504088896341f + 12582912.f;
  const VecInt exponent = (VecInt)shifted - 0x4B400000;
  const Vec n = shifted - 12582912.f;
  Vec r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Vec p = broadcast(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return {p * r * r + r, exponent};
}

PYNN_INLINE Vec power_of_two(VecInt exponent) { return (Vec)((exponent + 127) << 23); }

/// exp(x), within 2 ulp; x is clamped to [-87.3, 88.3], NaN stays NaN.
PYNN_INLINE Vec vexp(Vec x) {
  const ExpParts e = vexp_parts(vclamp(x, -87.3f, 88.3f));
  const Vec scale = power_of_two(e.exponent);
  return e.fraction * scale + scale;
}

/// exp(x), within 2 ulp, over all of its range: inf above 88.72, 0 below -103.97.
PYNN_INLINE Vec vexp_full(Vec x) {
  const ExpParts e = vexp_parts(vclamp(x, -105.f, 89.f));
  // Two factors: 2^exponent itself may not be a normal number.
  const VecInt half = e.exponent >> 1;
  return (e.fraction + 1.f) * power_of_two(half) * power_of_two(e.exponent - half);
}

/// 1 / (1 + exp(-x)); saturates to 0 and 1 without overflow.
PYNN_INLINE Vec vsigmoid(Vec x) { return 1.f / (1.f + vexp(-x)); }

/// tanh(x), within 3 ulp: an odd polynomial below 0.625, (1 - e) / (1 + e) with e = exp(-2|x|) above.
PYNN_INLINE Vec vtanh(Vec x) {
  const Vec magnitude = x < Vec{} ? -x : x;
  const Vec z = x * x;
  Vec p = broadcast(-5.70498872745e-3f);
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const Vec small = p * z * x + x;
  const Vec e = vexp(-2.f * magnitude);
  const Vec big = (1.f - e) / (1.f + e);
  const Vec signed_big = x < Vec{} ? -big : big;
  return magnitude < 0.625f ? small : signed_big;
}

PYNN_INLINE Vec vabs(Vec x) { return (Vec)((VecInt)x & 0x7FFFFFFF); }

/// exp(x) - 1, within 4 ulp, also where x is tiny; x is clamped above 88.3.
PYNN_INLINE Vec vexpm1(Vec x) {
  const Vec clamped = vmax(vmin(x, broadcast(88.3f)), broadcast(-20.f));
  const ExpParts e = vexp_parts(clamped);
  const Vec scale = power_of_two(e.exponent);
  // exp(x) - 1 = scale * (exp(r) - 1) + (scale - 1): nothing cancels when scale is 1.
  const Vec y = scale * e.fraction + (scale - 1.f);
  return x == x ? y : x;
}

/// Natural logarithm, within 2 ulp; log(0) = -inf, NaN below 0.
PYNN_INLINE Vec vlog(Vec x) {
  const VecInt tiny = x < 1.17549435e-38f;
  const Vec scaled = tiny ? x * 8388608.f : x;  // subnormal numbers become normal
  // Mantissa in [sqrt(1/2), sqrt(2)).
  const VecInt shifted = (VecInt)scaled - 0x3F3504F3;
  const VecInt exponent = (shifted >> 23) - (tiny & 23);
  const Vec m = (Vec)((shifted & 0x007FFFFF) + 0x3F3504F3);
  const Vec n = __builtin_convertvector(exponent, Vec);
  const Vec f = m - 1.f;
  const Vec z = f * f;
  Vec p = broadcast(7.0376836292e-2f);
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  Vec y = p * f * z;
  y = y - n * 2.12194440e-4f;
  y = y - z * 0.5f;
  y = f + y;
  y = y + n * 0.693359375f;
  const Vec infinity = broadcast(INFINITY);
  y = x < infinity ? y : x;  // +inf and NaN stay
  y = x < Vec{} ? broadcast(NAN) : y;
  return x == Vec{} ? -infinity : y;
}

/// log(1 + x), within 4 ulp, also where x is tiny (Kahan: the rounding error of 1 + x is divided out again).
PYNN_INLINE Vec vlog1p(Vec x) {
  const Vec u = 1.f + x;
  const Vec d = u - 1.f;
  const Vec y = vlog(u) * (x / d);
  const Vec finite = d == Vec{} ? x : y;
  return u < INFINITY ? finite : u;
}

/// log(1 + exp(x)), within 4 ulp; never overflows.
PYNN_INLINE Vec vsoftplus(Vec x) { return (x > Vec{} ? x : Vec{}) + vlog1p(vexp(-vabs(x))); }

/// Error function, within 3 ulp (polynomials of N. Juffa).
PYNN_INLINE Vec verf(Vec x) {
  const Vec t = vmin(vabs(x), broadcast(4.f));  // erf(4) rounds to 1
  const Vec s = t * t;
  Vec big = (broadcast(-1.72853470e-5f) * t + 3.83197126e-4f) * s + (broadcast(-3.88396438e-3f) * t + 2.42546219e-2f);
  big = big * t - 1.06777877e-1f;
  big = big * t - 6.34846687e-1f;
  big = big * t - 1.28717512e-1f;
  big = 1.f - vexp(big * t - t);
  big = x < Vec{} ? -big : big;
  Vec small = broadcast(-5.96761703e-4f);
  small = small * s + 4.99119423e-3f;
  small = small * s - 2.67681349e-2f;
  small = small * s + 1.12819925e-1f;
  small = small * s - 3.76125336e-1f;
  small = small * s + 1.28379166e-1f;
  small = small * x + x;
  const Vec y = t > 0.927734375f ? big : small;
  return x == x ? y : x;
}

/// A scalar function on each lane: for functions too rare to deserve a polynomial of their own.
template <class F>
PYNN_INLINE Vec each_lane(Vec a, F f) {
  for (int i = 0; i < W; ++i) a[i] = f(a[i]);
  return a;
}
template <class F>
PYNN_INLINE Vec each_lane(Vec a, Vec b, F f) {
  for (int i = 0; i < W; ++i) a[i] = f(a[i], b[i]);
  return a;
}

/// sin(x) (shift 0) or cos(x) (shift 1), absolute error below 1e-7 for |x| <= 8192.
PYNN_INLINE Vec vsin_reduced(Vec x, int32_t shift) {
  // Quadrant and remainder; pi / 2 in three parts whose products with the quadrant are exact.
  const Vec shifted = x * 0.636619772367581343f + 12582912.f;
  const VecInt quadrant = (VecInt)shifted - 0x4B400000 + shift;
  const Vec n = shifted - 12582912.f;
  Vec r = x - n * 1.5703125f;
  r = r - n * 4.837512969970703125e-4f;
  r = r - n * 7.54978995489188216e-8f;
  const Vec z = r * r;
  const Vec sine = ((broadcast(-1.9515295891e-4f) * z + 8.3321608736e-3f) * z - 1.6666654611e-1f) * z * r + r;
  const Vec cosine =
      ((broadcast(2.443315711809948e-5f) * z - 1.388731625493765e-3f) * z + 4.166664568298827e-2f) * z * z - 0.5f * z +
      1.f;
  const Vec y = (quadrant & 1) != 0 ? cosine : sine;
  return (Vec)((VecInt)y ^ ((quadrant & 2) << 30));
}

/// Whether every lane lies where vsin_reduced is exact; false if one is NaN.
PYNN_INLINE bool within_reduction(Vec x) {
  return max_in_every_lane(vabs(x) <= 8192.f ? Vec{} : broadcast(1.f))[0] == 0.f;
}

/// sin(x), absolute error below 1e-7 and within 2 ulp below pi / 4; the C library's sinf where |x| > 8192.
PYNN_INLINE Vec vsin(Vec x) {
  if (within_reduction(x)) return vsin_reduced(x, 0);
  for (int i = 0; i < W; ++i) x[i] = sinf(x[i]);
  return x;
}

/// cos(x), as vsin.
PYNN_INLINE Vec vcos(Vec x) {
  if (within_reduction(x)) return vsin_reduced(x, 1);
  for (int i = 0; i < W; ++i) x[i] = cosf(x[i]);
  return x;
}

}  // namespace PYNN_ISA
}  // namespace pynn
