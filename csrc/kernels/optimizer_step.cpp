// One optimizer step of all parameters of a model in one pass: each number of memory is read and written once.
//
// The parameters are seen as one long array; a task is a fixed piece of it, so a model with one large and twenty small
// parameters still spreads evenly.  Outputs may lie on their inputs.
//
// An optimizer is a rule: what happens to one vector of weights, given its gradient and its slots.  Everything else is
// common.  Inputs are scalars (the learning rate first), then the weights, the gradients, and each slot of all weights;
// outputs are the new weights, then each slot.
#include "kernels/rows.h"
#include "simd/vmath.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kChunk = 16384;

/// `count` parameters behind `scalars` numbers; `slots` arrays are kept beside each.
struct Layout {
  int scalars, slots;
  int64_t count;
};

void plan_step(const KernelArgs& args, const Layout& layout, KernelPlan& plan) {
  int64_t total = 0;
  for (int64_t i = 0; i < layout.count; ++i) total += args.in[layout.scalars + i].size;
  const double bytes = static_cast<double>(total) * 4 * (3 + 2 * layout.slots);
  plan.tasks[0] = larger<int64_t>(ceil_div(total, kChunk), 1);
  plan.nanoseconds[0] = bytes / kBytesPerNanosecond + 2 * static_cast<double>(layout.count);
}

template <int kSlots>
struct Arrays {
  const float *w, *g, *slot[kSlots + 1];
  float *new_w, *new_slot[kSlots + 1];
};

/// The weights lose `decay` of themselves, then the rule changes them and their slots.
template <int kSlots, bool kDecays, class Rule>
void update(const Arrays<kSlots> a, const Rule rule, float decay, int64_t begin, int64_t end) {
  for_each_vector(begin, end, [=](int64_t at, auto lanes) {
    Vec w = load_first(a.w + at, lanes), slot[kSlots + 1];
#pragma GCC unroll 3
    for (int s = 0; s < kSlots; ++s) slot[s] = load_first(a.slot[s] + at, lanes);
    if constexpr (kDecays) w -= w * decay;
    rule(w, load_first(a.g + at, lanes), slot);
    store_first(a.new_w + at, w, lanes);
#pragma GCC unroll 3
    for (int s = 0; s < kSlots; ++s) store_first(a.new_slot[s] + at, slot[s], lanes);
  });
}

/// The pieces of the parameters that the tasks of this call cover; `decay` is the share that weights lose, 0 for none.
template <int kSlots, class Rule>
void step(const KernelArgs& args, int scalars, int64_t count, float decay, const Rule& rule) {
  const int n = static_cast<int>(count);
  const int64_t begin = args.begin * kChunk, end = args.end * kChunk;
  int64_t start = 0;  // of this parameter, in the long array
  for (int i = 0; i < n && start < end; ++i) {
    const int64_t size = args.in[scalars + i].size;
    const int64_t from = larger<int64_t>(begin - start, 0), to = smaller(end - start, size);
    start += size;
    if (from >= to) continue;
    Arrays<kSlots> a = {};
    a.w = args.input<float>(scalars + i), a.g = args.input<float>(scalars + n + i), a.new_w = args.output<float>(i);
    for (int s = 0; s < kSlots; ++s) {
      a.slot[s] = args.input<float>(scalars + (2 + s) * n + i);
      a.new_slot[s] = args.output<float>((1 + s) * n + i);
    }
    if (decay != 0.f)
      update<kSlots, true>(a, rule, decay, from, to);
    else
      update<kSlots, false>(a, rule, decay, from, to);
  }
}

float learning_rate(const KernelArgs& args) { return *args.input<float>(0); }

/// The number of this step, from 1; behind the learning rate there is the number of steps made before.
double step_number(const KernelArgs& args) { return static_cast<double>(*args.input<int64_t>(1) + 1); }

/// Running means begin at 0: after t steps they have the weight 1 - beta^t.  In double: float has lost five digits of
/// it when t is small.
double mean_weight(double beta, double t) { return 1 - pow(beta, t); }

/// The larger one, NaN if one of them is, as in NumPy.
PYNN_INLINE Vec largest(Vec a, Vec b) { return ((a > b) | (a != a)) ? a : b; }

struct Descent {
  float lr;
  [[gnu::always_inline]] void operator()(Vec& w, Vec g, Vec*) const { w -= g * lr; }
};

template <bool kNesterov>
struct Momentum {
  float lr, momentum;
  [[gnu::always_inline]] void operator()(Vec& w, Vec g, Vec* slot) const {
    const Vec move = g * lr;
    slot[0] = slot[0] * momentum - move;
    w += kNesterov ? slot[0] * momentum - move : slot[0];
  }
};

/// Means of the gradient and of its square.
struct Means {
  float one_minus_beta_1, one_minus_beta_2;
  [[gnu::always_inline]] void operator()(Vec g, Vec* slot) const {
    slot[0] += (g - slot[0]) * one_minus_beta_1;
    slot[1] += (g * g - slot[1]) * one_minus_beta_2;
  }
};

template <bool kAmsgrad>
struct Adam {
  Means means;
  float alpha, epsilon;
  [[gnu::always_inline]] void operator()(Vec& w, Vec g, Vec* slot) const {
    means(g, slot);
    if constexpr (kAmsgrad) slot[2] = largest(slot[1], slot[2]);
    w -= slot[0] * alpha / (vsqrt(slot[kAmsgrad ? 2 : 1]) + epsilon);
  }
};

struct Nadam {
  Means means;
  float of_mean, of_gradient, of_square, lr, epsilon;
  [[gnu::always_inline]] void operator()(Vec& w, Vec g, Vec* slot) const {
    means(g, slot);
    w -= (slot[0] * of_mean + g * of_gradient) * lr / (vsqrt(slot[1] * of_square) + epsilon);
  }
};

struct Adamax {
  float rate, one_minus_beta_1, beta_2, epsilon;
  [[gnu::always_inline]] void operator()(Vec& w, Vec g, Vec* slot) const {
    slot[0] += (g - slot[0]) * one_minus_beta_1;
    slot[1] = largest(slot[1] * beta_2, vabs(g));
    w -= slot[0] * rate / (slot[1] + epsilon);
  }
};

template <bool kCentered, bool kMomentum>
struct Rmsprop {
  float lr, rho, one_minus_rho, momentum, epsilon;
  [[gnu::always_inline]] void operator()(Vec& w, Vec g, Vec* slot) const {
    slot[0] = slot[0] * rho + g * g * one_minus_rho;
    Vec spread = slot[0] + epsilon;
    if constexpr (kCentered) {
      slot[1] = slot[1] * rho + g * one_minus_rho;
      spread = slot[0] - slot[1] * slot[1] + epsilon;
    }
    Vec move = g * lr / vsqrt(spread);
    if constexpr (kMomentum) {
      constexpr int last = kCentered ? 2 : 1;
      slot[last] = slot[last] * momentum + move;
      move = slot[last];
    }
    w -= move;
  }
};

struct Adagrad {
  float lr, epsilon;
  [[gnu::always_inline]] void operator()(Vec& w, Vec g, Vec* slot) const {
    slot[0] += g * g;
    w -= g * lr / vsqrt(slot[0] + epsilon);
  }
};

struct Adadelta {
  float lr, rho, one_minus_rho, epsilon;
  [[gnu::always_inline]] void operator()(Vec& w, Vec g, Vec* slot) const {
    slot[0] = slot[0] * rho + g * g * one_minus_rho;
    const Vec move = vsqrt(slot[1] + epsilon) * g / vsqrt(slot[0] + epsilon);
    slot[1] = slot[1] * rho + move * move * one_minus_rho;
    w -= move * lr;
  }
};

struct Lion {
  float lr, beta_1, one_minus_beta_1, beta_2, one_minus_beta_2;
  [[gnu::always_inline]] void operator()(Vec& w, Vec g, Vec* slot) const {
    const Vec toward = slot[0] * beta_1 + g * one_minus_beta_1;
    w += toward > Vec{} ? broadcast(-lr) : toward < Vec{} ? broadcast(lr) : toward * 0.f;  // NaN stays
    slot[0] = slot[0] * beta_2 + g * one_minus_beta_2;
  }
};

float of(double x) { return static_cast<float>(x); }

}  // namespace

void sgd_step_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<SgdStepParams>(args);
  plan_step(args, {1, p.momentum != 0.f, p.count}, plan);
}

void sgd_step(const KernelArgs& args) {
  const auto p = params_of<SgdStepParams>(args);
  const float rate = learning_rate(args), decay = rate * p.weight_decay, lr = rate * (1.f - p.dampening);
  if (p.momentum == 0.f)
    step<0>(args, 1, p.count, decay, Descent{lr});
  else if (p.nesterov)
    step<1>(args, 1, p.count, decay, Momentum<true>{lr, p.momentum});
  else
    step<1>(args, 1, p.count, decay, Momentum<false>{lr, p.momentum});
}

void adam_step_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<AdamStepParams>(args);
  plan_step(args, {2, p.amsgrad ? 3 : 2, p.count}, plan);
}

void adam_step(const KernelArgs& args) {
  const auto p = params_of<AdamStepParams>(args);
  const double lr = learning_rate(args), t = step_number(args);
  const float alpha = of(lr * sqrt(mean_weight(p.beta_2, t)) / mean_weight(p.beta_1, t));
  const float decay = of(lr * p.weight_decay);
  const Means means = {of(1 - p.beta_1), of(1 - p.beta_2)};
  if (p.amsgrad)
    step<3>(args, 2, p.count, decay, Adam<true>{means, alpha, of(p.epsilon)});
  else
    step<2>(args, 2, p.count, decay, Adam<false>{means, alpha, of(p.epsilon)});
}

void nadam_step_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_step(args, {3, 2, params_of<NadamStepParams>(args).count}, plan);
}

void nadam_step(const KernelArgs& args) {
  const auto p = params_of<NadamStepParams>(args);
  const double lr = learning_rate(args), t = step_number(args), product = *args.input<float>(2);
  const double u = p.beta_1 * (1 - 0.5 * pow(0.96, t)), next = p.beta_1 * (1 - 0.5 * pow(0.96, t + 1));
  const Nadam rule = {{of(1 - p.beta_1), of(1 - p.beta_2)},
                      of(next / (1 - product * next)),
                      of((1 - u) / (1 - product)),
                      of(1 / mean_weight(p.beta_2, t)),
                      of(lr),
                      of(p.epsilon)};
  step<2>(args, 3, p.count, of(lr * p.weight_decay), rule);
}

void adamax_step_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_step(args, {2, 2, params_of<AdamaxStepParams>(args).count}, plan);
}

void adamax_step(const KernelArgs& args) {
  const auto p = params_of<AdamaxStepParams>(args);
  const double lr = learning_rate(args), rate = lr / mean_weight(p.beta_1, step_number(args));
  step<2>(args, 2, p.count, of(lr * p.weight_decay), Adamax{of(rate), of(1 - p.beta_1), of(p.beta_2), of(p.epsilon)});
}

void rmsprop_step_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<RmspropStepParams>(args);
  plan_step(args, {1, 1 + (p.centered != 0) + (p.momentum != 0), p.count}, plan);
}

void rmsprop_step(const KernelArgs& args) {
  const auto p = params_of<RmspropStepParams>(args);
  const float lr = learning_rate(args), decay = lr * of(p.weight_decay);
  const float rho = of(p.rho), rest = of(1 - p.rho), momentum = of(p.momentum), epsilon = of(p.epsilon);
  if (p.centered && momentum != 0.f)
    step<3>(args, 1, p.count, decay, Rmsprop<true, true>{lr, rho, rest, momentum, epsilon});
  else if (p.centered)
    step<2>(args, 1, p.count, decay, Rmsprop<true, false>{lr, rho, rest, momentum, epsilon});
  else if (momentum != 0.f)
    step<2>(args, 1, p.count, decay, Rmsprop<false, true>{lr, rho, rest, momentum, epsilon});
  else
    step<1>(args, 1, p.count, decay, Rmsprop<false, false>{lr, rho, rest, momentum, epsilon});
}

void adagrad_step_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_step(args, {1, 1, params_of<AdagradStepParams>(args).count}, plan);
}

void adagrad_step(const KernelArgs& args) {
  const auto p = params_of<AdagradStepParams>(args);
  const float lr = learning_rate(args);
  step<1>(args, 1, p.count, lr * of(p.weight_decay), Adagrad{lr, of(p.epsilon)});
}

void adadelta_step_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_step(args, {1, 2, params_of<AdadeltaStepParams>(args).count}, plan);
}

void adadelta_step(const KernelArgs& args) {
  const auto p = params_of<AdadeltaStepParams>(args);
  const float lr = learning_rate(args);
  step<2>(args, 1, p.count, lr * of(p.weight_decay), Adadelta{lr, of(p.rho), of(1 - p.rho), of(p.epsilon)});
}

void lion_step_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_step(args, {1, 1, params_of<LionStepParams>(args).count}, plan);
}

void lion_step(const KernelArgs& args) {
  const auto p = params_of<LionStepParams>(args);
  const float lr = learning_rate(args);
  step<1>(args, 1, p.count, lr * of(p.weight_decay),
          Lion{lr, of(p.beta_1), of(1 - p.beta_1), of(p.beta_2), of(1 - p.beta_2)});
}

void increment_plan(const KernelArgs&, KernelPlan& plan) { plan.nanoseconds[0] = 1; }

void increment(const KernelArgs& args) {
  *args.output<int64_t>(0) = *args.input<int64_t>(0) + params_of<IncrementParams>(args).by;
}

}  // namespace PYNN_ISA
}  // namespace pynn
