// Gradient of a 3 x 3 convolution with respect to its kernel by Winograd's algorithm:
//   dw = G^T [ sum over the tiles of (B^T x B) * (A g A^T) ] G
// For each point of a transformed tile the sum is one product: dU[c][filters] = V^T[c][tiles] P[tiles][filters].
//
// It is cut in one of two ways, chosen by shape:
//   by tiles    the tiles fall into a fixed number of splits, each with a dU of its own; phase 1 adds them up in order.
//   by channels phase 0 transforms all tiles; a task of phase 1 is a few channels and a panel of filters, whose dU
//               stays in the cache.  For many channels and few tiles, where every dU would be tens of MB.
#include "kernels/microkernel.h"
#include "kernels/winograd_transforms.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// Channels and filters of one task when the work is cut by channels.
constexpr int64_t kPartChannels = 128, kPartFilters = 64;

int64_t kernel_floats(const WinogradShape& s) { return s.points * point_step(s.p.c * s.p.filters); }

/// All transformed tiles of a part: [point][tile][stride].  Parts lie one after the other.
int64_t part_floats(const WinogradShape& s, int64_t width) {
  return s.points * point_step(s.tiles * tile_stride(width));
}
int64_t channel_parts(const WinogradShape& s) { return ceil_div(s.p.c, kPartChannels); }
int64_t filter_parts(const WinogradShape& s) { return ceil_div(s.p.filters, kPartFilters); }
int64_t input_floats(const WinogradShape& s) { return channel_parts(s) * part_floats(s, kPartChannels); }
int64_t gradient_floats(const WinogradShape& s) { return filter_parts(s) * part_floats(s, kPartFilters); }

/// Few tiles go through memory once; of many tiles it is the sums that do.  The bounds are measured.
bool cut_by_channels(const WinogradShape& s) {
  constexpr int64_t kLargeKernel = 512 * 1024, kTilesPerSum = 3, kMostFloats = 64 * 1024 * 1024;
  return kernel_floats(s) > kLargeKernel &&
         input_floats(s) + gradient_floats(s) <= smaller(kTilesPerSum * kernel_floats(s), kMostFloats);
}

/// Tiles that pass through the products together: V and P in L2, or enough of them to pay for going through a large dU.
int64_t block_tiles(const WinogradShape& s) {
  constexpr int64_t kLargeKernel = 512 * 1024;
  return kernel_floats(s) > kLargeKernel ? 96 : 48;
}

int64_t splits_of(const WinogradShape& s) {
  constexpr int64_t kMostSplits = 8, kPartialFloats = 4 * 1024 * 1024;
  const int64_t affordable = larger<int64_t>(4, kPartialFloats / kernel_floats(s));
  return smaller(smaller(kMostSplits, affordable), ceil_div(s.tiles, block_tiles(s)));
}

/// P = A g A^T of tiles [t0, t1), filters [k0, k1), to p[point][tile - t0][ld], `step` numbers from point to point.
template <int m>
void transform_gradient(const WinogradShape& s, const float* g, int64_t t0, int64_t t1, int64_t k0, int64_t k1,
                        const float* zeros, float* p, int64_t ld, int64_t step) {
  constexpr int kSize = Winograd<m>::kSize;
  const Images<const float> images{g, s.p.oh, s.p.ow, s.p.filters};
  Square<m, const float> pixels;
  TileWalk tile(s, t0);
  for (int64_t t = t0; t < t1; ++t, p += ld, tile.next(s)) {
    pixels.place(images, tile.image, tile.row * m, tile.column * m, zeros);
    visit(pixels, [&](auto pixel) __attribute__((always_inline)) {
      for (int64_t k = k0; k < k1; k += W)
        transform_square<m, kSize>([](const Vec* a, Vec* b) { Winograd<m>::output_gradient(a, b); },
                                   [&](int i, int j) { return load(pixel(i, j) + k); },
                                   [&](int i, int j, Vec a) { store(p + (i * kSize + j) * step + k - k0, a); });
    });
  }
}

/// du[rows][ld] (+)= the sum over `tiles` of v[tile][rows] p[tile][width], for one panel.
void multiply_point(int64_t tiles, const float* v, int64_t ldv, int64_t rows, const float* p, int64_t ldp,
                    int64_t width, float* du, int64_t ld, int flags) {
  const int64_t pieces = ceil_div(rows, kTileRows);
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t i0 = part_start(rows, pieces, piece), i1 = part_start(rows, pieces, piece + 1);
    pick_micro_kernel<kCols>(i1 - i0, vectors_for(width))(tiles, v + i0, ldv, p, ldp, du + i0 * ld, ld, flags, nullptr,
                                                          width);
  }
}

/// dw = G^T dU G for `rows` channels from c0 on, `width` filters from `first` on; `read(point, row, k)` gives dU.
template <int m, class Read>
void transform_sums(const WinogradShape& s, int64_t c0, int64_t rows, int64_t first, int64_t width, Read read,
                    float* dw) {
  constexpr int kSize = Winograd<m>::kSize;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < width; k += W)
      transform_square<kSize, 3>(
          [](const Vec* a, Vec* b) { Winograd<m>::kernel_gradient(a, b); },
          [&](int i, int j) { return read(i * kSize + j, row, k); },
          [&](int i, int j, Vec a) { store(dw + ((i * 3 + j) * s.p.c + c0 + row) * s.p.filters + first + k, a); });
}

/// dU of one split of the tiles.
template <int m>
void sum_split(const WinogradShape& s, const float* x, const float* g, int64_t split, float* scratch, float* du) {
  const int64_t splits = splits_of(s), begin = part_start(s.tiles, splits, split);
  const int64_t count = part_start(s.tiles, splits, split + 1) - begin, blocks = ceil_div(count, block_tiles(s));
  const int64_t ldv = tile_stride(s.p.c), ldp = tile_stride(s.p.filters), filters = s.p.filters;
  float* zeros = scratch;
  float* v = zeros + larger(s.p.c, filters);
  float* p = v + s.points * point_step(block_tiles(s) * ldv);
  memset(zeros, 0, larger(s.p.c, filters) * sizeof(float));
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t t0 = begin + part_start(count, blocks, block), t1 = begin + part_start(count, blocks, block + 1);
    const int64_t tiles = t1 - t0, v_step = point_step(tiles * ldv), p_step = point_step(tiles * ldp);
    transform_input<m>(s, x, t0, t1, 0, s.p.c, zeros, v, ldv, v_step);
    transform_gradient<m>(s, g, t0, t1, 0, filters, zeros, p, ldp, p_step);
    for (int64_t point = 0; point < s.points; ++point)
      for (int64_t panel = 0; panel < s.panels; ++panel)
        multiply_point(tiles, v + point * v_step, ldv, s.p.c, p + point * p_step + panel * kTileCols, ldp,
                       panel_width(s, panel), du + point * point_step(s.p.c * filters) + panel * kTileCols, filters,
                       block ? kAccumulate : 0);
  }
}

/// Transforms one tile for all parts.
template <int m>
void transform_tile(const WinogradShape& s, const float* x, const float* g, int64_t tile, const float* zeros, float* v,
                    float* p) {
  const int64_t ldv = tile_stride(kPartChannels), ldp = tile_stride(kPartFilters);
  for (int64_t part = 0; part < channel_parts(s); ++part)
    transform_input<m>(s, x, tile, tile + 1, part * kPartChannels, smaller(s.p.c, (part + 1) * kPartChannels), zeros,
                       v + part * part_floats(s, kPartChannels) + tile * ldv, ldv, point_step(s.tiles * ldv));
  for (int64_t part = 0; part < filter_parts(s); ++part)
    transform_gradient<m>(s, g, tile, tile + 1, part * kPartFilters, smaller(s.p.filters, (part + 1) * kPartFilters),
                          zeros, p + part * part_floats(s, kPartFilters) + tile * ldp, ldp, point_step(s.tiles * ldp));
}

/// dw of one part of the channels and one of the filters, from all their transformed tiles.
template <int m>
void sum_part(const WinogradShape& s, const float* v, const float* p, int64_t channel_part, int64_t filter_part,
              float* du, float* dw) {
  const int64_t ldv = tile_stride(kPartChannels), ldp = tile_stride(kPartFilters);
  const int64_t c0 = channel_part * kPartChannels, rows = smaller(kPartChannels, s.p.c - c0);
  const int64_t k0 = filter_part * kPartFilters, width = smaller(kPartFilters, s.p.filters - k0);
  const int64_t step = point_step(rows * width);
  v += channel_part * part_floats(s, kPartChannels);
  p += filter_part * part_floats(s, kPartFilters);
  for (int64_t point = 0; point < s.points; ++point)
    for (int64_t k = 0; k < width; k += kTileCols)
      multiply_point(s.tiles, v + point * point_step(s.tiles * ldv), ldv, rows,
                     p + point * point_step(s.tiles * ldp) + k, ldp, smaller<int64_t>(kTileCols, width - k),
                     du + point * step + k, width, 0);
  transform_sums<m>(
      s, c0, rows, k0, width,
      [&](int64_t point, int64_t row, int64_t k) { return load(du + point * step + row * width + k); }, dw);
}

template <int m>
void run(const WinogradShape& s, const KernelArgs& args) {
  const float* x = args.input<float>(0);
  const float* g = args.input<float>(1);
  float* dw = args.output<float>(0);
  float* shared = reinterpret_cast<float*>(args.shared);
  float* scratch = reinterpret_cast<float*>(args.scratch);
  const int64_t filters = s.p.filters, numbers = kernel_floats(s), splits = splits_of(s);
  if (!cut_by_channels(s)) {
    for (int64_t task = args.begin; task < args.end; ++task) {
      if (args.phase == 0) {
        sum_split<m>(s, x, g, task, scratch, shared + task * numbers);
        continue;
      }
      const float* du = shared + task * filters;
      transform_sums<m>(
          s, task, 1, 0, filters,
          [&](int64_t point, int64_t, int64_t k) {
            const float* from = du + point * point_step(s.p.c * filters) + k;
            Vec sum = load(from);
            for (int64_t split = 1; split < splits; ++split) sum += load(from + split * numbers);
            return sum;
          },
          dw);
    }
    return;
  }
  float* v = shared;
  float* p = shared + input_floats(s);
  if (args.phase == 0) memset(scratch, 0, larger(s.p.c, filters) * sizeof(float));
  for (int64_t task = args.begin; task < args.end; ++task)
    if (args.phase == 0)
      transform_tile<m>(s, x, g, task, scratch, v, p);
    else
      sum_part<m>(s, v, p, task % channel_parts(s), task / channel_parts(s), scratch, dw);
}

}  // namespace

void conv2d_winograd_grad_kernel_plan(const KernelArgs& args, KernelPlan& plan) {
  const WinogradShape s = winograd_shape(params_of<Conv2dWinogradParams>(args));
  const double tiles_ns = 8.0 * (input_floats(s) + gradient_floats(s)) / kBytesPerNanosecond;
  const double products_ns = 2.0 * s.points * s.tiles * s.p.c * s.p.filters / kFlopsPerNanosecond;
  const int64_t zeros = larger(s.p.c, s.p.filters), numbers = kernel_floats(s);
  plan.phases = 2;
  if (cut_by_channels(s)) {
    plan.tasks[0] = s.tiles;
    plan.tasks[1] = channel_parts(s) * filter_parts(s);
    plan.shared_bytes = (input_floats(s) + gradient_floats(s)) * sizeof(float);
    plan.thread_bytes = larger(zeros, s.points * point_step(kPartChannels * kPartFilters)) * sizeof(float);
    plan.nanoseconds[0] = tiles_ns;
    plan.nanoseconds[1] = products_ns + 4.0 * numbers / kBytesPerNanosecond;
    return;
  }
  plan.tasks[0] = splits_of(s);
  plan.tasks[1] = s.p.c;
  plan.shared_bytes = splits_of(s) * numbers * sizeof(float);
  plan.thread_bytes = (zeros + s.points * (point_step(block_tiles(s) * tile_stride(s.p.c)) +
                                           point_step(block_tiles(s) * tile_stride(s.p.filters)))) *
                      sizeof(float);
  plan.nanoseconds[0] = tiles_ns + products_ns;
  plan.nanoseconds[1] = plan.shared_bytes / kBytesPerNanosecond;
}

void conv2d_winograd_grad_kernel(const KernelArgs& args) {
  const WinogradShape s = winograd_shape(params_of<Conv2dWinogradParams>(args));
  if (s.p.tile == 2)
    run<2>(s, args);
  else
    run<4>(s, args);
}

}  // namespace PYNN_ISA
}  // namespace pynn
