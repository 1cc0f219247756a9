// Convolution: im2col of a block of pixels, then the product with the kernel, the bias and the activation.
//
// Phase 0 packs the kernel into panels that all threads read; a task of the next phase is one block of pixels.
#include "kernels/activation.h"
#include "kernels/im2col.h"
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// Pixels of one task: enough tiles to pay for streaming the kernel, few enough for `cols` to stay in L2.
int64_t block_pixels(const ConvShape& s) {
  constexpr int64_t kBlockFloats = 48 * 1024;
  const int64_t wanted = kBlockFloats / cols_stride(s.k) / kTileRows;
  return kTileRows * larger<int64_t>(2, smaller<int64_t>(16, wanted));
}

int64_t group_panels(const ConvShape& s) { return ceil_div(s.group_filters, kTileCols); }

/// The kernel as it lies is one panel of whole vectors.
bool packs_kernel(const ConvShape& s) {
  return s.p.groups > 1 || !(s.group_filters == W || s.group_filters == kTileCols);
}

void pack_kernel(const ConvShape& s, const float* w, int64_t task, float* panels) {
  const int64_t group = task / group_panels(s), j = task % group_panels(s) * kTileCols;
  pack_b_panel(w + group * s.group_filters + j, s.p.filters, s.k, smaller<int64_t>(kTileCols, s.group_filters - j),
               panels + task * s.k * kTileCols);
}

}  // namespace

void conv2d_plan(const KernelArgs& args, KernelPlan& plan) {
  const ConvShape s = conv_shape(params_of<Conv2dParams>(args));
  const int64_t block = block_pixels(s);
  const double padded_filters = static_cast<double>(s.p.groups * round_up(s.group_filters, W));
  const bool pack = packs_kernel(s);
  if (pack) {
    plan.phases = 2;
    plan.tasks[0] = s.p.groups * group_panels(s);
    plan.shared_bytes = plan.tasks[0] * s.k * kTileCols * sizeof(float);
    plan.nanoseconds[0] = 2.0 * plan.shared_bytes / kBytesPerNanosecond;
  }
  plan.tasks[pack] = ceil_div(s.pixels, block);
  plan.nanoseconds[pack] = static_cast<double>(s.pixels * s.k) *
                           (2.0 * padded_filters / kFlopsPerNanosecond / 2 + 4.0 * s.p.groups / kBytesPerNanosecond);
  if (!reads_x_in_place(s)) plan.thread_bytes = (block * cols_stride(s.k) + band_floats(s, block)) * sizeof(float);
}

void conv2d(const KernelArgs& args) {
  const ConvShape s = conv_shape(params_of<Conv2dParams>(args));
  const float* x = args.input<float>(0);
  const float* w = args.input<float>(1);
  const float* bias = s.p.bias ? args.input<float>(2) : nullptr;
  const float* residual = s.p.residual ? args.input<float>(2 + s.p.bias) : nullptr;
  float* y = args.output<float>(0);
  float* shared = reinterpret_cast<float*>(args.shared);
  const bool pack = packs_kernel(s);
  if (pack && args.phase == 0) {
    for (int64_t task = args.begin; task < args.end; ++task) pack_kernel(s, w, task, shared);
    return;
  }
  const float* panels = pack ? shared : w;
  const bool in_place = reads_x_in_place(s);
  const int64_t block = block_pixels(s), filters = s.p.filters;
  const int64_t lda = in_place ? s.p.c : cols_stride(s.k);
  float* cols = reinterpret_cast<float*>(args.scratch);
  float* band = cols + block * lda;
  const int flags = epilogue_flags(bias, residual, s.p.activation);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t q0 = task * block, q1 = smaller(s.pixels, q0 + block), tiles = ceil_div(q1 - q0, kTileRows);
    for (int64_t group = 0; group < s.p.groups; ++group) {
      const float* a = in_place ? x + q0 * lda + group * s.group_c : cols;
      if (!in_place) im2col(s, x, q0, q1, 0, s.p.kh, group, cols, lda, band);
      for (int64_t panel = 0; panel < group_panels(s); ++panel) {
        const int64_t j = panel * kTileCols, n = smaller<int64_t>(kTileCols, s.group_filters - j);
        const int64_t vectors = vectors_for(n), column = group * s.group_filters + j;
        const float* b = panels + (group * group_panels(s) + panel) * s.k * kTileCols;
        for (int64_t t = 0; t < tiles; ++t) {
          const int64_t i0 = part_start(q1 - q0, tiles, t), i1 = part_start(q1 - q0, tiles, t + 1);
          const int64_t at = (q0 + i0) * filters + column;
          pick_micro_kernel<kRows>(i1 - i0, vectors)(s.k, a + i0 * lda, lda, b, vectors * W, y + at, filters, flags,
                                                     bias ? bias + column : nullptr, n,
                                                     residual ? residual + at : nullptr);
          activate_tile(s.p.activation, y + at, filters, i1 - i0, n);
        }
      }
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
