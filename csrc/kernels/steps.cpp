// One array to its parts along an axis, and back: x[outer][count][inner] and `count` arrays [outer][inner].
#include "kernels/kernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// A task is one run of `inner` numbers.
void plan_runs(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<StepsParams>(args);
  plan.tasks[0] = p.outer * p.count;
  plan.nanoseconds[0] = 1.0 * p.outer * p.count * (3 + 8.0 * p.inner / kBytesPerNanosecond);
}

}  // namespace

void split_steps_plan(const KernelArgs& args, KernelPlan& plan) { plan_runs(args, plan); }

void split_steps(const KernelArgs& args) {
  const auto p = params_of<StepsParams>(args);
  const float* x = args.input<float>(0);
  for (int64_t run = args.begin; run < args.end; ++run) {
    float* part = args.output<float>(static_cast<int>(run % p.count));
    memcpy(part + run / p.count * p.inner, x + run * p.inner, p.inner * sizeof(float));
  }
}

void join_steps_plan(const KernelArgs& args, KernelPlan& plan) { plan_runs(args, plan); }

void join_steps(const KernelArgs& args) {
  const auto p = params_of<StepsParams>(args);
  float* y = args.output<float>(0);
  for (int64_t run = args.begin; run < args.end; ++run) {
    const float* part = args.input<float>(static_cast<int>(run % p.count));
    memcpy(y + run * p.inner, part + run / p.count * p.inner, p.inner * sizeof(float));
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
