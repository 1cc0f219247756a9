#pragma once
// Loops over one row of numbers, for kernels whose tasks are rows.
#include "kernels/kernel.h"
#include "simd/lanes.h"

namespace pynn {
namespace PYNN_ISA {

/// "All lanes", in place of a number of lanes: the same function then compiles to plain loads and stores for whole
/// vectors and to masked ones for the rest of a row.
struct Whole {};
PYNN_INLINE Vec load_first(const float* p, Whole) { return load(p); }
PYNN_INLINE void store_first(float* p, Vec v, Whole) { store(p, v); }
PYNN_INLINE Vec first_lanes(Vec v, Whole, Vec) { return v; }

namespace {

/// Calls f(offset, lanes) for each vector of [begin, end): lanes is Whole, or a number for a shorter last one.
template <class F>
PYNN_INLINE void for_each_vector(int64_t begin, int64_t end, const F& f) {
  int64_t i = begin;
  for (; i + W <= end; i += W) f(i, Whole{});
  if (i < end) f(i, end - i);
}

template <int kCount>
struct Vecs {
  Vec v[kCount];
};

/// Sums over a row of what f(offset, lanes) gives, a Vecs<kSums>; four accumulators each hide the additions' latency.
template <int kSums, class F>
PYNN_INLINE void row_sums(int64_t n, float (&totals)[kSums], const F& f) {
  Vec sums[kSums][4] = {};
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const Vecs<kSums> terms = f(i + j * W, Whole{});
#pragma GCC unroll 4
      for (int s = 0; s < kSums; ++s) sums[s][j] += terms.v[s];
    }
  }
  for_each_vector(i, n, [&](int64_t at, auto lanes) {
    const Vecs<kSums> terms = f(at, lanes);
#pragma GCC unroll 4
    for (int s = 0; s < kSums; ++s) sums[s][0] += first_lanes(terms.v[s], lanes, Vec{});
  });
#pragma GCC unroll 4
  for (int s = 0; s < kSums; ++s)
    totals[s] = sum_in_every_lane((sums[s][0] + sums[s][1]) + (sums[s][2] + sums[s][3]))[0];
}

/// The sum over a row of what f(offset, lanes) gives.
template <class F>
PYNN_INLINE float row_sum(int64_t n, const F& f) {
  float total[1];
  row_sums(n, total, [&](int64_t i, auto lanes) { return Vecs<1>{{f(i, lanes)}}; });
  return total[0];
}

/// Tasks are rows.  `cost` is in vector instructions for each vector of a row.
inline void plan_rows(int64_t rows, int64_t columns, double cost, KernelPlan& plan) {
  plan.tasks[0] = larger<int64_t>(rows, 1);
  plan.nanoseconds[0] = static_cast<double>(rows) * (6 + 0.2 * cost * static_cast<double>(ceil_div(columns, W)));
}

}  // namespace
}  // namespace PYNN_ISA
}  // namespace pynn
