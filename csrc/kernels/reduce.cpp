// Sum, maximum or minimum along the middle axis of [outer][reduced][inner]; argmax over rows.
//
// The reduced axis is cut into chunks whose length depends on the shape alone.  Phase 0 reduces each chunk, phase 1
// the chunks' results in their order (sums in double), so the result is the same for any number of threads, and
// rounding errors grow with the chunk's length, not with the axis.  With one chunk phase 0 writes the result itself.
#include "kernels/kernel.h"
#include "simd/lanes.h"

namespace pynn {
namespace PYNN_ISA {

namespace {

constexpr int64_t kSlab = 1024;  // columns per task
/// Numbers that one accumulator adds before it is itself added to the total: sums of sums round less.
constexpr int64_t kBlock = 32;

/// Rows that are fetched ahead: pieces of rows are no stream that the hardware sees.
constexpr int64_t kAhead = 16;

struct Sum {
  using Total = double;  // of phase 1
  static constexpr float kStart = 0.f;
  PYNN_INLINE Vec combine(Vec x, Vec total) { return total + x; }
  PYNN_INLINE double combine(double x, double total) { return total + x; }
  PYNN_INLINE float combine(float x, float total) { return total + x; }
  PYNN_INLINE float lanes(Vec v) { return sum_in_every_lane(v)[0]; }
};
struct Max {  // a NaN, once met, stays
  using Total = float;
  static constexpr float kStart = -INFINITY;
  PYNN_INLINE Vec combine(Vec x, Vec total) { return ((x > total) | (x != x)) ? x : total; }
  PYNN_INLINE float combine(float x, float total) { return x > total || x != x ? x : total; }
  PYNN_INLINE float lanes(Vec v) {
    float best = v[0];
    for (int i = 1; i < W; ++i) best = combine(v[i], best);
    return best;
  }
};
struct Min {
  using Total = float;
  static constexpr float kStart = INFINITY;
  PYNN_INLINE Vec combine(Vec x, Vec total) { return ((x < total) | (x != x)) ? x : total; }
  PYNN_INLINE float combine(float x, float total) { return x < total || x != x ? x : total; }
  PYNN_INLINE float lanes(Vec v) {
    float best = v[0];
    for (int i = 1; i < W; ++i) best = combine(v[i], best);
    return best;
  }
};

/// A contiguous run of numbers to one number.
template <class Op>
static float reduce_run(const float* in, int64_t n) {
  if (n < 2 * W) {  // short rows: the processor overlaps the chains of several rows
    float total = in[0];
    for (int64_t i = 1; i < n; ++i) total = Op::combine(in[i], total);
    return total;
  }
  Vec total[4];
  for (Vec& t : total) t = broadcast(Op::kStart);
  int64_t i = 0;
  while (i + 4 * W <= n) {
    const int64_t end = smaller(n, i + kBlock * 4 * W);
    Vec block[4];
    for (Vec& b : block) b = broadcast(Op::kStart);
    for (; i + 4 * W <= end; i += 4 * W)
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) block[v] = Op::combine(load(in + i + v * W), block[v]);
    for (int v = 0; v < 4; ++v) total[v] = Op::combine(block[v], total[v]);
  }
  for (; i + W <= n; i += W) total[0] = Op::combine(load(in + i), total[0]);
  if (i < n) total[1] = Op::combine(first_lanes(load_first(in + i, n - i), n - i, broadcast(Op::kStart)), total[1]);
  return Op::lanes(Op::combine(Op::combine(total[0], total[1]), Op::combine(total[2], total[3])));
}

/// [rows][inner] to [inner] where inner < W: Vectors * W is the least common multiple of inner and W, so that each
/// lane of each accumulator always meets the same column.
template <class Op, int Vectors>
static void reduce_narrow(const float* in, int64_t rows, int64_t inner, float* out) {
  Vec total[Vectors];
#pragma GCC unroll 15
  for (int v = 0; v < Vectors; ++v) total[v] = broadcast(Op::kStart);
  const int64_t n = rows * inner;
  int64_t i = 0;
  while (i + Vectors * W <= n) {
    const int64_t end = smaller(n, i + kBlock * Vectors * W);
    Vec block[Vectors];
#pragma GCC unroll 15
    for (int v = 0; v < Vectors; ++v) block[v] = broadcast(Op::kStart);
    for (; i + Vectors * W <= end; i += Vectors * W)
#pragma GCC unroll 15
      for (int v = 0; v < Vectors; ++v) block[v] = Op::combine(load(in + i + v * W), block[v]);
#pragma GCC unroll 15
    for (int v = 0; v < Vectors; ++v) total[v] = Op::combine(block[v], total[v]);
  }
  float lane[Vectors * W];
#pragma GCC unroll 15
  for (int v = 0; v < Vectors; ++v) store(lane + v * W, total[v]);
  for (int64_t c = 0; c < inner; ++c) {
    float sum = lane[c];
    for (int64_t j = c + inner; j < Vectors * W; j += inner) sum = Op::combine(lane[j], sum);
    for (int64_t j = i + c; j < n; j += inner) sum = Op::combine(in[j], sum);
    out[c] = sum;
  }
}

template <class Op>
static void reduce_narrow(const float* in, int64_t rows, int64_t inner, float* out) {
  int64_t odd = inner;  // W is a power of two: inner / gcd(inner, W) is the odd part of inner
  while (odd % 2 == 0) odd /= 2;
  switch (odd) {
    case 1:
      return reduce_narrow<Op, 1>(in, rows, inner, out);
    case 3:
      return reduce_narrow<Op, 3>(in, rows, inner, out);
#if defined(PYNN_ISA_LEVEL_avx512) || defined(PYNN_ISA_LEVEL_avx2)
    case 5:
      return reduce_narrow<Op, 5>(in, rows, inner, out);
    case 7:
      return reduce_narrow<Op, 7>(in, rows, inner, out);
#endif
#if defined(PYNN_ISA_LEVEL_avx512)
    case 9:
      return reduce_narrow<Op, 9>(in, rows, inner, out);
    case 11:
      return reduce_narrow<Op, 11>(in, rows, inner, out);
    case 13:
      return reduce_narrow<Op, 13>(in, rows, inner, out);
    case 15:
      return reduce_narrow<Op, 15>(in, rows, inner, out);
#endif
  }
}

/// [rows][stride] to [n], n <= stride: columns in vectors, up to four at a time in registers.
template <class Op>
static void reduce_columns(const float* in, int64_t rows, int64_t stride, int64_t n, float* out) {
  int64_t c = 0;
  for (; c + 4 * W <= n; c += 4 * W) {
    Vec total[4];
    for (Vec& t : total) t = broadcast(Op::kStart);
    for (int64_t r = 0; r < rows;) {
      const int64_t end = smaller(rows, r + kBlock);
      Vec block[4];
      for (Vec& b : block) b = broadcast(Op::kStart);
      for (; r < end; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) {
          __builtin_prefetch(in + (r + kAhead) * stride + c + v * W);
          block[v] = Op::combine(load(in + r * stride + c + v * W), block[v]);
        }
      for (int v = 0; v < 4; ++v) total[v] = Op::combine(block[v], total[v]);
    }
#pragma GCC unroll 4
    for (int v = 0; v < 4; ++v) store(out + c + v * W, total[v]);
  }
  for (; c < n; c += W) {
    const int64_t lanes = smaller<int64_t>(W, n - c);
    Vec total = broadcast(Op::kStart);
    for (int64_t r = 0; r < rows;) {
      const int64_t end = smaller(rows, r + kBlock);
      Vec block = broadcast(Op::kStart);
      for (; r < end; ++r) block = Op::combine(load_first(in + r * stride + c, lanes), block);
      total = Op::combine(block, total);
    }
    store_first(out + c, total, lanes);
  }
}

struct Split {
  int64_t rows_per_chunk, chunks, slabs;
};

static Split split_of(const ReduceParams& p) {
  int64_t rows = 16384 / p.inner;
  if (p.inner == 1) rows = 4096;
  if (p.inner >= W) rows = larger<int64_t>(64, smaller<int64_t>(256, rows));
  return {rows, ceil_div(p.reduced, rows), ceil_div(p.inner, kSlab)};
}

template <class Op>
static void reduce_chunks(const ReduceParams& p, const KernelArgs& args) {
  const Split s = split_of(p);
  const float* in = args.input<float>(0);
  float* out = s.chunks == 1 ? args.output<float>(0) : reinterpret_cast<float*>(args.shared);
  for (int64_t task = args.begin; task < args.end; ++task) {
    // Most reductions have one chunk and one slab: spare them the divisions.
    const int64_t slab = s.slabs == 1 ? 0 : task % s.slabs, block = s.slabs == 1 ? task : task / s.slabs;
    const int64_t chunk = s.chunks == 1 ? 0 : block % s.chunks, outer = s.chunks == 1 ? block : block / s.chunks;
    const int64_t first = chunk * s.rows_per_chunk, rows = smaller(s.rows_per_chunk, p.reduced - first);
    const float* from = in + (outer * p.reduced + first) * p.inner + slab * kSlab;
    float* to = out + block * p.inner + slab * kSlab;
    if (p.inner == 1) {
      *to = reduce_run<Op>(from, rows);
    } else if (p.inner < W) {
      reduce_narrow<Op>(from, rows, p.inner, to);
    } else {
      reduce_columns<Op>(from, rows, p.inner, smaller(kSlab, p.inner - slab * kSlab), to);
    }
  }
}

template <class Op>
static void reduce_partials(const ReduceParams& p, const KernelArgs& args) {
  const Split s = split_of(p);
  const float* partials = reinterpret_cast<const float*>(args.shared);  // [outer][chunks][inner]
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t slab = task % s.slabs, outer = task / s.slabs;
    const int64_t first = slab * kSlab, n = smaller(kSlab, p.inner - first);
    const float* from = partials + outer * s.chunks * p.inner + first;
    float* to = args.output<float>(0) + outer * p.inner + first;
    typename Op::Total total[kSlab];
    for (int64_t c = 0; c < n; ++c) total[c] = from[c];
    for (int64_t chunk = 1; chunk < s.chunks; ++chunk) {
      const float* row = from + chunk * p.inner;
      for (int64_t c = 0; c < n; ++c) total[c] = Op::combine(static_cast<typename Op::Total>(row[c]), total[c]);
    }
    for (int64_t c = 0; c < n; ++c) to[c] = static_cast<float>(total[c]);
  }
}

template <class Op>
static void reduce_phase(const ReduceParams& p, const KernelArgs& args) {
  if (args.phase == 0) {
    reduce_chunks<Op>(p, args);
  } else {
    reduce_partials<Op>(p, args);
  }
}

}  // namespace

void reduce_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<ReduceParams>(args);
  const Split s = split_of(p);
  plan.tasks[0] = p.outer * s.chunks * s.slabs;
  plan.nanoseconds[0] = 4.0 * p.outer * p.reduced * p.inner / kBytesPerNanosecond + 4.0 * plan.tasks[0];
  if (s.chunks > 1) {
    const int64_t partials = p.outer * s.chunks * p.inner;
    plan.phases = 2;
    plan.shared_bytes = partials * sizeof(float);
    plan.tasks[1] = p.outer * s.slabs;
    plan.nanoseconds[1] = 4.0 * partials / kBytesPerNanosecond + 4.0 * plan.tasks[1];
  }
}

void reduce(const KernelArgs& args) {
  const auto p = params_of<ReduceParams>(args);
  if (p.kind == 0) reduce_phase<Sum>(p, args);
  if (p.kind == 1) reduce_phase<Max>(p, args);
  if (p.kind == 2) reduce_phase<Min>(p, args);
}

void argmax_plan(const KernelArgs& args, KernelPlan& plan) {
  plan.tasks[0] = args.out[0].size;
  plan.nanoseconds[0] = 0.8 * args.in[0].size;
}

void argmax(const KernelArgs& args) {
  const auto p = params_of<ArgmaxParams>(args);
  int32_t* y = args.output<int32_t>(0);
  for (int64_t row = args.begin; row < args.end; ++row) {
    const float* x = args.input<float>(0) + row * p.columns;
    int64_t best = 0;
    // The first largest; a NaN counts as larger than anything, as in NumPy.
    for (int64_t i = 1; i < p.columns && x[best] == x[best]; ++i)
      if (x[i] > x[best] || x[i] != x[i]) best = i;
    y[row] = static_cast<int32_t>(best);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
