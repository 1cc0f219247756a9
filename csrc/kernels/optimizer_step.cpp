// One optimizer step of all parameters of a model in one pass: each number of memory is read and written once.
//
// The parameters are seen as one long array; a task is a fixed piece of it, so a model with one large and twenty small
// parameters still spreads evenly.  Outputs may lie on their inputs.
#include "kernels/rows.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kChunk = 16384;

/// Elements of all `count` parameters together; `first` is the input that holds the first one.
int64_t total_size(const KernelArgs& args, int first, int64_t count) {
  int64_t total = 0;
  for (int64_t i = 0; i < count; ++i) total += args.in[first + i].size;
  return total;
}

void plan_chunks(const KernelArgs& args, int first, int64_t count, double bytes_each, KernelPlan& plan) {
  const int64_t total = total_size(args, first, count);
  plan.tasks[0] = larger<int64_t>(ceil_div(total, kChunk), 1);
  plan.nanoseconds[0] = static_cast<double>(total) * bytes_each / kBytesPerNanosecond + 2 * static_cast<double>(count);
}

/// Calls f(parameter, begin, end) for the pieces of the parameters that the tasks of this call cover.
template <class F>
PYNN_INLINE void for_each_piece(const KernelArgs& args, int first, int64_t count, const F& f) {
  const int64_t begin = args.begin * kChunk, end = args.end * kChunk;
  int64_t start = 0;  // of this parameter, in the long array
  for (int i = 0; i < count && start < end; ++i) {
    const int64_t size = args.in[first + i].size;
    const int64_t from = larger<int64_t>(begin - start, 0), to = smaller(end - start, size);
    if (from < to) f(i, from, to);
    start += size;
  }
}

void sgd(const float* w, const float* g, float lr, float* new_w, int64_t begin, int64_t end) {
  for_each_vector(begin, end, [=](int64_t i, auto n) {
    store_first(new_w + i, load_first(w + i, n) - load_first(g + i, n) * lr, n);
  });
}

struct MomentumArrays {
  const float *w, *g, *v;
  float *new_w, *new_v;
};

template <bool kNesterov>
void sgd_momentum(const MomentumArrays a, float lr, float momentum, int64_t begin, int64_t end) {
  for_each_vector(begin, end, [=](int64_t i, auto n) {
    const Vec w = load_first(a.w + i, n), step = load_first(a.g + i, n) * lr;
    const Vec v = load_first(a.v + i, n) * momentum - step;
    store_first(a.new_v + i, v, n);
    store_first(a.new_w + i, kNesterov ? w + (v * momentum - step) : w + v, n);
  });
}

struct AdamArrays {
  const float *w, *g, *m, *v;
  float *new_w, *new_m, *new_v;
};

struct AdamFactors {
  float alpha, one_minus_beta_1, one_minus_beta_2, epsilon;
};

void adam(const AdamArrays a, const AdamFactors f, int64_t begin, int64_t end) {
  for_each_vector(begin, end, [=](int64_t i, auto n) {
    const Vec g = load_first(a.g + i, n);
    Vec m = load_first(a.m + i, n), v = load_first(a.v + i, n);
    m += (g - m) * f.one_minus_beta_1;
    v += (g * g - v) * f.one_minus_beta_2;
    store_first(a.new_m + i, m, n);
    store_first(a.new_v + i, v, n);
    store_first(a.new_w + i, load_first(a.w + i, n) - m * f.alpha / (vsqrt(v) + f.epsilon), n);
  });
}

}  // namespace

void sgd_step_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<SgdStepParams>(args);
  plan_chunks(args, 1, p.count, p.momentum != 0.f ? 20 : 12, plan);
}

void sgd_step(const KernelArgs& args) {
  const auto p = params_of<SgdStepParams>(args);
  const float lr = *args.input<float>(0);
  const int n = static_cast<int>(p.count);
  for_each_piece(args, 1, p.count, [&](int i, int64_t begin, int64_t end) {
    const float *w = args.input<float>(1 + i), *g = args.input<float>(1 + n + i);
    if (p.momentum == 0.f) return sgd(w, g, lr, args.output<float>(i), begin, end);
    const MomentumArrays a = {w, g, args.input<float>(1 + 2 * n + i), args.output<float>(i), args.output<float>(n + i)};
    if (p.nesterov)
      sgd_momentum<true>(a, lr, p.momentum, begin, end);
    else
      sgd_momentum<false>(a, lr, p.momentum, begin, end);
  });
}

void adam_step_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_chunks(args, 2, params_of<AdamStepParams>(args).count, 28, plan);
}

void adam_step(const KernelArgs& args) {
  const auto p = params_of<AdamStepParams>(args);
  const int n = static_cast<int>(p.count);
  // Bias corrections in double: 1 - beta_2^t has lost five digits in float when t is small.
  const double lr = static_cast<double>(*args.input<float>(0));
  const double t = static_cast<double>(*args.input<int64_t>(1) + 1);
  const double alpha = lr * sqrt(1 - pow(p.beta_2, t)) / (1 - pow(p.beta_1, t));
  const AdamFactors factors = {static_cast<float>(alpha), static_cast<float>(1 - p.beta_1),
                               static_cast<float>(1 - p.beta_2), static_cast<float>(p.epsilon)};
  for_each_piece(args, 2, p.count, [&](int i, int64_t begin, int64_t end) {
    const AdamArrays a = {
        args.input<float>(2 + i),         args.input<float>(2 + n + i), args.input<float>(2 + 2 * n + i),
        args.input<float>(2 + 3 * n + i), args.output<float>(i),        args.output<float>(n + i),
        args.output<float>(2 * n + i)};
    adam(a, factors, begin, end);
  });
}

void increment_plan(const KernelArgs&, KernelPlan& plan) { plan.nanoseconds[0] = 1; }

void increment(const KernelArgs& args) {
  *args.output<int64_t>(0) = *args.input<int64_t>(0) + params_of<IncrementParams>(args).by;
}

}  // namespace PYNN_ISA
}  // namespace pynn
