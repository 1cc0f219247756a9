// Convolution without im2col: windows are multiplied where they lie, see conv2d_direct.h.
//
// It is cut in one of two ways, chosen by shape:
//   by pixels   phase 0 packs the kernel into panels; a task of the next phase is some rows of results with all
//   filters,
//               and copies the image rows it needs with zeros around them.
//   by filters  phase 0 copies all images with zeros around them; a task of the next phase is a panel of filters with
//               all pixels, and packs its part of the kernel itself.
// What need not be packed or copied has no phase; the kernel may come packed.
#include "kernels/conv2d_direct.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// The kernel as it lies is one panel of whole vectors, or was packed beforehand.
bool packs_kernel(const Conv2dParams& p) { return !p.packed && p.filters != W && p.filters != kTileCols; }

int64_t panel_floats(const WindowGrid& g) { return g.k * kTileCols; }

/// A panel of a kernel that need not be packed any more.
const float* panel_of(const Conv2dParams& p, const WindowGrid& g, const float* packed, int64_t panel) {
  if (!p.packed) return packed + panel * panel_floats(g);
  const int64_t j = panel * kTileCols;
  return packed + j / kPackedCols * kPackedCols * g.k + j % kPackedCols;
}

void pack_panel(const WindowGrid& g, const float* w, int64_t panel, float* to) {
  const int64_t j = panel * kTileCols;
  pack_b_panel(w + j, g.filters, g.k, smaller<int64_t>(kTileCols, g.filters - j), to);
}

struct Problem {
  Conv2dParams p;
  WindowGrid g;
  const float* x;
  const float *bias, *residual;
  float* y;
  int streaming;  ///< kStreamed or 0
};

/// Results of rows [y0, y1) and tiles [t0, t1) of image n, filters of one panel; `windows` is where row y0's begin.
void multiply_panel(const Problem& q, int64_t n, int64_t y0, int64_t y1, int64_t t0, int64_t t1, const float* windows,
                    int64_t panel, const float* packed) {
  const auto& g = q.g;
  const int64_t j = panel * kTileCols, columns = smaller<int64_t>(kTileCols, g.filters - j);
  const int64_t vectors = vectors_for(columns);
  const bool fetch_b = q.p.packed && cut_by_filters(g);  // nobody has read the next panel yet
  ConvTile t;
  t.outer = g.kernel_rows;
  t.inner = g.k / g.kernel_rows;
  t.lda = q.p.stride_w * g.channels;
  t.a_step = g.row_floats();
  t.b = packed;
  t.ldb = q.p.packed ? kPackedCols : vectors * W;
  t.ldc = g.filters;
  t.flags = epilogue_flags(q.bias, q.residual, q.p.activation) | q.streaming;
  t.bias = q.bias ? q.bias + j : nullptr;
  t.n = columns;
  for (int64_t oy = y0; oy < y1; ++oy) {
    t.a = windows + (oy - y0) * g.stride_h * g.row_floats();
    const int64_t at = (n * g.h + oy) * g.w * g.filters + j;
    t.c = q.y + at;
    t.tile = q.residual ? q.residual + at : nullptr;
    multiply_pixels(t, g.in_place && g.kernel_rows == 1 && panel == 0, fetch_b && n == 0 && oy == y0, g.w, vectors, t0,
                    t1, q.p.activation);
  }
}

}  // namespace

void conv2d_direct_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Conv2dParams>(args);
  const WindowGrid g = grid_of_windows(p);
  const double copy_ns = g.in_place ? 0 : 8.0 * g.n * window_floats(g, g.h) / kBytesPerNanosecond;
  const double pack_ns = packs_kernel(p) ? 8.0 * g.k * g.filters / kBytesPerNanosecond : 0;
  const double products_ns = static_cast<double>(g.n * g.h * g.w * g.k) * round_up(g.filters, W) / kFlopsPerNanosecond;
  int phase = 0;
  if (cut_by_filters(g)) {
    if (!g.in_place) {
      plan.tasks[phase] = g.n;
      plan.nanoseconds[phase++] = copy_ns;
      plan.shared_bytes = g.n * window_floats(g, g.h) * sizeof(float);
    }
    plan.tasks[phase] = g.panels();
    plan.nanoseconds[phase++] = products_ns + pack_ns;
    if (!p.packed) plan.thread_bytes = panel_floats(g) * sizeof(float);
  } else {
    const PixelBlocks blocks = pixel_blocks(g);
    if (packs_kernel(p)) {
      plan.tasks[phase] = g.panels();
      plan.nanoseconds[phase++] = pack_ns;
      plan.shared_bytes = g.panels() * panel_floats(g) * sizeof(float);
    }
    plan.tasks[phase] = g.n * blocks.per_image();
    plan.nanoseconds[phase++] = products_ns + copy_ns;
    if (!g.in_place) plan.thread_bytes = window_floats(g, blocks.rows) * sizeof(float);
  }
  plan.phases = phase;
}

void conv2d_direct(const KernelArgs& args) {
  const auto p = params_of<Conv2dParams>(args);
  const Problem q{p,
                  grid_of_windows(p),
                  args.input<float>(0),
                  p.bias ? args.input<float>(2) : nullptr,
                  p.residual ? args.input<float>(2 + p.bias) : nullptr,
                  args.output<float>(0),
                  streaming_flag(args.out[0], p.filters, p.activation)};
  const WindowGrid& g = q.g;
  const float* w = args.input<float>(1);
  float* shared = reinterpret_cast<float*>(args.shared);
  float* scratch = reinterpret_cast<float*>(args.scratch);
  const int64_t image_floats = g.image_h * g.image_w * g.channels, tiles = ceil_div(g.w, kTileRows);
  if (cut_by_filters(g)) {
    const int64_t copy_floats = window_floats(g, g.h);
    for (int64_t task = args.begin; task < args.end; ++task) {
      if (!g.in_place && args.phase == 0) {
        copy_window(q.x + task * image_floats, g.image_h, g.image_w, g.channels, g.y, g.rows, g.x, g.columns,
                    shared + task * copy_floats);
        continue;
      }
      if (!p.packed) pack_panel(g, w, task, scratch);
      for (int64_t n = 0; n < g.n; ++n)
        multiply_panel(q, n, 0, g.h, 0, tiles, g.in_place ? q.x + n * image_floats : shared + n * copy_floats, task,
                       p.packed ? panel_of(p, g, w, task) : scratch);
    }
    if (q.streaming) finish_streaming();
    return;
  }
  if (packs_kernel(p) && args.phase == 0) {
    for (int64_t task = args.begin; task < args.end; ++task) pack_panel(g, w, task, shared + task * panel_floats(g));
    return;
  }
  const PixelBlocks blocks = pixel_blocks(g);
  const float* panels = packs_kernel(p) ? shared : w;
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t n = task / blocks.per_image(), block = task % blocks.per_image();
    const int64_t row_block = block / blocks.tile_blocks, tile_block = block % blocks.tile_blocks;
    const int64_t y0 = part_start(g.h, blocks.row_blocks, row_block);
    const int64_t y1 = part_start(g.h, blocks.row_blocks, row_block + 1);
    const int64_t t0 = part_start(tiles, blocks.tile_blocks, tile_block);
    const int64_t t1 = part_start(tiles, blocks.tile_blocks, tile_block + 1);
    const float* windows = q.x + n * image_floats + y0 * g.stride_h * g.row_floats();
    if (!g.in_place) {
      copy_window(q.x + n * image_floats, g.image_h, g.image_w, g.channels, g.y + y0 * g.stride_h,
                  (y1 - y0 - 1) * g.stride_h + g.kernel_rows, g.x, g.columns, scratch);
      windows = scratch;
    }
    for (int64_t panel = 0; panel < g.panels(); ++panel)
      multiply_panel(q, n, y0, y1, t0, t1, windows, panel, panel_of(p, g, panels, panel));
  }
  if (q.streaming) finish_streaming();
}

}  // namespace PYNN_ISA
}  // namespace pynn
