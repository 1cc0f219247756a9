// Gradients of batch normalization in training mode, where mean and variance depend on x:
//   dbeta = sum(g)     dgamma = sum(g * (x - mean)) * r     r = 1 / sqrt(variance + epsilon)
//   dx = gamma * r * (g - dbeta / rows - (x - mean) * r * dgamma / rows)
// One pass for the two sums, one for dx; blocks and order of summation as in the forward kernel.
//
// With an activation, g is first set to 0 where that was flat.  Without a residual this is known from x, by the very
// expression of the forward kernel, so y is not read at all.  With one it is known from y; the first pass then writes
// the masked g, which is the residual's gradient, and the second reads that.
#include "kernels/batchnorm_blocks.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// Shared memory: partial sums, then five per-column arrays.
struct Shared {
  float *partials, *mean, *scale, *beta, *x_factor, *offset;
  Shared(char* memory, const Blocks& b) {
    partials = reinterpret_cast<float*>(memory);
    mean = partials + b.partial_sums();
    scale = mean + b.padded_width();
    beta = scale + b.padded_width();
    x_factor = beta + b.padded_width();
    offset = x_factor + b.padded_width();
  }
  static int64_t bytes(const Blocks& b) { return (b.partial_sums() + 5 * b.padded_width()) * 4; }
};

struct Operands {
  const float *g, *x, *gamma, *mean, *variance;
  const float* beta;  ///< with an activation and no residual
  const float* y;     ///< with a residual
  float *dx, *dgamma, *dbeta;
  float* dr;  ///< the residual's gradient, or null
};

/// Per-column copies of what the passes need of channels [c, c + n).
void prepare_channels(const Blocks& b, const Operands& o, float epsilon, const Shared& shared, int64_t c, int64_t n) {
  for (int64_t i = c; i < c + n; ++i) {
    const float scale = channel_scale(o.gamma[i], o.variance[i], epsilon);
    for (int64_t f = i; f < b.width; f += b.channels) {
      shared.mean[f] = o.mean[i];
      shared.scale[f] = scale;
      shared.beta[f] = o.beta ? o.beta[i] : 0.f;
    }
  }
}

/// Adds g and g * (x - mean) of kVectors vectors of columns, from element `at` on, to the partial sums.
template <int kVectors, int32_t kActivation, bool kResidual, class Lanes>
void sum_columns(const Operands& o, int64_t at, int64_t stride, int64_t rows, const Shared& shared, int64_t c,
                 const SumTask& t, Lanes lanes) {
  Vec s[kVectors], q[kVectors], mean[kVectors], scale[kVectors], beta[kVectors];
  for (int i = 0; i < kVectors; ++i) {
    s[i] = load_first(t.sums + c + i * W, lanes);
    q[i] = load_first(t.products + c + i * W, lanes);
    mean[i] = load_first(shared.mean + c + i * W, lanes);
    scale[i] = load_first(shared.scale + c + i * W, lanes);
    beta[i] = load_first(shared.beta + c + i * W, lanes);
  }
  const float *g = o.g + at, *x = o.x + at, *y = kResidual ? o.y + at : nullptr;
  float* dr = kResidual ? o.dr + at : nullptr;
  for (int64_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const int64_t k = r * stride + i * W;
      const Vec xv = load_in_order(x + k, lanes);
      Vec gv = load_in_order(g + k, lanes);
      if constexpr (kResidual) {
        gv = where_active<kActivation>(load_in_order(y + k, lanes), gv);
        store_first(dr + k, gv, lanes);
      } else if constexpr (kActivation != kLinear) {
        gv = where_active<kActivation>(normalized(xv, mean[i], scale[i], beta[i]), gv);
      }
      s[i] += gv;
      q[i] += gv * (xv - mean[i]);
    }
  }
  for (int i = 0; i < kVectors; ++i) {
    store_first(t.sums + c + i * W, s[i], lanes);
    store_first(t.products + c + i * W, q[i], lanes);
  }
}

template <int32_t kActivation, bool kResidual>
void sum_block(const Blocks& b, const Operands& o, const Shared& shared, const SumTask& t) {
  t.for_each_strip([&](int64_t r, int64_t rows, int64_t c, auto vectors, auto lanes) {
    sum_columns<vectors.value, kActivation, kResidual>(o, t.start + r * b.width + c, b.width, rows, shared, c, t,
                                                       lanes);
  });
}

/// Channels [c, c + n): their two gradients, and the factors with which the second pass makes dx.
void finish_channels(const Blocks& b, const Operands& o, float epsilon, const Shared& shared, int64_t c, int64_t n) {
  double s[kChannelBlock] = {}, q[kChannelBlock] = {};
  add_partials(b, shared.partials, c, n, s, q);
  const double count = static_cast<double>(b.rows);
  for (int64_t i = c; i < c + n; ++i) {
    const double r = 1.0 / sqrt(static_cast<double>(o.variance[i]) + static_cast<double>(epsilon));
    const double factor = static_cast<double>(o.gamma[i]) * r;
    o.dbeta[i] = static_cast<float>(s[i - c]);
    o.dgamma[i] = static_cast<float>(q[i - c] * r);
    for (int64_t f = i; f < b.width; f += b.channels) {
      shared.x_factor[f] = static_cast<float>(-factor * r * r * q[i - c] / count);
      shared.offset[f] = static_cast<float>(-factor * s[i - c] / count);
    }
  }
}

/// dx of n elements; `g` is masked already if there is a residual (kActivation is then kLinear).
template <int32_t kActivation, bool kStream>
void dx_row(const float* g, const float* x, const Shared& s, float* dx, int64_t n) {
  const float *mean = s.mean, *scale = s.scale, *beta = s.beta, *x_factor = s.x_factor, *offset = s.offset;
  for_each_vector(0, n, [=](int64_t i, auto lanes) {
    const Vec xv = load_in_order(x + i, lanes), m = load_first(mean + i, lanes), a = load_first(scale + i, lanes);
    Vec gv = load_in_order(g + i, lanes);
    if constexpr (kActivation != kLinear)
      gv = where_active<kActivation>(normalized(xv, m, a, load_first(beta + i, lanes)), gv);
    store_result<kStream>(dx + i, gv * a + ((xv - m) * load_first(x_factor + i, lanes) + load_first(offset + i, lanes)),
                          lanes);
  });
}

template <int32_t kActivation, bool kResidual>
void run_phase(const KernelArgs& args, const Blocks& b, const Operands& o, float epsilon) {
  const Shared shared(args.shared, b);
  if (args.phase == 1) {
    for (int64_t task = args.begin; task < args.end; ++task)
      sum_block<kActivation, kResidual>(b, o, shared, SumTask(b, task, shared.partials));
  } else if (args.phase == 3) {
    const float* g = kResidual ? o.dr : o.g;
    constexpr int32_t kMask = kResidual ? kLinear : kActivation;
    const bool stream = streams(b, o.dx);
    for_each_row(b, args.begin, args.end, [&](int64_t at, int64_t n) {
      if (stream)
        dx_row<kMask, true>(g + at, o.x + at, shared, o.dx + at, n);
      else
        dx_row<kMask, false>(g + at, o.x + at, shared, o.dx + at, n);
    });
    if (stream) finish_streaming();
  } else {
    for (int64_t task = args.begin; task < args.end; ++task) {
      const int64_t c = task * kChannelBlock, n = smaller(kChannelBlock, b.channels - c);
      if (args.phase == 0)
        prepare_channels(b, o, epsilon, shared, c, n);
      else
        finish_channels(b, o, epsilon, shared, c, n);
    }
  }
}

}  // namespace

void batch_norm_grad_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<BatchNormParams>(args);
  const Blocks b(p.rows, p.channels);
  plan.phases = 4;
  plan.tasks[0] = plan.tasks[2] = ceil_div(b.channels, kChannelBlock);
  plan.tasks[1] = b.row_blocks * b.column_blocks;
  plan.tasks[3] = b.chunks;
  plan.shared_bytes = Shared::bytes(b);
  plan.nanoseconds[0] = static_cast<double>(10 * b.channels + b.width);
  plan.nanoseconds[1] = b.elements() * (p.residual ? 16 : 8) / kBytesPerNanosecond;
  plan.nanoseconds[2] = static_cast<double>((b.row_blocks + 10) * b.width);
  plan.nanoseconds[3] = b.elements() * 12 / kBytesPerNanosecond;
}

void batch_norm_grad(const KernelArgs& args) {
  const auto p = params_of<BatchNormParams>(args);
  const Blocks b(p.rows, p.channels);
  const bool residual = p.residual != 0, recompute = p.activation != kLinear && !residual;
  const Operands o = {args.input<float>(0),
                      args.input<float>(1),
                      args.input<float>(2),
                      args.input<float>(3),
                      args.input<float>(4),
                      recompute ? args.input<float>(5) : nullptr,
                      residual ? args.input<float>(5) : nullptr,
                      args.output<float>(0),
                      args.output<float>(1),
                      args.output<float>(2),
                      residual ? args.output<float>(3) : nullptr};
  with_activation(p.activation, [&](auto kind) {
    if (residual)
      run_phase<kind.value, true>(args, b, o, p.epsilon);
    else
      run_phase<kind.value, false>(args, b, o, p.epsilon);
  });
}

}  // namespace PYNN_ISA
}  // namespace pynn
