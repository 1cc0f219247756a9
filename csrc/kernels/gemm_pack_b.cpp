// B of a matrix product to panels, once for many products: what `gemm` reads when its `packed` is set.  The layout is
// the same on every instruction set (narrower tiles read part of a panel), so packed weights are ordinary arrays.
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {

void gemm_pack_b_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<GemmPackBParams>(args);
  plan.tasks[0] = ceil_div(p.n, kPackedCols);
  plan.nanoseconds[0] = 8.0 * p.n * p.k / kBytesPerNanosecond + 100;
}

/// A task is a panel.
void gemm_pack_b(const KernelArgs& args) {
  const auto p = params_of<GemmPackBParams>(args);
  const float* const b = args.input<float>(0);
  float* const packed = args.output<float>(0);
  for (int64_t panel = args.begin; panel < args.end; ++panel)
    for (int64_t row = 0; row < p.k; ++row) {
      const int64_t j = panel * kPackedCols;
      const float* from = b + row * p.n + j;
      float* to = packed + (panel * p.k + row) * kPackedCols;
      for (int64_t v = 0; v < kPackedCols; v += W)
        store(to + v, load_first(from + v, larger<int64_t>(0, smaller<int64_t>(W, p.n - j - v))));
    }
}

}  // namespace PYNN_ISA
}  // namespace pynn
