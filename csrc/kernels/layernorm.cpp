// Layer normalization and RMS normalization of rows.
//
// A row is passed over two or three times while it is in the L1 cache: its mean, the mean square of its deviations from
// it (RMS normalization: from 0), the result.
#include "kernels/rows.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

struct Row {
  float mean, rstd;
};

template <bool kCentered>
PYNN_INLINE Row row_statistics(const float* x, int64_t n, float epsilon) {
  const float count = static_cast<float>(n);
  float mean = 0.f;
  if constexpr (kCentered) mean = row_sum(n, [=](int64_t i, auto lanes) { return load_first(x + i, lanes); }) / count;
  const float squares = row_sum(n, [=](int64_t i, auto lanes) {
    const Vec d = load_first(x + i, lanes) - mean;
    return d * d;
  });
  return {mean, 1.f / sqrtf(squares / count + epsilon)};
}

}  // namespace

void layer_norm_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<LayerNormParams>(args);
  plan_rows(p.rows, p.columns, 8, plan);
}

void layer_norm(const KernelArgs& args) {
  const auto p = params_of<LayerNormParams>(args);
  const float *gamma = args.input<float>(1), *beta = args.input<float>(2);
  for (int64_t r = args.begin; r < args.end; ++r) {
    const float* x = args.input<float>(0) + r * p.columns;
    float* y = args.output<float>(0) + r * p.columns;
    const Row row = row_statistics<true>(x, p.columns, p.epsilon);
    for_each_vector(0, p.columns, [=](int64_t i, auto lanes) {
      const Vec z = (load_first(x + i, lanes) - row.mean) * row.rstd;
      store_first(y + i, z * load_first(gamma + i, lanes) + load_first(beta + i, lanes), lanes);
    });
    args.output<float>(1)[r] = row.mean;
    args.output<float>(2)[r] = row.rstd;
  }
}

void rms_norm_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<LayerNormParams>(args);
  plan_rows(p.rows, p.columns, 6, plan);
}

void rms_norm(const KernelArgs& args) {
  const auto p = params_of<LayerNormParams>(args);
  const float* gamma = args.input<float>(1);
  for (int64_t r = args.begin; r < args.end; ++r) {
    const float* x = args.input<float>(0) + r * p.columns;
    float* y = args.output<float>(0) + r * p.columns;
    const Row row = row_statistics<false>(x, p.columns, p.epsilon);
    for_each_vector(0, p.columns, [=](int64_t i, auto lanes) {
      store_first(y + i, load_first(x + i, lanes) * row.rstd * load_first(gamma + i, lanes), lanes);
    });
    args.output<float>(1)[r] = row.rstd;
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
