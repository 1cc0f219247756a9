// The kernel of a Winograd convolution, transformed once for many runs: w[3][3][c][filters] to
// u[panel of kPackedCols filters][point][c][kPackedCols], zeros beyond the last filter.  The layout is the same on
// every instruction set, as that of gemm_pack_b.cpp.
#include "kernels/winograd_kernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kChannelsOfTask = 16;

template <int m>
void pack(const Conv2dWinogradParams& p, const float* w, int64_t panel, int64_t c0, float* u) {
  constexpr int64_t kPoints = (m + 2) * (m + 2);
  const int64_t first = panel * kPackedCols, width = smaller(kPackedCols, p.filters - first);
  const int64_t step = p.c * kPackedCols;
  u += panel * kPoints * step;
  transform_kernel<m>(p, w, first, width, c0, c0 + kChannelsOfTask, u, kPackedCols, step);
  if (width < kPackedCols)
    for (int64_t point = 0; point < kPoints; ++point)
      for (int64_t c = c0; c < c0 + kChannelsOfTask; ++c)
        memset(u + point * step + c * kPackedCols + width, 0, (kPackedCols - width) * sizeof(float));
}

}  // namespace

void conv2d_winograd_pack_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Conv2dWinogradPackParams>(args);
  plan.tasks[0] = ceil_div(p.filters, kPackedCols) * (p.c / kChannelsOfTask);
  plan.nanoseconds[0] = 8.0 * (p.tile + 2) * (p.tile + 2) * p.c * p.filters / kBytesPerNanosecond + 100;
}

/// A task is some channels of a panel.
void conv2d_winograd_pack(const KernelArgs& args) {
  const auto q = params_of<Conv2dWinogradPackParams>(args);
  Conv2dWinogradParams p{};
  p.c = q.c;
  p.filters = q.filters;
  const int64_t parts = p.c / kChannelsOfTask;
  for (int64_t task = args.begin; task < args.end; ++task)
    (q.tile == 2 ? pack<2> : pack<4>)(p, args.input<float>(0), task / parts, task % parts * kChannelsOfTask,
                                      args.output<float>(0));
}

}  // namespace PYNN_ISA
}  // namespace pynn
