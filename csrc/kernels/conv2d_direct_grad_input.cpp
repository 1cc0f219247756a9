// Gradient of a convolution with respect to its input, as convolutions of the gradient g, see conv2d_direct.h.
//
// Positions u = y + top of the padded input fall into `stride` residues.  What residue a of a row receives,
//   dx[q * stride + a] = sum over j of g[q - j] w[a + j * stride],
// is a convolution of g with stride 1 and every stride-th row of the kernel, read backwards; likewise for columns.  So
// nothing is multiplied that does not count, and every result is computed once, by one thread.  With strides of 1 there
// is one residue, and it is the convolution with the rotated kernel.
//
// The work is cut by pixels or by filters as in conv2d_direct_forward.cpp; "filters" here are the input's channels.
#include "kernels/conv2d_direct.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// Kernel rows (or columns) of one residue, and the range of q whose positions lie inside the input.
struct Residue {
  int64_t taps, begin, end;
};

Residue residue_of(int64_t a, int64_t kernel, int64_t stride, int64_t before, int64_t size) {
  Residue r;
  r.taps = a < kernel ? ceil_div(kernel - a, stride) : 0;
  r.begin = before > a ? ceil_div(before - a, stride) : 0;
  r.end = before + size > a ? ceil_div(before + size - a, stride) : 0;
  return r;
}

/// The grid is that of q, over all residues; windows end at g[q].
WindowGrid grid_of(const Conv2dParams& p) {
  const int64_t taps_h = ceil_div(p.kh, p.stride_h), taps_w = ceil_div(p.kw, p.stride_w);
  const int64_t q0 = p.top / p.stride_h, r0 = p.left / p.stride_w;
  WindowGrid g;
  g.n = p.n;
  g.h = (p.top + p.h - 1) / p.stride_h + 1 - q0;
  g.w = (p.left + p.w - 1) / p.stride_w + 1 - r0;
  g.channels = p.filters;
  g.rows = g.h + taps_h - 1;
  g.columns = g.w + taps_w - 1;
  g.y = q0 - (taps_h - 1);
  g.x = r0 - (taps_w - 1);
  g.stride_h = 1;
  g.kernel_rows = taps_h;
  g.image_h = p.oh;
  g.image_w = p.ow;
  g.k = p.kh * p.kw * p.filters;
  g.filters = p.c;
  join_rows(g, p.kw, p.stride_h * p.stride_w);
  return g;
}

/// Images whose rows were joined: then the input has just as many pixels in one row.
Conv2dParams joined(Conv2dParams p, const WindowGrid& g) {
  if (g.n * g.h * g.w == p.n * p.h * p.w && g.h == 1 && g.n == 1) {
    p.w = g.w;
    p.n = p.h = 1;
  }
  return p;
}

int64_t panel_floats(const WindowGrid& g) { return g.k * kTileCols; }

/// One panel of the kernel [kh][kw][c][filters]: residue by residue, taps backwards, filters by channels.
void pack_panel(const Conv2dParams& p, const float* w, int64_t panel, float* to) {
  const int64_t j = panel * kTileCols, n = smaller<int64_t>(kTileCols, p.c - j);
  for (int64_t a = 0; a < p.stride_h; ++a)
    for (int64_t b = 0; b < p.stride_w; ++b)
      for (int64_t r = (p.kh - 1 - a) / p.stride_h * p.stride_h + a; a < p.kh && r >= 0; r -= p.stride_h)
        for (int64_t s = (p.kw - 1 - b) / p.stride_w * p.stride_w + b; b < p.kw && s >= 0; s -= p.stride_w) {
          pack_b_panel_transposed(w + ((r * p.kw + s) * p.c + j) * p.filters, p.filters, p.filters, n, to);
          to += p.filters * vectors_for(n) * W;
        }
}

/// Sets `count` runs of n numbers, `step` apart, to zero: what no window meets.
void clear_pixels(float* dx, int64_t count, int64_t step, int64_t n) {
  for (int64_t i = 0; i < count; ++i) memset(dx + i * step, 0, n * sizeof(float));
}

struct Problem {
  Conv2dParams p;
  WindowGrid g;
  const float* gradient;
  float* dx;
  int streaming;  ///< kStreamed or 0
};

/// Rows [y0, y1) and tiles [t0, t1) of image n's grid, channels of one panel; `windows` is where row y0's begin.
void multiply_panel(const Problem& z, int64_t n, int64_t y0, int64_t y1, int64_t t0, int64_t t1, const float* windows,
                    int64_t panel, const float* packed) {
  const auto& p = z.p;
  const auto& g = z.g;
  const int64_t j = panel * kTileCols, columns = smaller<int64_t>(kTileCols, p.c - j), vectors = vectors_for(columns);
  const int64_t q0 = p.top / p.stride_h, r0 = p.left / p.stride_w;
  const int64_t taps_h = ceil_div(p.kh, p.stride_h), taps_w = ceil_div(p.kw, p.stride_w);
  ConvTile t{};
  t.b = packed;
  t.lda = g.channels;
  t.a_step = g.row_floats();
  t.ldb = vectors * W;
  t.ldc = p.stride_w * p.c;
  t.flags = z.streaming;
  t.bias = nullptr;
  t.n = columns;
  for (int64_t a = 0; a < p.stride_h; ++a) {
    const Residue row = residue_of(a, p.kh, p.stride_h, p.top, p.h);
    for (int64_t b = 0; b < p.stride_w; ++b) {
      const Residue column = residue_of(b, p.kw, p.stride_w, p.left, p.w);
      const int64_t pixels = column.end - column.begin;
      t.outer = row.taps;
      t.inner = column.taps * g.channels;
      for (int64_t q = larger(y0 + q0, row.begin); q < smaller(y1 + q0, row.end) && pixels > 0; ++q) {
        t.c = z.dx + ((n * p.h + q * p.stride_h + a - p.top) * p.w + column.begin * p.stride_w + b - p.left) * p.c + j;
        if (row.taps == 0 || column.taps == 0) {
          if (t0 == 0) clear_pixels(t.c, pixels, t.ldc, columns);
          continue;
        }
        // The window of q ends at g[q]; those of fewer taps begin later.
        t.a = windows + (q - q0 - y0 + taps_h - row.taps) * t.a_step +
              (column.begin - r0 + taps_w - column.taps) * g.channels;
        const int64_t tiles = ceil_div(pixels, kTileRows);
        multiply_pixels(t, g.in_place && p.kh == 1 && p.kw == 1 && panel == 0, false, pixels, vectors,
                        smaller(t0, tiles), smaller(t1, tiles), kLinear);
      }
      t.b += row.taps * column.taps * g.channels * t.ldb;
    }
  }
}

}  // namespace

void conv2d_direct_grad_input_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Conv2dParams>(args);
  const WindowGrid g = grid_of(p);
  const double copy_ns = g.in_place ? 0 : 8.0 * g.n * window_floats(g, g.h) / kBytesPerNanosecond;
  const double pack_ns = 12.0 * g.k * g.filters / kBytesPerNanosecond;
  const double products_ns =
      static_cast<double>(g.n * p.oh * p.ow * g.k) * round_up(g.filters, W) / kFlopsPerNanosecond +
      4.0 * p.n * p.h * p.w * p.c / kBytesPerNanosecond;
  int phase = 0;
  if (cut_by_filters(g)) {
    if (!g.in_place) {
      plan.tasks[phase] = g.n;
      plan.nanoseconds[phase++] = copy_ns;
      plan.shared_bytes = g.n * window_floats(g, g.h) * sizeof(float);
    }
    plan.tasks[phase] = g.panels();
    plan.nanoseconds[phase++] = products_ns + pack_ns;
    plan.thread_bytes = panel_floats(g) * sizeof(float);
  } else {
    const PixelBlocks blocks = pixel_blocks(g);
    plan.tasks[phase] = g.panels();
    plan.nanoseconds[phase++] = pack_ns;
    plan.shared_bytes = g.panels() * panel_floats(g) * sizeof(float);
    plan.tasks[phase] = g.n * blocks.per_image();
    plan.nanoseconds[phase++] = products_ns + copy_ns;
    if (!g.in_place) plan.thread_bytes = window_floats(g, blocks.rows) * sizeof(float);
  }
  plan.phases = phase;
}

void conv2d_direct_grad_input(const KernelArgs& args) {
  const auto p = params_of<Conv2dParams>(args);
  const WindowGrid g = grid_of(p);
  const Problem z{joined(p, g), g, args.input<float>(0), args.output<float>(0),
                  streaming_flag(args.out[0], p.c, kLinear)};
  const float* w = args.input<float>(1);
  float* shared = reinterpret_cast<float*>(args.shared);
  float* scratch = reinterpret_cast<float*>(args.scratch);
  const int64_t image_floats = g.image_h * g.image_w * g.channels, tiles = ceil_div(g.w, kTileRows);
  if (cut_by_filters(g)) {
    const int64_t copy_floats = window_floats(g, g.h);
    for (int64_t task = args.begin; task < args.end; ++task) {
      if (!g.in_place && args.phase == 0) {
        copy_window(z.gradient + task * image_floats, g.image_h, g.image_w, g.channels, g.y, g.rows, g.x, g.columns,
                    shared + task * copy_floats);
        continue;
      }
      pack_panel(p, w, task, scratch);
      for (int64_t n = 0; n < g.n; ++n)
        multiply_panel(z, n, 0, g.h, 0, tiles, g.in_place ? z.gradient + n * image_floats : shared + n * copy_floats,
                       task, scratch);
    }
    if (z.streaming) finish_streaming();
    return;
  }
  if (args.phase == 0) {
    for (int64_t task = args.begin; task < args.end; ++task) pack_panel(p, w, task, shared + task * panel_floats(g));
    return;
  }
  const PixelBlocks blocks = pixel_blocks(g);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t n = task / blocks.per_image(), block = task % blocks.per_image();
    const int64_t row_block = block / blocks.tile_blocks, tile_block = block % blocks.tile_blocks;
    const int64_t y0 = part_start(g.h, blocks.row_blocks, row_block);
    const int64_t y1 = part_start(g.h, blocks.row_blocks, row_block + 1);
    const int64_t t0 = part_start(tiles, blocks.tile_blocks, tile_block);
    const int64_t t1 = part_start(tiles, blocks.tile_blocks, tile_block + 1);
    const float* windows = z.gradient + n * image_floats + y0 * g.row_floats();
    if (!g.in_place) {
      copy_window(z.gradient + n * image_floats, g.image_h, g.image_w, g.channels, g.y + y0,
                  y1 - y0 + g.kernel_rows - 1, g.x, g.columns, scratch);
      windows = scratch;
    }
    for (int64_t panel = 0; panel < g.panels(); ++panel)
      multiply_panel(z, n, y0, y1, t0, t1, windows, panel, shared + panel * panel_floats(g));
  }
  if (z.streaming) finish_streaming();
}

}  // namespace PYNN_ISA
}  // namespace pynn
