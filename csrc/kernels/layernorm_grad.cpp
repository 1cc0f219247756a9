// Gradients of layer and RMS normalization.  With z = (x - mean) * rstd and h = g * gamma, in each row:
//   dx = rstd * (h - mean(h) - z * mean(h * z))        without mean(h) for RMS normalization, where mean is 0
// and over all rows dgamma = sum(g * z), dbeta = sum(g).
//
// Four rows at a time: the partial sums of dgamma and dbeta are then loaded and stored once for four rows.  Each block
// of rows has its own; they are added in the order of the blocks.
#include "kernels/rows.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kMaxBlocks = 64;
constexpr int64_t kMinBlockRows = 8;                // fewer, and the partial sums would cost as much as the rows
constexpr int64_t kMaxPartials = int64_t{1} << 20;  // floats
constexpr int64_t kFewBlocks = 8;                   // long rows: more partial sums than that, to share the work
constexpr int64_t kRowsAtOnce = 4;
constexpr int64_t kColumnsOfTask = 256;

struct Blocks {
  int64_t rows, columns, blocks, padded;
  explicit Blocks(const LayerNormParams& p) : rows(p.rows), columns(p.columns), padded(round_up(p.columns, 16)) {
    const int64_t affordable = larger(kFewBlocks, kMaxPartials / (2 * padded));
    blocks = larger<int64_t>(smaller(smaller(kMaxBlocks, affordable), rows / kMinBlockRows), 1);
  }
  double elements() const { return static_cast<double>(rows) * static_cast<double>(columns); }
};

struct Operands {
  const float *g, *x, *gamma, *mean, *rstd;  ///< no mean: RMS normalization
  float* dx;
};

template <bool kCentered, int kRows>
void grad_rows(const Operands& o, int64_t r, int64_t n, float* dgamma, float* dbeta) {
  float mean[kRows], rstd[kRows], h_mean[kRows], hz_mean[kRows];
  const float *g[kRows], *x[kRows], *gamma = o.gamma;
  float* dx[kRows];
  for (int i = 0; i < kRows; ++i) {
    const float *gr = g[i] = o.g + (r + i) * n, *xr = x[i] = o.x + (r + i) * n;
    dx[i] = o.dx + (r + i) * n;
    const float m = mean[i] = kCentered ? o.mean[r + i] : 0.f;
    rstd[i] = o.rstd[r + i];
    float sums[2];
    row_sums(n, sums, [=](int64_t at, auto lanes) {
      const Vec h = load_first(gr + at, lanes) * load_first(gamma + at, lanes);
      return Vecs<2>{{h, h * (load_first(xr + at, lanes) - m)}};
    });
    h_mean[i] = kCentered ? sums[0] / static_cast<float>(n) : 0.f;
    hz_mean[i] = sums[1] * rstd[i] / static_cast<float>(n);
  }
  for_each_vector(0, n, [&](int64_t at, auto lanes) {
    const Vec scale = load_first(gamma + at, lanes);
    Vec dgamma_sum = load(dgamma + at), dbeta_sum = kCentered ? load(dbeta + at) : Vec{};
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
      const Vec gv = load_first(g[i] + at, lanes), z = (load_first(x[i] + at, lanes) - mean[i]) * rstd[i];
      dgamma_sum += gv * z;
      dbeta_sum += gv;
      store_first(dx[i] + at, (gv * scale - h_mean[i] - z * hz_mean[i]) * rstd[i], lanes);
    }
    store(dgamma + at, dgamma_sum);
    if constexpr (kCentered) store(dbeta + at, dbeta_sum);
  });
}

void plan_grad(const KernelArgs& args, KernelPlan& plan) {
  const Blocks b(params_of<LayerNormParams>(args));
  plan.phases = 2;
  plan.tasks[0] = b.blocks;
  plan.tasks[1] = ceil_div(b.columns, kColumnsOfTask);
  plan.shared_bytes = b.blocks * 2 * b.padded * 4;
  plan.nanoseconds[0] = b.elements() * 12 / kBytesPerNanosecond + 10 * static_cast<double>(b.rows);
  plan.nanoseconds[1] = static_cast<double>(b.blocks * 2 * b.padded) * 4 / kBytesPerNanosecond;
}

template <bool kCentered>
void grad(const KernelArgs& args, const Operands& o, float* dgamma, float* dbeta) {
  const Blocks b(params_of<LayerNormParams>(args));
  float* partials = reinterpret_cast<float*>(args.shared);  // [blocks][2][padded]
  if (args.phase == 0) {
    for (int64_t block = args.begin; block < args.end; ++block) {
      float* sums = partials + block * 2 * b.padded;
      memset(sums, 0, static_cast<size_t>(2 * b.padded) * sizeof(float));
      int64_t r = part_start(b.rows, b.blocks, block);
      const int64_t end = part_start(b.rows, b.blocks, block + 1);
      for (; r + kRowsAtOnce <= end; r += kRowsAtOnce)
        grad_rows<kCentered, kRowsAtOnce>(o, r, b.columns, sums, sums + b.padded);
      for (; r < end; ++r) grad_rows<kCentered, 1>(o, r, b.columns, sums, sums + b.padded);
    }
    return;
  }
  const int64_t end = smaller(args.end * kColumnsOfTask, b.columns);
  for_each_vector(args.begin * kColumnsOfTask, end, [&](int64_t c, auto lanes) {
    Vec g{}, s{};
    for (int64_t block = 0; block < b.blocks; ++block) {
      g += load(partials + block * 2 * b.padded + c);
      s += load(partials + (block * 2 + 1) * b.padded + c);
    }
    store_first(dgamma + c, g, lanes);
    if constexpr (kCentered) store_first(dbeta + c, s, lanes);
  });
}

}  // namespace

void layer_norm_grad_plan(const KernelArgs& args, KernelPlan& plan) { plan_grad(args, plan); }

void layer_norm_grad(const KernelArgs& args) {
  const Operands o = {args.input<float>(0), args.input<float>(1), args.input<float>(2),
                      args.input<float>(3), args.input<float>(4), args.output<float>(0)};
  grad<true>(args, o, args.output<float>(1), args.output<float>(2));
}

void rms_norm_grad_plan(const KernelArgs& args, KernelPlan& plan) { plan_grad(args, plan); }

void rms_norm_grad(const KernelArgs& args) {
  const Operands o = {args.input<float>(0), args.input<float>(1), args.input<float>(2), nullptr,
                      args.input<float>(3), args.output<float>(0)};
  grad<false>(args, o, args.output<float>(1), nullptr);
}

}  // namespace PYNN_ISA
}  // namespace pynn
