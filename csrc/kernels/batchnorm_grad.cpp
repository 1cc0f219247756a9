// Gradients of batch normalization in training mode, where mean and variance depend on x:
//   dbeta = sum(g)     dgamma = sum(g * (x - mean)) * r     r = 1 / sqrt(variance + epsilon)
//   dx = gamma * r * (g - dbeta / rows - (x - mean) * r * dgamma / rows)
// One pass for the two sums, one for dx; blocks and order of summation as in the forward kernel.
#include "kernels/batchnorm_blocks.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// Shared memory: partial sums [row_blocks][2][padded_width], then four per-column arrays.
struct Shared {
  float *partials, *mean, *g_factor, *x_factor, *offset;
  Shared(char* memory, const Blocks& b) {
    partials = reinterpret_cast<float*>(memory);
    mean = partials + b.row_blocks * 2 * b.padded_width();
    g_factor = mean + b.padded_width();
    x_factor = g_factor + b.padded_width();
    offset = x_factor + b.padded_width();
  }
  static int64_t bytes(const Blocks& b) { return (b.row_blocks * 2 + 4) * b.padded_width() * 4; }
};

/// Partial sums of g and of g * (x - mean) for kVectors vectors of columns; the last vector has `last` columns.
template <int kVectors>
void sum_columns(const float* g, const float* x, int64_t stride, int64_t rows, const float* mean, float* sums,
                 float* products, int64_t last) {
  Vec s[kVectors] = {}, q[kVectors] = {}, m[kVectors];
  for (int i = 0; i < kVectors; ++i) m[i] = load_first(mean + i * W, i + 1 < kVectors ? W : last);
  for (int64_t r = 0; r < rows; ++r, x += stride, g += stride) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const bool whole = i + 1 < kVectors || last == W;
      const Vec gv = whole ? load(g + i * W) : load_first(g + i * W, last);
      s[i] += gv;
      q[i] += gv * ((whole ? load(x + i * W) : load_first(x + i * W, last)) - m[i]);
    }
  }
  for (int i = 0; i < kVectors; ++i) {
    store_first(sums + i * W, s[i], i + 1 < kVectors ? W : last);
    store_first(products + i * W, q[i], i + 1 < kVectors ? W : last);
  }
}

void sum_block(const Blocks& b, const float* g, const float* x, const float* mean, int64_t task, float* partials,
               float* scratch) {
  const int64_t block = task / b.column_blocks;
  const int64_t c0 = task % b.column_blocks * b.column_block;
  const int64_t c1 = smaller(c0 + b.column_block, b.width);
  const int64_t r0 = part_start(b.folded_rows, b.row_blocks, block);
  const int64_t rows = part_start(b.folded_rows, b.row_blocks, block + 1) - r0;
  if (b.fold > 1) {
    repeat(mean, b.channels, scratch, b.width);
    mean = scratch;
  }
  float* sums = partials + block * 2 * b.padded_width();
  float* products = sums + b.padded_width();
  const int64_t from = r0 * b.width;
  int64_t c = c0;
  for (; c + 4 * W <= c1; c += 4 * W)
    sum_columns<4>(g + from + c, x + from + c, b.width, rows, mean + c, sums + c, products + c, W);
  for (; c < c1; c += W)
    sum_columns<1>(g + from + c, x + from + c, b.width, rows, mean + c, sums + c, products + c,
                   smaller<int64_t>(W, c1 - c));
}

constexpr int64_t kChannelBlock = 16;

struct Operands {
  const float *g, *x, *gamma, *mean, *variance;
  float *dx, *dgamma, *dbeta;
};

/// Channels [c, c + n): their two gradients, and the factors with which the second pass makes dx.
void finish_channels(const Blocks& b, const Operands& o, float epsilon, const Shared& shared, int64_t c, int64_t n) {
  double s[kChannelBlock] = {}, q[kChannelBlock] = {};
  if (b.folded_rows) {
    for (int64_t block = 0; block < b.row_blocks; ++block) {
      const float* sums = shared.partials + block * 2 * b.padded_width() + c;
      const float* products = sums + b.padded_width();
      for (int64_t f = 0; f < b.width; f += b.channels)
        for (int64_t i = 0; i < n; ++i) {
          s[i] += static_cast<double>(sums[f + i]);
          q[i] += static_cast<double>(products[f + i]);
        }
    }
  }
  for (int64_t at = b.tail_start() + c; at < b.rows * b.channels; at += b.channels)
    for (int64_t i = 0; i < n; ++i) {
      const double g = static_cast<double>(o.g[at + i]);
      s[i] += g;
      q[i] += g * (static_cast<double>(o.x[at + i]) - static_cast<double>(o.mean[c + i]));
    }
  const double count = static_cast<double>(b.rows);
  for (int64_t i = 0; i < n; ++i) {
    const double r = 1.0 / sqrt(static_cast<double>(o.variance[c + i]) + static_cast<double>(epsilon));
    const double factor = static_cast<double>(o.gamma[c + i]) * r;
    o.dbeta[c + i] = static_cast<float>(s[i]);
    o.dgamma[c + i] = static_cast<float>(q[i] * r);
    for (int64_t f = c + i; f < b.width; f += b.channels) {
      shared.mean[f] = o.mean[c + i];
      shared.g_factor[f] = static_cast<float>(factor);
      shared.x_factor[f] = static_cast<float>(-factor * r * r * q[i] / count);
      shared.offset[f] = static_cast<float>(-factor * s[i] / count);
    }
  }
}

PYNN_INLINE Vec dx_of(Vec g, Vec x, Vec mean, Vec g_factor, Vec x_factor, Vec offset) {
  return g * g_factor + ((x - mean) * x_factor + offset);
}

void dx_row(const float* g, const float* x, const Shared& s, float* dx, int64_t n) {
  const float *mean = s.mean, *g_factor = s.g_factor, *x_factor = s.x_factor, *offset = s.offset;
  int64_t i = 0;
  for (; i + W <= n; i += W)
    store(dx + i,
          dx_of(load(g + i), load(x + i), load(mean + i), load(g_factor + i), load(x_factor + i), load(offset + i)));
  if (i < n) {
    const int64_t k = n - i;
    store_first(dx + i,
                dx_of(load_first(g + i, k), load_first(x + i, k), load_first(mean + i, k), load_first(g_factor + i, k),
                      load_first(x_factor + i, k), load_first(offset + i, k)),
                k);
  }
}

}  // namespace

void batch_norm_grad_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<BatchNormParams>(args);
  const Blocks b(p.rows, p.channels);
  plan.phases = 3;
  plan.tasks[0] = b.row_blocks * b.column_blocks;
  plan.tasks[1] = ceil_div(b.channels, kChannelBlock);
  plan.tasks[2] = b.chunks;
  plan.shared_bytes = Shared::bytes(b);
  plan.thread_bytes = b.padded_width() * 4;
  plan.nanoseconds[0] = b.elements() * 8 / kBytesPerNanosecond;
  plan.nanoseconds[1] = static_cast<double>((b.row_blocks + 10) * b.width);
  plan.nanoseconds[2] = b.elements() * 12 / kBytesPerNanosecond;
}

void batch_norm_grad(const KernelArgs& args) {
  const auto p = params_of<BatchNormParams>(args);
  const Blocks b(p.rows, p.channels);
  const Shared shared(args.shared, b);
  const Operands o = {args.input<float>(0), args.input<float>(1),  args.input<float>(2),  args.input<float>(3),
                      args.input<float>(4), args.output<float>(0), args.output<float>(1), args.output<float>(2)};
  if (args.phase == 0) {
    for (int64_t task = args.begin; task < args.end; ++task)
      sum_block(b, o.g, o.x, o.mean, task, shared.partials, reinterpret_cast<float*>(args.scratch));
  } else if (args.phase == 1) {
    for (int64_t task = args.begin; task < args.end; ++task) {
      const int64_t c = task * kChannelBlock;
      finish_channels(b, o, p.epsilon, shared, c, smaller(kChannelBlock, b.channels - c));
    }
  } else {
    for_each_row(b, args.begin, args.end,
                 [&](int64_t at, int64_t n) { dx_row(o.g + at, o.x + at, shared, o.dx + at, n); });
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
