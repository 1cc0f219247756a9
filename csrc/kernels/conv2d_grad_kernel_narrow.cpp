// Kernel gradient of a convolution of one-channel images with few filters: a vector holds pixels, not filters.
//
// dw[r][s][o] is the scalar product of a piece of the band with the gradient of filter o, whose pixels are brought next
// to each other first.  No im2col: neighbouring taps are the band shifted by one.  The lanes are added up at the end of
// a split.  Measured for LeNet's first layer at batch 128: 0.29 ms on one thread, against 0.52 ms.
// Under a pooling of 2 x 2 the gradient is spread out on the way, from the pooled one and its winners.
#include "kernels/add_splits.h"
#include "kernels/microkernel.h"
#include "kernels/pooled_conv2d_narrow.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kMostSplits = 16;
constexpr int kTaps = 5;
#if PYNN_VECTOR_REGISTERS == 32
constexpr int kFilters = 3;  // 5 x 3 sums, 3 gradients and a piece of the band in 32 registers; two chains per port
#else
constexpr int kFilters = 2;  // 5 x 2 + 2 + 1 of 16
#endif

/// What both kernels have in common; `unit` is 2 where rows of results are pooled by twos.
struct Problem {
  ConvShape s;
  int64_t unit;
  int64_t tasks() const { return s.p.n * tasks_per_image(s, unit); }
  int64_t splits() const { return smaller(kMostSplits, tasks()); }
  int64_t numbers() const { return s.k * s.p.filters; }
  /// Leading dimension of the transposed gradient.
  int64_t gradient_stride() const { return task_windows(s, unit) + 32; }
};

/// W pixels of up to W filters, [pixels][filters], to [filters][pixels]; `left` numbers may be read, and of the pixels
/// beyond `pixels` come zeros.
PYNN_INLINE void transpose_pixels(const float* g, int64_t filters, int64_t lanes, int64_t pixels, int64_t left,
                                  Vec block[W]) {
  if (pixels == W && (W - 1) * filters + W <= left)
    for (int i = 0; i < W; ++i) block[i] = load(g + i * filters);  // lanes of other filters end up in dropped rows
  else
    for (int i = 0; i < W; ++i) block[i] = i < pixels ? load_first(g + i * filters, lanes) : Vec{};
  transpose_block(block);
}

/// g of some rows of results, [pixels][filters], to [filters][windows]; windows that are dropped get zero.
void transpose_gradient(const Problem& q, const Operand& gradient, int64_t n, int64_t oy0, int64_t rows, float* to) {
  const auto& p = q.s.p;
  const int64_t filters = p.filters, ow = p.ow, ld = q.gradient_stride(), first_pixel = (n * p.oh + oy0) * ow;
  for (int64_t f = 0; f < filters; f += W) {
    const int64_t lanes = smaller<int64_t>(W, filters - f);
    for (int64_t oy = 0; oy < rows; ++oy)
      for (int64_t ox = 0; ox < ow; ox += W) {
        const int64_t at = (first_pixel + oy * ow + ox) * filters + f;
        Vec block[W];
        transpose_pixels(static_cast<const float*>(gradient.data) + at, filters, lanes, smaller<int64_t>(W, ow - ox),
                         gradient.size - at, block);
        for (int64_t i = 0; i < lanes; ++i) store(to + (f + i) * ld + oy * q.s.padded_w + ox, block[i]);
      }
  }
}

/// The same from the gradient of pooled rows: each number goes to its winner, the other three of a window are zero.
void spread_gradient(const Problem& q, const Operand& gradient, const float* winners, int64_t stride, int64_t n,
                     int64_t oy0, int64_t rows, float* to) {
  const auto& p = q.s.p;
  const int64_t filters = p.filters, poh = p.oh / 2, pow = p.ow / 2, ld = q.gradient_stride(),
                row_floats = q.s.padded_w;
  for (int64_t oy = 0; oy < rows; oy += 2) {
    const int64_t row = n * poh + (oy0 + oy) / 2;
    for (int64_t f = 0; f < filters; f += W) {
      const int64_t lanes = smaller<int64_t>(W, filters - f);
      // Backwards: what vectors spill behind the upper row is zero, and overwritten by the lower row's beginning.
      for (int64_t px = stride - W; px >= 0; px -= W) {
        const int64_t at = (row * pow + px) * filters + f;
        Vec block[W];
        transpose_pixels(static_cast<const float*>(gradient.data) + at, filters, lanes,
                         larger<int64_t>(0, smaller<int64_t>(W, pow - px)), gradient.size - at, block);
        for (int64_t i = 0; i < lanes; ++i) {
          const Vec winner = load(winners + (row * filters + f + i) * stride + px);
          Vec part[4];
#pragma GCC unroll 4
          for (int j = 0; j < 4; ++j) part[j] = winner == static_cast<float>(j) ? block[i] : Vec{};
          float* upper = to + (f + i) * ld + oy * row_floats + 2 * px;
          store(upper, zip_low(part[0], part[1]));
          store(upper + W, zip_high(part[0], part[1]));
          store(upper + row_floats, zip_low(part[2], part[3]));
          store(upper + row_floats + W, zip_high(part[2], part[3]));
        }
      }
    }
  }
}

/// sums[t][o][lane] += band[v + t * step] * g[o][v] for T taps and F filters.
template <int T, int F>
void correlate(const float* band, int64_t step, const float* g, int64_t ld, int64_t windows, float* sums,
               int64_t filters) {
  Vec acc[T][F];
#pragma GCC unroll 5
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 3
    for (int f = 0; f < F; ++f) acc[t][f] = load(sums + (t * filters + f) * W);
  for (int64_t v = 0; v < windows; v += W) {
    Vec gv[F];
#pragma GCC unroll 3
    for (int f = 0; f < F; ++f) gv[f] = load(g + f * ld + v);
#pragma GCC unroll 5
    for (int t = 0; t < T; ++t) {
      const Vec x = load(band + v + t * step);
#pragma GCC unroll 3
      for (int f = 0; f < F; ++f) acc[t][f] += x * gv[f];
    }
  }
#pragma GCC unroll 5
  for (int t = 0; t < T; ++t)
#pragma GCC unroll 3
    for (int f = 0; f < F; ++f) store(sums + (t * filters + f) * W, acc[t][f]);
}

using Correlate = void (*)(const float*, int64_t, const float*, int64_t, int64_t, float*, int64_t);

Correlate pick_correlate(int64_t taps, int64_t filters) {
#define PYNN_FILTERS(t) {&correlate<t, 1>, &correlate<t, 2>, &correlate<t, kFilters>}
  static const Correlate table[kTaps][3] = {PYNN_FILTERS(1), PYNN_FILTERS(2), PYNN_FILTERS(3), PYNN_FILTERS(4),
                                            PYNN_FILTERS(5)};
#undef PYNN_FILTERS
  return table[taps - 1][filters - 1];
}

/// Adds one task's rows of results to sums[k][filters][W]; spread(n, first row, rows, g) gives their gradient.
template <class F>
void add_rows(const Problem& q, const float* x, int64_t task, float* sums, float* band, float* g, const F& spread) {
  const ConvShape& s = q.s;
  const auto& p = s.p;
  const int64_t per_image = tasks_per_image(s, q.unit), n = task / per_image, part = task % per_image;
  const int64_t oy0 = task_start(s, part, q.unit), rows = task_start(s, part + 1, q.unit) - oy0;
  const int64_t ld = q.gradient_stride(), windows = rows * s.padded_w;
  copy_band(s, x + n * p.h * p.w, oy0 - p.top, band_rows(p, rows, p.kh), band);
  spread(n, oy0, rows, g);
  // What an earlier, longer task left in the last vector.
  for (int64_t f = 0; f < p.filters; ++f) store(g + f * ld + windows, Vec{});
  for (int64_t r = 0; r < p.kh; ++r)
    for (int64_t t = 0; t < p.kw; t += kTaps)
      for (int64_t f = 0; f < p.filters; f += kFilters)
        pick_correlate(smaller<int64_t>(kTaps, p.kw - t), smaller<int64_t>(kFilters, p.filters - f))(
            band + r * p.dilation_h * s.padded_w + t * p.dilation_w, p.dilation_w, g + f * ld, ld, windows,
            sums + ((r * p.kw + t) * p.filters + f) * W, p.filters);
}

void plan_problem(const Problem& q, KernelPlan& plan) {
  const auto& p = q.s.p;
  plan.phases = 2;
  plan.tasks[0] = q.splits();
  plan.nanoseconds[0] = static_cast<double>(p.n * p.oh * q.s.padded_w) *
                        (2.0 * q.numbers() / kFlopsPerNanosecond / 2 + 4.0 * p.filters / kBytesPerNanosecond);
  plan.nanoseconds[1] = 4.0 * q.splits() * q.numbers() / kBytesPerNanosecond;
  plan.shared_bytes = q.splits() * q.numbers() * sizeof(float);
  plan.thread_bytes =
      (narrow_band_floats(q.s, q.unit) + p.filters * q.gradient_stride() + q.numbers() * W) * sizeof(float);
}

template <class F>
void run_problem(const Problem& q, const KernelArgs& args, const F& spread) {
  const int64_t numbers = q.numbers(), splits = q.splits(), tasks = q.tasks();
  float* partial = reinterpret_cast<float*>(args.shared);
  if (args.phase == 1) {
    add_splits(partial, splits, numbers, 0, numbers, args.output<float>(0));
    return;
  }
  const int64_t of_band = narrow_band_floats(q.s, q.unit), g_floats = q.s.p.filters * q.gradient_stride();
  float* band = reinterpret_cast<float*>(args.scratch);
  float* g = band + of_band;
  float* sums = g + g_floats;
  memset(band, 0, (of_band + g_floats) * sizeof(float));
  for (int64_t split = args.begin; split < args.end; ++split) {
    memset(sums, 0, numbers * W * sizeof(float));
    for (int64_t task = part_start(tasks, splits, split); task < part_start(tasks, splits, split + 1); ++task)
      add_rows(q, args.input<float>(0), task, sums, band, g, spread);
    for (int64_t i = 0; i < numbers; ++i) partial[split * numbers + i] = lane_sum(load(sums + i * W));
  }
}

}  // namespace

void conv2d_grad_kernel_narrow_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_problem({conv_shape(params_of<Conv2dParams>(args)), 1}, plan);
}

void conv2d_grad_kernel_narrow(const KernelArgs& args) {
  const Problem q{conv_shape(params_of<Conv2dParams>(args)), 1};
  run_problem(q, args, [&](int64_t n, int64_t oy0, int64_t rows, float* g) {
    transpose_gradient(q, args.in[1], n, oy0, rows, g);
  });
}

void pooled_conv2d_grad_kernel_narrow_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_problem({shape_under_pooling(params_of<PooledConv2dParams>(args)), 2}, plan);
}

void pooled_conv2d_grad_kernel_narrow(const KernelArgs& args) {
  const auto p = params_of<PooledConv2dParams>(args);
  const Problem q{shape_under_pooling(p), 2};
  run_problem(q, args, [&](int64_t n, int64_t oy0, int64_t rows, float* g) {
    spread_gradient(q, args.in[1], args.input<float>(2), winners_stride(p), n, oy0, rows, g);
  });
}

}  // namespace PYNN_ISA
}  // namespace pynn
