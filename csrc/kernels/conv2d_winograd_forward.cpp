// 3 x 3 convolution by Winograd's algorithm, and its gradient with respect to the input, which is the convolution of
// the gradient with the kernel rotated by 180 degrees and its channels and filters exchanged.
//
// For each of the (m + 2)^2 points of a transformed tile there is one product: V[tiles][c] U[c][filters].  It is cut
// in one of two ways, chosen by shape:
//   by tiles    phase 0 transforms the kernel; a task of phase 1 is a block of tiles with all filters.
//   by filters  phase 0 transforms the input; a task of phase 1 is a panel of filters with all tiles, and transforms
//               its part of the kernel itself, so that a transformed kernel of tens of MB never goes through memory.
// A kernel that was transformed beforehand (conv2d_winograd_pack.cpp) is read as it lies in both.
#include "kernels/activation.h"
#include "kernels/microkernel.h"
#include "kernels/winograd_kernel.h"
#include "kernels/winograd_transforms.h"
#include "simd/stream.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kChannelsOfTask = 16;

/// Numbers of the transformed kernel: in all, and for a whole panel.
int64_t kernel_floats(const WinogradShape& s) { return s.points * s.p.c * s.p.filters; }
int64_t panel_floats(const WinogradShape& s) { return s.points * point_step(s.p.c * kTileCols); }

/// Every task reads all of V or all of U.  V may be larger: it is read in order, and its next rows are fetched ahead.
bool cut_by_filters(const WinogradShape& s) {
  if (s.p.packed) return s.panels > 2 && s.tiles <= s.p.filters;
  constexpr int64_t kLargeKernel = 1024 * 1024, kFewestPanels = 8, kInputPerKernel = 3;
  return kernel_floats(s) > kLargeKernel && s.panels >= kFewestPanels &&
         s.tiles * tile_stride(s.p.c) <= kInputPerKernel * s.p.c * s.p.filters;
}

/// Tiles that pass through the products together: V and the products in L2, or, where the kernel comes from farther
/// away, enough of them to use it often.  Few tiles still make several tasks.
int64_t block_tiles(const WinogradShape& s) {
  constexpr int64_t kBlockFloats = 150 * 1024, kLargeKernel = 64 * 1024, kMost = 56, kFewTasks = 8;
  const int64_t fitting = kBlockFloats / s.points / (s.p.c + s.p.filters);
  const int64_t most = s.p.c * s.p.filters >= kLargeKernel ? kMost : smaller(fitting, kMost);
  return larger<int64_t>(1, smaller(most, ceil_div(s.tiles, kFewTasks)) / kTileRows) * kTileRows;
}

/// Tiles of a block when the work is cut by filters.
constexpr int64_t kBlockOfPanel = 128;

/// Where a panel of U lies.
struct KernelPanel {
  const float* u;
  int64_t ld, step;  // from channel to channel, from point to point
};

/// A panel of the kernel that phase 0, or somebody before, transformed.
KernelPanel panel_of(const WinogradShape& s, const float* u, int64_t panel) {
  const int64_t first = panel * kTileCols, width = panel_width(s, panel);
  if (!s.p.packed) return {u + panel * panel_floats(s), width, point_step(s.p.c * width)};
  const int64_t step = s.p.c * kPackedCols;
  return {u + first / kPackedCols * s.points * step + first % kPackedCols, kPackedCols, step};
}

/// products[tiles][ldc] = V[point] U[point] for one panel and point.
template <AMode mode>
void multiply_point(const WinogradShape& s, int64_t tiles, const float* v, const KernelPanel& k, int64_t point,
                    int64_t width, float* products, int64_t ldc) {
  const int64_t pieces = ceil_div(tiles, kTileRows), lda = tile_stride(s.p.c);
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t i0 = part_start(tiles, pieces, piece), i1 = part_start(tiles, pieces, piece + 1);
    const auto pick =
        mode == kRowsAhead && s.p.packed && piece == 0 ? pick_micro_kernel<kRowsFetchB> : pick_micro_kernel<mode>;
    pick(i1 - i0, vectors_for(width))(s.p.c, v + i0 * lda, lda, k.u + point * k.step, k.ld, products + i0 * ldc, ldc, 0,
                                      nullptr, width);
  }
}

/// What is added to the results: `zeros` where there is no bias, null where there is no residual.
struct Epilogue {
  const float *bias, *residual, *zeros;
};

/// Results go past the caches where they are many, in whole lines (which a vector is on AVX-512 only).
bool stream_results(const WinogradShape& s, const float* y) {
  return s.p.n * s.p.oh * s.p.ow * s.p.filters * static_cast<int64_t>(sizeof(float)) >= kStreamBytes && W == 16 &&
         can_stream(y, s.p.filters);
}

/// y = activation(A^T products A + bias + residual) of tiles [t0, t1), filters [first, first + count).
template <int m>
void transform_output(const WinogradShape& s, const float* products, int64_t ld, int64_t t0, int64_t t1, int64_t first,
                      int64_t count, const Epilogue& e, float* junk, float* y) {
  constexpr int kSize = Winograd<m>::kSize;
  const int64_t step = point_step((t1 - t0) * ld);
  const int32_t activation = s.p.activation;
  const bool clamped = register_activation(activation), mapped = activation != kLinear && !clamped;
  const float low = clamped ? 0 : -INFINITY, high = activation == kRelu6 ? 6 : INFINITY;
  const bool streamed = stream_results(s, y) && !mapped;
  const Images<float> results{y, s.p.oh, s.p.ow, s.p.filters};
  const Images<const float> residuals{e.residual, s.p.oh, s.p.ow, s.p.filters};
  Square<m, float> pixels;
  Square<m, const float> added;
  TileWalk tile(s, t0);
  for (int64_t t = t0; t < t1; ++t, products += ld, tile.next(s)) {
    pixels.place(results, tile.image, tile.row * m, tile.column * m, junk);
    if (e.residual) added.place(residuals, tile.image, tile.row * m, tile.column * m, e.zeros);
    visit(pixels, [&](auto pixel) __attribute__((always_inline)) {
      const auto transform = [&](auto finish, auto put) __attribute__((always_inline)) {
        for (int64_t k = 0; k < count; k += W) {
          const Vec bias = load(e.bias + first + k);
          transform_square<kSize, m>(
              [](const Vec* a, Vec* b) { Winograd<m>::output(a, b); },
              [&](int i, int j) { return load(products + (i * kSize + j) * step + k); },
              [&](int i, int j, Vec a) { put(pixel(i, j) + first + k, finish(i, j, first + k, a + bias)); });
        }
      };
      const auto plain = [](float* p, Vec a) { store(p, a); };
      const auto past_caches = [](float* p, Vec a) { store_streaming(p, a); };
      const auto clamp = [&](int, int, int64_t, Vec a) { return vclamp(a, low, high); };
      const auto nothing = [](int, int, int64_t, Vec a) { return a; };
      if (e.residual)
        visit(added, [&](auto other) __attribute__((always_inline)) {
          transform([&](int i, int j, int64_t k, Vec a) { return vclamp(a + load(other(i, j) + k), low, high); },
                    plain);
        });
      else if (streamed && pixels.inside)
        clamped ? transform(clamp, past_caches) : transform(nothing, past_caches);
      else
        clamped ? transform(clamp, plain) : transform(nothing, plain);
      if (mapped)
        for (int i = 0; i < m; ++i)
          for (int j = 0; j < m; ++j) activate_tile(activation, pixel(i, j) + first, s.p.filters, 1, count);
    });
  }
  if (streamed) finish_streaming();
}

/// What a thread keeps in its scratch, as places in floats.
struct Layout {
  int64_t zeros;  // a pixel outside the image, and the bias where there is none
  int64_t junk;   // takes the results outside the image
  int64_t u, v, products;
  int64_t floats;
};

Layout layout_of(const WinogradShape& s) {
  const bool by_filters = cut_by_filters(s);
  const int64_t block = smaller(s.tiles, by_filters ? kBlockOfPanel : block_tiles(s)),
                pixel = larger(s.p.c, s.p.filters);
  Layout at;
  at.zeros = 0;
  at.junk = at.zeros + pixel;
  at.u = at.junk + pixel;
  at.v = at.u + (by_filters && !s.p.packed ? panel_floats(s) : 0);
  at.products = at.v + (by_filters ? 0 : s.points * point_step(block * tile_stride(s.p.c)));
  at.floats = at.products + s.points * point_step(block * (by_filters ? kTileCols : tile_stride(s.p.filters)));
  return at;
}

struct Scratch {
  float *zeros, *junk, *u, *v, *products;
};

/// Fetches a part (of `parts`) of the pixels where tiles [t, t + count) begin into the L2 cache: while one block is
/// multiplied, memory has the time to read the next one.
template <int m>
void fetch_tiles(const WinogradShape& s, const float* x, int64_t t, int64_t count, int64_t part, int64_t parts) {
  const TileWalk tile(s, t);
  const float* first = Images<const float>{x, s.p.h, s.p.w, s.p.c}.pixel(tile.image, tile.row * m, tile.column * m);
  const int64_t lines = count * m * m * s.p.c / 16;
  for (int64_t i = part_start(lines, parts, part); i < part_start(lines, parts, part + 1); ++i)
    __builtin_prefetch(first + i * 16, 0, 2);
}

/// One block of tiles, all filters; `u` is the whole transformed kernel.
template <int m>
void run_block(const WinogradShape& s, const float* x, const float* u, const Epilogue& e, int64_t t0, int64_t t1,
               const Scratch& scratch, float* y) {
  const int64_t tiles = t1 - t0, ldv = tile_stride(s.p.c), ldp = tile_stride(s.p.filters);
  const int64_t v_step = point_step(tiles * ldv), products_step = point_step(tiles * ldp);
  transform_input<m>(s, x, t0, t1, 0, s.p.c, scratch.zeros, scratch.v, ldv, v_step);
  const bool far = s.p.n * s.p.h * s.p.w * s.p.c * static_cast<int64_t>(sizeof(float)) > kFetchBytes;
  for (int64_t point = 0; point < s.points; ++point) {
    if (far) fetch_tiles<m>(s, x, t1, tiles, point, s.points);
    for (int64_t panel = 0; panel < s.panels; ++panel)
      multiply_point<kRows>(s, tiles, scratch.v + point * v_step, panel_of(s, u, panel), point, panel_width(s, panel),
                            scratch.products + point * products_step + panel * kTileCols, ldp);
  }
  transform_output<m>(s, scratch.products, ldp, t0, t1, 0, s.p.filters, e, scratch.junk, y);
}

/// One panel of filters, all tiles; `v` is the whole transformed input.
template <int m>
void run_panel(const WinogradShape& s, const float* v, const float* w, const Epilogue& e, int64_t panel,
               const Scratch& scratch, float* y) {
  const int64_t width = panel_width(s, panel), ldv = tile_stride(s.p.c), first = panel * kTileCols;
  KernelPanel kernel{scratch.u, width, point_step(s.p.c * width)};
  if (s.p.packed)
    kernel = panel_of(s, w, panel);
  else
    transform_kernel<m>(s.p, w, first, width, 0, s.p.c, scratch.u, kernel.ld, kernel.step);
  const int64_t blocks = ceil_div(s.tiles, kBlockOfPanel);
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t t0 = part_start(s.tiles, blocks, block), t1 = part_start(s.tiles, blocks, block + 1);
    for (int64_t point = 0; point < s.points; ++point)
      multiply_point<kRowsAhead>(s, t1 - t0, v + point * point_step(s.tiles * ldv) + t0 * ldv, kernel, point, width,
                                 scratch.products + point * point_step((t1 - t0) * width), width);
    transform_output<m>(s, scratch.products, width, t0, t1, first, width, e, scratch.junk, y);
  }
}

template <int m>
void run(const WinogradShape& s, const KernelArgs& args) {
  const float* x = args.input<float>(0);
  const float* w = args.input<float>(1);
  float* y = args.output<float>(0);
  float* shared = reinterpret_cast<float*>(args.shared);
  const Layout at = layout_of(s);
  float* const start = reinterpret_cast<float*>(args.scratch);
  const Scratch scratch{start + at.zeros, start + at.junk, start + at.u, start + at.v, start + at.products};
  memset(scratch.zeros, 0, larger(s.p.c, s.p.filters) * sizeof(float));
  const Epilogue e{s.p.bias ? args.input<float>(2) : scratch.zeros,
                   s.p.residual ? args.input<float>(2 + s.p.bias) : nullptr, scratch.zeros};
  const bool by_filters = cut_by_filters(s);
  const int64_t block = block_tiles(s), parts = ceil_div(s.p.c, kChannelsOfTask);
  for (int64_t task = args.begin; task < args.end; ++task) {
    if (by_filters && args.phase == 0) {
      const int64_t ld = tile_stride(s.p.c);
      transform_input<m>(s, x, task, task + 1, 0, s.p.c, scratch.zeros, shared + task * ld, ld,
                         point_step(s.tiles * ld));
    } else if (by_filters) {
      run_panel<m>(s, shared, w, e, task, scratch, y);
    } else if (args.phase == 0 && !s.p.packed) {
      const int64_t panel = task / parts, c0 = task % parts * kChannelsOfTask, width = panel_width(s, panel);
      transform_kernel<m>(s.p, w, panel * kTileCols, width, c0, c0 + kChannelsOfTask, shared + panel * panel_floats(s),
                          width, point_step(s.p.c * width));
    } else {
      run_block<m>(s, x, s.p.packed ? w : shared, e, task * block, smaller(s.tiles, (task + 1) * block), scratch, y);
    }
  }
}

}  // namespace

void conv2d_winograd_plan(const KernelArgs& args, KernelPlan& plan) {
  const WinogradShape s = winograd_shape(params_of<Conv2dWinogradParams>(args));
  const int64_t input_floats = s.points * point_step(s.tiles * tile_stride(s.p.c));
  const double input_ns = 8.0 * input_floats / kBytesPerNanosecond;
  const double kernel_ns = 8.0 * kernel_floats(s) / kBytesPerNanosecond;
  const double products_ns = 2.0 * s.points * s.tiles * s.p.c * s.p.filters / kFlopsPerNanosecond +
                             8.0 * s.points * s.tiles * s.p.filters / kBytesPerNanosecond;
  const bool by_filters = cut_by_filters(s);
  plan.thread_bytes = layout_of(s).floats * sizeof(float);
  if (s.p.packed && !by_filters) {
    plan.tasks[0] = ceil_div(s.tiles, block_tiles(s));
    plan.nanoseconds[0] = products_ns + input_ns;
    return;
  }
  plan.phases = 2;
  plan.tasks[0] = by_filters ? s.tiles : s.panels * ceil_div(s.p.c, kChannelsOfTask);
  plan.tasks[1] = by_filters ? s.panels : ceil_div(s.tiles, block_tiles(s));
  plan.shared_bytes = (by_filters ? input_floats : s.panels * panel_floats(s)) * sizeof(float);
  plan.nanoseconds[0] = by_filters ? input_ns : kernel_ns;
  plan.nanoseconds[1] = products_ns + (s.p.packed ? 0 : by_filters ? kernel_ns : input_ns);
}

void conv2d_winograd(const KernelArgs& args) {
  const WinogradShape s = winograd_shape(params_of<Conv2dWinogradParams>(args));
  if (s.p.tile == 2)
    run<2>(s, args);
  else
    run<4>(s, args);
}

}  // namespace PYNN_ISA
}  // namespace pynn
