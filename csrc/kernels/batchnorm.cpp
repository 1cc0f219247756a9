// Batch normalization: statistics over all axes but the last, in one pass over x; y in a second pass, which also adds
// the residual and applies the activation: y = activation(normalized x + residual).
//
// Sums of x - shift and (x - shift)^2, with the first row as the shift, lose nothing when the mean is large against the
// deviation, and need one pass where mean-then-deviation needs two.  Each block of rows has its own partial sums; they
// are added in double, in the order of the blocks.
#include "kernels/batchnorm_blocks.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// Shared memory: partial sums, then three per-column arrays.
struct Shared {
  float *partials, *mean, *scale, *offset;
  Shared(char* memory, const Blocks& b) {
    partials = reinterpret_cast<float*>(memory);
    mean = partials + b.partial_sums();
    scale = mean + b.padded_width();
    offset = scale + b.padded_width();
  }
  static int64_t bytes(const Blocks& b) { return (b.partial_sums() + 3 * b.padded_width()) * 4; }
};

/// Adds kVectors vectors of columns of `rows` rows to the partial sums.
template <int kVectors, class Lanes>
void sum_columns(const float* x, int64_t stride, int64_t rows, const float* shift, float* sums, float* squares,
                 Lanes lanes) {
  Vec s[kVectors], q[kVectors], h[kVectors];
  for (int i = 0; i < kVectors; ++i) {
    s[i] = load_first(sums + i * W, lanes);
    q[i] = load_first(squares + i * W, lanes);
    h[i] = load_first(shift + i * W, lanes);
  }
  for (int64_t r = 0; r < rows; ++r, x += stride) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const Vec d = load_in_order(x + i * W, lanes) - h[i];
      s[i] += d;
      q[i] += d * d;
    }
  }
  for (int i = 0; i < kVectors; ++i) {
    store_first(sums + i * W, s[i], lanes);
    store_first(squares + i * W, q[i], lanes);
  }
}

void sum_block(const Blocks& b, const float* x, const SumTask& t, float* scratch) {
  const float* shift = x;
  if (b.fold > 1) {
    repeat(x, b.channels, scratch, b.width);
    shift = scratch;
  }
  t.for_each_strip([&](int64_t r, int64_t rows, int64_t c, auto vectors, auto lanes) {
    sum_columns<vectors.value>(x + t.start + r * b.width + c, b.width, rows, shift + c, t.sums + c, t.products + c,
                               lanes);
  });
}

/// Statistics of channels [c, c + n) from the partial sums, and what the second pass needs of them.
void finish_channels(const Blocks& b, const float* x, const float* gamma, const float* beta, float epsilon,
                     const Shared& shared, int64_t c, int64_t n, float* mean, float* variance) {
  double s[kChannelBlock] = {}, q[kChannelBlock] = {};
  add_partials(b, shared.partials, c, n, s, q);
  const double count = static_cast<double>(b.rows);
  for (int64_t i = c; i < c + n; ++i) {
    const double d = s[i - c] / count;
    mean[i] = static_cast<float>(static_cast<double>(x[i]) + d);
    variance[i] = static_cast<float>(larger(q[i - c] / count - d * d, 0.0));
    const float scale = channel_scale(gamma[i], variance[i], epsilon);
    for (int64_t f = i; f < b.width; f += b.channels) {
      shared.mean[f] = mean[i];
      shared.scale[f] = scale;
      shared.offset[f] = beta[i];
    }
  }
}

struct Columns {
  const float *mean, *scale, *offset;
};

template <int32_t kActivation, bool kResidual, bool kStream>
void normalize_row(const float* x, const float* residual, const Columns columns, float* y, int64_t n) {
  for_each_vector(0, n, [=](int64_t i, auto lanes) {
    Vec v = normalized(load_in_order(x + i, lanes), load_first(columns.mean + i, lanes),
                       load_first(columns.scale + i, lanes), load_first(columns.offset + i, lanes));
    if constexpr (kResidual) v += load_in_order(residual + i, lanes);
    store_result<kStream>(y + i, activated<kActivation>(v), lanes);
  });
}

template <int32_t kActivation, bool kStream>
void normalize_rows(const Blocks& b, const float* x, const float* residual, const Columns& columns, float* y,
                    int64_t begin, int64_t end) {
  for_each_row(b, begin, end, [&](int64_t at, int64_t n) {
    if (residual)
      normalize_row<kActivation, true, kStream>(x + at, residual + at, columns, y + at, n);
    else
      normalize_row<kActivation, false, kStream>(x + at, nullptr, columns, y + at, n);
  });
  if constexpr (kStream) finish_streaming();
}

/// The second pass over the chunks of tasks [begin, end); `residual` may be null.
void normalize(const Blocks& b, const float* x, const float* residual, const Columns& columns, int32_t activation,
               float* y, int64_t begin, int64_t end) {
  with_activation(activation, [&](auto kind) {
    if (streams(b, y))
      normalize_rows<kind.value, true>(b, x, residual, columns, y, begin, end);
    else
      normalize_rows<kind.value, false>(b, x, residual, columns, y, begin, end);
  });
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
  plan.nanoseconds[2] = b.elements() * (p.residual ? 12 : 8) / kBytesPerNanosecond;
}

void batch_norm(const KernelArgs& args) {
  const auto p = params_of<BatchNormParams>(args);
  const Blocks b(p.rows, p.channels);
  const Shared shared(args.shared, b);
  const float* x = args.input<float>(0);
  if (args.phase == 0) {
    for (int64_t task = args.begin; task < args.end; ++task)
      sum_block(b, x, SumTask(b, task, shared.partials), reinterpret_cast<float*>(args.scratch));
  } else if (args.phase == 1) {
    for (int64_t task = args.begin; task < args.end; ++task) {
      const int64_t c = task * kChannelBlock;
      finish_channels(b, x, args.input<float>(1), args.input<float>(2), p.epsilon, shared, c,
                      smaller(kChannelBlock, b.channels - c), args.output<float>(1), args.output<float>(2));
    }
  } else {
    normalize(b, x, p.residual ? args.input<float>(3) : nullptr, {shared.mean, shared.scale, shared.offset},
              p.activation, args.output<float>(0), args.begin, args.end);
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
  const float* gamma = args.input<float>(1);
  const float* variance = args.input<float>(4);
  float* mean = reinterpret_cast<float*>(args.scratch);
  float* offset = mean + b.padded_width();
  float* scale = offset + b.padded_width();
  repeat(args.input<float>(3), b.channels, mean, b.width);
  repeat(args.input<float>(2), b.channels, offset, b.width);
  for (int64_t c = 0; c < b.channels; ++c) scale[c] = gamma[c] / sqrtf(variance[c] + p.epsilon);
  repeat(scale, b.channels, scale, b.width);
  normalize(b, args.input<float>(0), nullptr, {mean, scale, offset}, p.activation, args.output<float>(0), args.begin,
            args.end);
}

}  // namespace PYNN_ISA
}  // namespace pynn
