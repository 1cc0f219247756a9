// Softmax and log-softmax over the last axis, and their gradients from the result.
#include "kernels/softmax_row.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

void log_softmax_row(const float* x, int64_t n, float max, float log_sum, float* y) {
  // (x - max) first: adding max and log(sum) beforehand would round log(sum) away for large logits.
  for_each_vector(0, n,
                  [=](int64_t i, auto lanes) { store_first(y + i, load_first(x + i, lanes) - max - log_sum, lanes); });
}

/// y * (g - sum(g * y))
void softmax_grad_row(const float* g, const float* y, int64_t n, float* dx) {
  const float mean =
      row_sum(n, [=](int64_t i, auto lanes) { return load_first(g + i, lanes) * load_first(y + i, lanes); });
  for_each_vector(0, n, [=](int64_t i, auto lanes) {
    store_first(dx + i, load_first(y + i, lanes) * (load_first(g + i, lanes) - mean), lanes);
  });
}

/// g - exp(y) * sum(g)
void log_softmax_grad_row(const float* g, const float* y, int64_t n, float* dx) {
  const float total = row_sum(n, [=](int64_t i, auto lanes) { return load_first(g + i, lanes); });
  for_each_vector(0, n, [=](int64_t i, auto lanes) {
    store_first(dx + i, load_first(g + i, lanes) - vexp(load_first(y + i, lanes)) * total, lanes);
  });
}

}  // namespace

void softmax_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<SoftmaxParams>(args);
  plan_rows(p.rows, p.columns, 30, plan);
}

void softmax(const KernelArgs& args) {
  const auto p = params_of<SoftmaxParams>(args);
  const float* x = args.input<float>(0);
  float* y = args.output<float>(0);
  softmax_rows(x, y, p.columns, args.begin, args.end, [](int64_t, RowSum) {});
}

void log_softmax_plan(const KernelArgs& args, KernelPlan& plan) { softmax_plan(args, plan); }

void log_softmax(const KernelArgs& args) {
  const auto p = params_of<SoftmaxParams>(args);
  const float* x = args.input<float>(0);
  float* y = args.output<float>(0);
  softmax_rows_with_log(x, nullptr, p.columns, args.begin, args.end, [=](int64_t r, float max, float log_sum) {
    log_softmax_row(x + r * p.columns, p.columns, max, log_sum, y + r * p.columns);
  });
}

void softmax_grad_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<SoftmaxParams>(args);
  plan_rows(p.rows, p.columns, 8, plan);
}

void softmax_grad(const KernelArgs& args) {
  const auto p = params_of<SoftmaxParams>(args);
  const float* g = args.input<float>(0);
  const float* y = args.input<float>(1);
  float* dx = args.output<float>(0);
  for (int64_t r = args.begin; r < args.end; ++r) {
    const int64_t at = r * p.columns;
    softmax_grad_row(g + at, y + at, p.columns, dx + at);
  }
}

void log_softmax_grad_plan(const KernelArgs& args, KernelPlan& plan) { softmax_plan(args, plan); }

void log_softmax_grad(const KernelArgs& args) {
  const auto p = params_of<SoftmaxParams>(args);
  const float* g = args.input<float>(0);
  const float* y = args.input<float>(1);
  float* dx = args.output<float>(0);
  for (int64_t r = args.begin; r < args.end; ++r) {
    const int64_t at = r * p.columns;
    log_softmax_grad_row(g + at, y + at, p.columns, dx + at);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
