// Gradient of a convolution with respect to its input: cols[q][k] = g[q][filters] w^T, then each number of `cols` is
// added to the position of the image that im2col would read it from (col2im).
//
// Phase 0 packs the transposed kernel.  A task of phase 1 is one image: windows overlap, so their sums stay with one
// thread, in the order of the pixels.  The sum grows in a padded copy of the image in scratch.
#include "kernels/im2col.h"
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// Pixels whose columns are computed at once.
int64_t block_pixels(const ConvShape& s) {
  constexpr int64_t kBlockFloats = 32 * 1024;
  const int64_t wanted = kBlockFloats / cols_stride(s.k) / kTileRows;
  return kTileRows * larger<int64_t>(2, smaller<int64_t>(16, wanted));
}

int64_t group_panels(const ConvShape& s) { return ceil_div(s.k, kTileCols); }
int64_t padded_image_floats(const ConvShape& s) { return round_up(s.padded_h * s.padded_w * s.p.c + W, 16); }

void pack_kernel(const ConvShape& s, const float* w, int64_t task, float* panels) {
  const int64_t group = task / group_panels(s), j = task % group_panels(s) * kTileCols;
  pack_b_panel_transposed(w + j * s.p.filters + group * s.group_filters, s.p.filters, s.group_filters,
                          smaller<int64_t>(kTileCols, s.k - j), panels + task * s.group_filters * kTileCols);
}

/// cols[q1 - q0][k] for one group.
void multiply(const ConvShape& s, const float* g, const float* panels, int64_t q0, int64_t q1, int64_t group,
              float* cols) {
  const int64_t filters = s.p.filters, ldc = cols_stride(s.k), tiles = ceil_div(q1 - q0, kTileRows);
  for (int64_t panel = 0; panel < group_panels(s); ++panel) {
    const int64_t j = panel * kTileCols, n = smaller<int64_t>(kTileCols, s.k - j), vectors = vectors_for(n);
    const float* b = panels + (group * group_panels(s) + panel) * s.group_filters * kTileCols;
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t i0 = part_start(q1 - q0, tiles, t), i1 = part_start(q1 - q0, tiles, t + 1);
      // Whole vectors: a row of `cols` has room for them, and what lies beyond k is zero.
      pick_micro_kernel<kRows>(i1 - i0, vectors)(s.group_filters, g + (q0 + i0) * filters + group * s.group_filters,
                                                 filters, b, vectors * W, cols + i0 * ldc + j, ldc, 0, nullptr,
                                                 vectors * W);
    }
  }
}

/// Adds runs of `cols` to the padded image: `pixels` windows that start at `image` and lie `step` apart.
void add_windows(const ConvShape& s, const float* cols, int64_t ld, int64_t pixels, float* image, int64_t step) {
  const int64_t run = s.run, runs = s.runs, run_step = s.run_step, kernel_rows = s.p.kh;
  const int64_t row_step = s.p.dilation_h * s.padded_w * s.p.c;
  const int64_t whole = run / W * W, rest = run - whole;
  for (int64_t i = 0; i < pixels; ++i) {
    const float* from = cols + i * ld;
    float* row = image + i * step;
    for (int64_t r = 0; r < kernel_rows; ++r, row += row_step)
      for (int64_t t = 0; t < runs; ++t, from += run) {
        float* to = row + t * run_step;
        for (int64_t v = 0; v < whole; v += W) store(to + v, load(to + v) + load(from + v));
        // Adding zero to the numbers behind the run changes nothing, and is cheaper than not storing them.
        if (rest) store(to + whole, load(to + whole) + load_first(from + whole, rest));
      }
  }
}

void copy_inside(const ConvShape& s, const float* padded, float* dx) {
  const auto& p = s.p;
  for (int64_t y = 0; y < p.h; ++y)
    memcpy(dx + y * p.w * p.c, padded + ((y + p.top) * s.padded_w + p.left) * p.c, p.w * p.c * sizeof(float));
}

}  // namespace

void conv2d_grad_input_plan(const KernelArgs& args, KernelPlan& plan) {
  const ConvShape s = conv_shape(params_of<Conv2dParams>(args));
  plan.phases = 2;
  plan.tasks[0] = s.p.groups * group_panels(s);
  plan.shared_bytes = plan.tasks[0] * s.group_filters * kTileCols * sizeof(float);
  plan.nanoseconds[0] = 3.0 * plan.shared_bytes / kBytesPerNanosecond;
  plan.tasks[1] = s.p.n;
  plan.nanoseconds[1] = static_cast<double>(s.pixels * s.p.groups * round_up(s.k, W)) *
                        (2.0 * s.group_filters / kFlopsPerNanosecond / 2 + 12.0 / kBytesPerNanosecond);
  plan.thread_bytes = (padded_image_floats(s) + block_pixels(s) * cols_stride(s.k)) * sizeof(float);
}

void conv2d_grad_input(const KernelArgs& args) {
  const ConvShape s = conv_shape(params_of<Conv2dParams>(args));
  const auto& p = s.p;
  float* panels = reinterpret_cast<float*>(args.shared);
  if (args.phase == 0) {
    for (int64_t task = args.begin; task < args.end; ++task) pack_kernel(s, args.input<float>(1), task, panels);
    return;
  }
  const float* g = args.input<float>(0);
  float* dx = args.output<float>(0);
  float* padded = reinterpret_cast<float*>(args.scratch);
  float* cols = padded + padded_image_floats(s);
  const int64_t ld = cols_stride(s.k), block = block_pixels(s), image_pixels = p.oh * p.ow;
  const int64_t row_floats = s.padded_w * p.c, end = args.end * image_pixels;
  for (int64_t q0 = args.begin * image_pixels, q1; q0 < end; q0 = q1) {
    // A block may span images, so that images of one pixel still fill the micro-kernel's rows.
    const int64_t limit = p.groups == 1 ? end : (q0 / image_pixels + 1) * image_pixels;
    q1 = smaller(limit, q0 + block);
    for (int64_t group = 0; group < p.groups; ++group) {
      multiply(s, g, panels, q0, q1, group, cols);
      for (int64_t q = q0; q < q1;) {  // rows of windows
        const int64_t n = q / image_pixels, pixel = q % image_pixels, oy = pixel / p.ow, ox = pixel % p.ow;
        const int64_t windows = smaller(p.ow - ox, q1 - q);
        if (pixel == 0 && group == 0) memset(padded, 0, padded_image_floats(s) * sizeof(float));
        add_windows(s, cols + (q - q0) * ld, ld, windows,
                    padded + oy * p.stride_h * row_floats + ox * p.stride_w * p.c + group * s.group_c,
                    p.stride_w * p.c);
        q += windows;
        if (q % image_pixels == 0 && group == p.groups - 1) copy_inside(s, padded, dx + n * p.h * p.w * p.c);
      }
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
