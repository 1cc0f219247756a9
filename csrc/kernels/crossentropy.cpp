// Cross-entropy from logits: the loss of each row and the probabilities that its gradient needs, in one pass while the
// row is in the L1 cache.  Targets are probabilities (softmax_crossentropy) or labels (sparse_...).
#include "kernels/softmax_row.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// sum(t * (log(sum) - (x - max))): each term by itself, so that large logits cancel before they are weighted.
float row_loss(const float* x, const float* t, int64_t n, float max, float log_sum) {
  return row_sum(n, [=](int64_t i, auto lanes) {
    const Vec minus_log_p = log_sum - (load_first(x + i, lanes) - max);
    return load_first(t + i, lanes) * minus_log_p;
  });
}

/// (p * sum(t) - t) * g
void row_grad(float g, const float* p, const float* t, int64_t n, float* dx) {
  const float total = row_sum(n, [=](int64_t i, auto lanes) { return load_first(t + i, lanes); });
  for_each_vector(0, n, [=](int64_t i, auto lanes) {
    store_first(dx + i, (load_first(p + i, lanes) * total - load_first(t + i, lanes)) * g, lanes);
  });
}

/// (p - one_hot(label)) * g; NaN for a label that is no class.
void sparse_row_grad(float g, const float* p, int32_t label, int64_t n, float* dx) {
  const bool known = label >= 0 && label < n;
  const float scale = known ? g : NAN;
  const float at_label = known ? (p[label] - 1.f) * g : 0.f;  // read before dx, which may be p, is written
  for_each_vector(0, n, [=](int64_t i, auto lanes) { store_first(dx + i, load_first(p + i, lanes) * scale, lanes); });
  if (known) dx[label] = at_label;
}

}  // namespace

void softmax_crossentropy_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<SoftmaxParams>(args);
  plan_rows(p.rows, p.columns, 40, plan);
}

void softmax_crossentropy(const KernelArgs& args) {
  const auto p = params_of<SoftmaxParams>(args);
  const float* x = args.input<float>(0);
  const float* t = args.input<float>(1);
  float* loss = args.output<float>(0);
  float* y = args.output<float>(1);
  softmax_rows_with_log(x, y, p.columns, args.begin, args.end, [=](int64_t r, float max, float log_sum) {
    loss[r] = row_loss(x + r * p.columns, t + r * p.columns, p.columns, max, log_sum);
  });
}

void softmax_crossentropy_grad_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<SoftmaxParams>(args);
  plan_rows(p.rows, p.columns, 8, plan);
}

void softmax_crossentropy_grad(const KernelArgs& args) {
  const auto p = params_of<SoftmaxParams>(args);
  const float* g = args.input<float>(0);
  const float* y = args.input<float>(1);
  const float* t = args.input<float>(2);
  float* dx = args.output<float>(0);
  for (int64_t r = args.begin; r < args.end; ++r) {
    const int64_t at = r * p.columns;
    row_grad(g[r], y + at, t + at, p.columns, dx + at);
  }
}

void sparse_softmax_crossentropy_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<SoftmaxParams>(args);
  plan_rows(p.rows, p.columns, 30, plan);
}

void sparse_softmax_crossentropy(const KernelArgs& args) {
  const auto p = params_of<SoftmaxParams>(args);
  const float* x = args.input<float>(0);
  const int32_t* labels = args.input<int32_t>(1);
  float* loss = args.output<float>(0);
  float* y = args.output<float>(1);
  softmax_rows_with_log(x, y, p.columns, args.begin, args.end, [=](int64_t r, float max, float log_sum) {
    const int32_t label = labels[r];
    const bool known = label >= 0 && label < p.columns;
    loss[r] = known ? log_sum - (x[r * p.columns + label] - max) : NAN;
  });
}

void sparse_softmax_crossentropy_grad_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<SoftmaxParams>(args);
  plan_rows(p.rows, p.columns, 5, plan);
}

void sparse_softmax_crossentropy_grad(const KernelArgs& args) {
  const auto p = params_of<SoftmaxParams>(args);
  const float* g = args.input<float>(0);
  const float* y = args.input<float>(1);
  const int32_t* labels = args.input<int32_t>(2);
  float* dx = args.output<float>(0);
  for (int64_t r = args.begin; r < args.end; ++r) {
    const int64_t at = r * p.columns;
    sparse_row_grad(g[r], y + at, labels[r], p.columns, dx + at);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
