// Kernel gradient of a depthwise convolution: dw[r][s] = sum over all pixels of x[...] * g[...], channel by channel.
//
// For each row of g and each vector of channels the sums of up to three kernel rows stay in registers along the whole
// row; a vector of x, once loaded, takes part in all windows of a strip of pixels that it lies in.  Each row's sums are
// then added to the task's, so no chain of additions is longer than a row or than the rows.
#include "kernels/add_splits.h"
#include "simd/stream.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kMostSplits = 16;
constexpr int64_t kSplitPixels = 1024;
constexpr int64_t kBlockVectors = 4;

#if PYNN_VECTOR_REGISTERS == 32
constexpr int kStrip = 8;
constexpr int kMostSums = 15;  // 15 sums, 8 gradients and a pixel
#else
constexpr int kStrip = 4;
constexpr int kMostSums = 10;  // 10 sums, 4 gradients and a pixel of 16 registers
#endif

// std::integral_constant without the standard library.
template <int N>
struct Count {
  static constexpr int value = N;
};

/// Pixels fall into splits with sums of their own, and channels into blocks.
struct Parts {
  int64_t splits, blocks, vectors;
  explicit Parts(const Conv2dParams& p)
      : splits(smaller(smaller(kMostSplits, p.n * p.oh), larger<int64_t>(1, p.n * p.oh * p.ow / kSplitPixels))),
        blocks(1),
        vectors(ceil_div(p.c, W)) {
    if (splits < kMostSplits) blocks = ceil_div(vectors, kBlockVectors);
  }
};

/// One row of g, [ow][c] from channel v on, against RB image rows `row_step` apart; sums go to [RB][KW][c].
template <int KW, int SW, int RB>
void add_row(const Conv2dParams& p, const float* x, int64_t row_step, const float* g, float* sums) {
  const int64_t c = p.c;
  const bool fetched = p.n * p.h * p.w * c * 4 > kFetchBytes;
  Vec sum[RB][KW]{};
  const auto strip = [&](auto pixels, int64_t ox) __attribute__((always_inline)) {
    constexpr int kPixels = decltype(pixels)::value;
    const int64_t x0 = ox * SW - p.left;
    if constexpr (SW == 1) {  // the next row of g and the image row that it adds; with strides this does not help
      if (fetched)
#pragma GCC unroll 8
        for (int i = 0; i < kPixels; ++i) {
          __builtin_prefetch(g + (p.ow + ox + i) * c);
          __builtin_prefetch(x + (RB * p.dilation_h * p.w + ox + i) * c);
        }
    }
    Vec gv[kPixels];
#pragma GCC unroll 8
    for (int i = 0; i < kPixels; ++i) gv[i] = load(g + (ox + i) * c);
#pragma GCC unroll 21
    for (int j = 0; j < (kPixels - 1) * SW + KW; ++j) {
      if (x0 + j < 0 || x0 + j >= p.w) continue;
      const float* from = x + (x0 + j) * c;
#pragma GCC unroll 3
      for (int r = 0; r < RB; ++r) {
        const Vec v = load(from + r * row_step);
#pragma GCC unroll 7
        for (int s = 0; s < KW; ++s) {
          const int i = (j - s) / SW;
          if (j >= s && (j - s) % SW == 0 && i < kPixels) sum[r][s] += v * gv[i];
        }
      }
    }
  };
  int64_t ox = 0;
  for (; ox + kStrip <= p.ow; ox += kStrip) strip(Count<kStrip>{}, ox);
  for (; ox < p.ow; ++ox) strip(Count<1>{}, ox);
#pragma GCC unroll 3
  for (int r = 0; r < RB; ++r)
#pragma GCC unroll 7
    for (int s = 0; s < KW; ++s) {
      float* to = sums + (r * KW + s) * c;
      store(to, load(to) + sum[r][s]);
    }
}

using AddRow = void (*)(const Conv2dParams&, const float*, int64_t, const float*, float*);
struct AddRows {
  int64_t most;  // kernel rows at a time
  AddRow run[3];
};

template <int KW, int SW>
AddRows pick_add_rows() {
  constexpr int kMost = kMostSums / KW < 3 ? kMostSums / KW : 3;
  return {kMost, {&add_row<KW, SW, 1>, &add_row < KW, SW, kMost == 1 ? 1 : 2 >, &add_row<KW, SW, kMost>}};
}

AddRows pick_add_rows(const Conv2dParams& p) {
  const int64_t kind = p.kw * 10 + p.stride_w;
  if (p.c >= W && p.dilation_w == 1) {
    if (kind == 31) return pick_add_rows<3, 1>();
    if (kind == 51) return pick_add_rows<5, 1>();
    if (kind == 71) return pick_add_rows<7, 1>();
    if (kind == 32) return pick_add_rows<3, 2>();
    if (kind == 52) return pick_add_rows<5, 2>();
    if (kind == 72) return pick_add_rows<7, 2>();
  }
  return {0, {}};
}

/// One tap of any window: the sum over a row of x * g, for up to W channels.
Vec tap_sum(const Conv2dParams& p, const float* x, int64_t s, const float* g, int64_t lanes) {
  const int64_t offset = s * p.dilation_w - p.left, step = p.stride_w;
  const int64_t begin = offset < 0 ? ceil_div(-offset, step) : 0;
  const int64_t end = smaller(p.ow, ceil_div(larger<int64_t>(0, p.w - offset), step));
  Vec sum[4]{};
  for (int64_t ox = begin; ox < end; ++ox)
    sum[ox % 4] += load_first(x + (ox * step + offset) * p.c, lanes) * load_first(g + ox * p.c, lanes);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/// Channels [v, v + lanes) of one row of g against kernel rows [r0, r1), all inside the image.
void add_gradient_row(const Conv2dParams& p, const AddRows& rows, const float* x, const float* g, int64_t r0,
                      int64_t r1, int64_t lanes, float* sums) {
  const int64_t row_step = p.dilation_h * p.w * p.c;
  if (rows.most == 0 || lanes < W) {
    for (int64_t r = r0; r < r1; ++r)
      for (int64_t s = 0; s < p.kw; ++s) {
        float* to = sums + (r * p.kw + s) * p.c;
        store_first(to, load_first(to, lanes) + tap_sum(p, x + r * row_step, s, g, lanes), lanes);
      }
    return;
  }
  for (int64_t r = r0; r < r1;) {
    const int64_t count = smaller(rows.most, r1 - r);
    rows.run[count - 1](p, x + r * row_step, row_step, g, sums + r * p.kw * p.c);
    r += count;
  }
}

}  // namespace

void conv2d_depthwise_grad_kernel_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Conv2dParams>(args);
  const Parts parts(p);
  plan.tasks[0] = parts.splits * parts.blocks;
  plan.nanoseconds[0] = static_cast<double>(p.n * p.oh * p.ow) * parts.vectors * W *
                            (2.0 * p.kh * p.kw / kFlopsPerNanosecond + 4.0 / kBytesPerNanosecond) +
                        4.0 * p.n * p.h * p.w * p.c / kBytesPerNanosecond;
  if (parts.splits > 1) {
    const int64_t numbers = p.kh * p.kw * p.c;
    plan.phases = 2;
    plan.shared_bytes = parts.splits * numbers * sizeof(float);
    plan.tasks[1] = ceil_div(numbers, 16 * W);
    plan.nanoseconds[1] = 4.0 * parts.splits * numbers / kBytesPerNanosecond;
  }
}

void conv2d_depthwise_grad_kernel(const KernelArgs& args) {
  const auto p = params_of<Conv2dParams>(args);
  const Parts parts(p);
  const int64_t numbers = p.kh * p.kw * p.c, row_floats = p.w * p.c;
  float* const partial = parts.splits > 1 ? reinterpret_cast<float*>(args.shared) : args.output<float>(0);
  if (args.phase == 1) {
    add_splits(partial, parts.splits, numbers, args.begin * 16 * W, smaller(numbers, args.end * 16 * W),
               args.output<float>(0));
    return;
  }
  const AddRows add_rows = pick_add_rows(p);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t split = task / parts.blocks, block = task % parts.blocks;
    const int64_t v0 = part_start(parts.vectors, parts.blocks, block) * W;
    const int64_t v1 = smaller(p.c, part_start(parts.vectors, parts.blocks, block + 1) * W);
    float* sums = partial + split * numbers;
    for (int64_t tap = 0; tap < p.kh * p.kw; ++tap) memset(sums + tap * p.c + v0, 0, (v1 - v0) * sizeof(float));
    const int64_t row_end = part_start(p.n * p.oh, parts.splits, split + 1);
    for (int64_t row = part_start(p.n * p.oh, parts.splits, split); row < row_end; ++row) {
      const int64_t y0 = row % p.oh * p.stride_h - p.top;
      const int64_t r0 = y0 < 0 ? ceil_div(-y0, p.dilation_h) : 0;
      const int64_t r1 = smaller(p.kh, ceil_div(larger<int64_t>(0, p.h - y0), p.dilation_h));
      const float* x = args.input<float>(0) + (row / p.oh * p.h + y0) * row_floats;
      const float* g = args.input<float>(1) + row * p.ow * p.c;
      for (int64_t v = v0; v < v1; v += W)
        add_gradient_row(p, add_rows, x + v, g + v, r0, r1, smaller<int64_t>(W, v1 - v), sums + v);
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
