// Batch normalization: statistics over all axes but the last, in one pass over x; y in a second pass.
//
// Sums of x - shift and (x - shift)^2, with the first row as the shift, lose nothing when the mean is large against the
// deviation, and need one pass where mean-then-deviation needs two.  Each block of rows has its own partial sums; they
// are added in double, in the order of the blocks.
#include "kernels/batchnorm_blocks.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// Shared memory: partial sums [row_blocks][2][padded_width], then three per-column arrays.
struct Shared {
  float *partials, *mean, *scale, *offset;
  Shared(char* memory, const Blocks& b) {
    partials = reinterpret_cast<float*>(memory);
    mean = partials + b.row_blocks * 2 * b.padded_width();
    scale = mean + b.padded_width();
    offset = scale + b.padded_width();
  }
  static int64_t bytes(const Blocks& b) { return (b.row_blocks * 2 + 3) * b.padded_width() * 4; }
};

/// Partial sums of kVectors vectors of columns over `rows` rows; the last vector has `last` columns.
template <int kVectors>
void sum_columns(const float* x, int64_t stride, int64_t rows, const float* shift, float* sums, float* squares,
                 int64_t last) {
  Vec s[kVectors] = {}, q[kVectors] = {}, h[kVectors];
  for (int i = 0; i < kVectors; ++i) h[i] = load_first(shift + i * W, i + 1 < kVectors ? W : last);
  for (int64_t r = 0; r < rows; ++r, x += stride) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const bool whole = i + 1 < kVectors || last == W;
      const Vec d = (whole ? load(x + i * W) : load_first(x + i * W, last)) - h[i];
      s[i] += d;
      q[i] += d * d;
    }
  }
  for (int i = 0; i < kVectors; ++i) {
    store_first(sums + i * W, s[i], i + 1 < kVectors ? W : last);
    store_first(squares + i * W, q[i], i + 1 < kVectors ? W : last);
  }
}

void sum_block(const Blocks& b, const float* x, int64_t task, float* partials, float* scratch) {
  const int64_t block = task / b.column_blocks;
  const int64_t c0 = task % b.column_blocks * b.column_block;
  const int64_t c1 = smaller(c0 + b.column_block, b.width);
  const int64_t r0 = part_start(b.folded_rows, b.row_blocks, block);
  const int64_t rows = part_start(b.folded_rows, b.row_blocks, block + 1) - r0;
  const float* shift = x;
  if (b.fold > 1) {
    repeat(x, b.channels, scratch, b.width);
    shift = scratch;
  }
  float* sums = partials + block * 2 * b.padded_width();
  float* squares = sums + b.padded_width();
  const float* from = x + r0 * b.width;
  int64_t c = c0;
  for (; c + 4 * W <= c1; c += 4 * W) sum_columns<4>(from + c, b.width, rows, shift + c, sums + c, squares + c, W);
  for (; c < c1; c += W)
    sum_columns<1>(from + c, b.width, rows, shift + c, sums + c, squares + c, smaller<int64_t>(W, c1 - c));
}

constexpr int64_t kChannelBlock = 16;

/// Statistics of channels [c, c + n) from the partial sums and the tail's rows, and what the second pass needs of them.
void finish_channels(const Blocks& b, const float* x, const float* gamma, const float* beta, float epsilon,
                     const Shared& shared, int64_t c, int64_t n, float* mean, float* variance) {
  double s[kChannelBlock] = {}, q[kChannelBlock] = {};
  if (b.folded_rows) {
    for (int64_t block = 0; block < b.row_blocks; ++block) {
      const float* sums = shared.partials + block * 2 * b.padded_width() + c;
      const float* squares = sums + b.padded_width();
      for (int64_t f = 0; f < b.width; f += b.channels)
        for (int64_t i = 0; i < n; ++i) {
          s[i] += static_cast<double>(sums[f + i]);
          q[i] += static_cast<double>(squares[f + i]);
        }
    }
  }
  for (int64_t at = b.tail_start() + c; at < b.rows * b.channels; at += b.channels)
    for (int64_t i = 0; i < n; ++i) {
      const double d = static_cast<double>(x[at + i]) - static_cast<double>(x[c + i]);
      s[i] += d;
      q[i] += d * d;
    }
  const double count = static_cast<double>(b.rows);
  for (int64_t i = 0; i < n; ++i) {
    const double d = s[i] / count;
    const double var = larger(q[i] / count - d * d, 0.0);
    const float m = static_cast<float>(static_cast<double>(x[c + i]) + d);
    mean[c + i] = m;
    variance[c + i] = static_cast<float>(var);
    const float scale =
        static_cast<float>(static_cast<double>(gamma[c + i]) / sqrt(var + static_cast<double>(epsilon)));
    for (int64_t f = 0; f < b.width; f += b.channels) {
      shared.mean[f + c + i] = m;
      shared.scale[f + c + i] = scale;
      shared.offset[f + c + i] = beta[c + i];
    }
  }
}

/// y = (x - mean) * scale + offset: the subtraction first, or a large mean would cost its digits.
void normalize_row(const float* x, const float* mean, const float* scale, const float* offset, float* y, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, (load(x + i) - load(mean + i)) * load(scale + i) + load(offset + i));
  if (i < n) {
    const int64_t k = n - i;
    const Vec d = load_first(x + i, k) - load_first(mean + i, k);
    store_first(y + i, d * load_first(scale + i, k) + load_first(offset + i, k), k);
  }
}

}  // namespace

void batch_norm_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<BatchNormParams>(args);
  const Blocks b(p.rows, p.channels);
  plan.phases = 3;
  plan.tasks[0] = b.row_blocks * b.column_blocks;
  plan.tasks[1] = ceil_div(b.channels, kChannelBlock);
  plan.tasks[2] = b.chunks;
  plan.shared_bytes = Shared::bytes(b);
  plan.thread_bytes = b.padded_width() * 4;
  plan.nanoseconds[0] = b.elements() * 4 / kBytesPerNanosecond;
  plan.nanoseconds[1] = static_cast<double>((b.row_blocks + 8) * b.width);
  plan.nanoseconds[2] = b.elements() * 8 / kBytesPerNanosecond;
}

void batch_norm(const KernelArgs& args) {
  const auto p = params_of<BatchNormParams>(args);
  const Blocks b(p.rows, p.channels);
  const Shared shared(args.shared, b);
  const float* x = args.input<float>(0);
  if (args.phase == 0) {
    for (int64_t task = args.begin; task < args.end; ++task)
      sum_block(b, x, task, shared.partials, reinterpret_cast<float*>(args.scratch));
  } else if (args.phase == 1) {
    for (int64_t task = args.begin; task < args.end; ++task) {
      const int64_t c = task * kChannelBlock;
      finish_channels(b, x, args.input<float>(1), args.input<float>(2), p.epsilon, shared, c,
                      smaller(kChannelBlock, b.channels - c), args.output<float>(1), args.output<float>(2));
    }
  } else {
    float* y = args.output<float>(0);
    for_each_row(b, args.begin, args.end, [&](int64_t at, int64_t n) {
      normalize_row(x + at, shared.mean, shared.scale, shared.offset, y + at, n);
    });
  }
}

void batch_norm_inference_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<BatchNormParams>(args);
  const Blocks b(p.rows, p.channels);
  plan.tasks[0] = b.chunks;
  plan.thread_bytes = 3 * b.padded_width() * 4;
  plan.nanoseconds[0] = b.elements() * 8 / kBytesPerNanosecond + 5 * static_cast<double>(b.width);
}

void batch_norm_inference(const KernelArgs& args) {
  const auto p = params_of<BatchNormParams>(args);
  const Blocks b(p.rows, p.channels);
  const float* x = args.input<float>(0);
  const float* gamma = args.input<float>(1);
  const float* variance = args.input<float>(4);
  float* y = args.output<float>(0);
  float* mean = reinterpret_cast<float*>(args.scratch);
  float* offset = mean + b.padded_width();
  float* scale = offset + b.padded_width();
  repeat(args.input<float>(3), b.channels, mean, b.width);
  repeat(args.input<float>(2), b.channels, offset, b.width);
  for (int64_t c = 0; c < b.channels; ++c) scale[c] = gamma[c] / sqrtf(variance[c] + p.epsilon);
  // In place: the first period is there already.
  for (int64_t done = b.channels; done < b.width; done += b.channels)
    memcpy(scale + done, scale, static_cast<size_t>(b.channels) * sizeof(float));
  for_each_row(b, args.begin, args.end,
               [&](int64_t at, int64_t n) { normalize_row(x + at, mean, scale, offset, y + at, n); });
}

}  // namespace PYNN_ISA
}  // namespace pynn
