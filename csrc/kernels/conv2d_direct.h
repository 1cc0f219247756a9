#pragma once
// What the direct convolutions share: the micro-kernel that reads windows where they lie, the padded copy of image
// rows, and how the pixels of a result fall into tiles and tasks.
//
// In an NHWC image the taps of one kernel row are contiguous, kw * c numbers, and neighbouring windows lie a fixed
// distance apart.  So a row of windows times a panel of the kernel is a matrix product for each kernel row, whose left
// operand nobody has to write down first: no im2col.
#include "kernels/activation.h"
#include "kernels/kernel.h"
#include "kernels/microkernel.h"
#include "simd/stream.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// kCols that meanwhile fetches other numbers, which the tiles to come will read from many lines far apart.
constexpr AMode kColsAhead = static_cast<AMode>(3);

/// One tile of results, C[rows][n] (+)= sum over `outer` of A_o[rows][inner] B_o[inner][vectors * W]: as the
/// micro-kernel of gemm, but K falls into `outer` pieces, `a_step` numbers apart in A; B's rows follow each other
/// through all pieces.
struct ConvTile {
  int64_t outer, inner;
  const float* a;
  int64_t lda, a_step;
  const float* b;
  int64_t ldb;
  float* c;
  int64_t ldc;
  int flags;
  const float* bias;
  const float* tile;  ///< kAddTile: what is added to c, rows ldc apart
  int64_t n;
  const float* ahead;     ///< kColsAhead only: `inner` cache lines from here on are fetched meanwhile
  const int64_t* places;  ///< kCols and kColsAhead: piece o begins at a[places[o]], and a_step says nothing
};

#define PYNN_EACH_ROW _Pragma("GCC unroll 16") for (int i = 0; i < MR; ++i)
#define PYNN_EACH_VECTOR _Pragma("GCC unroll 4") for (int j = 0; j < NV; ++j)

template <int MR, int NV, AMode mode>
static void conv_kernel(const ConvTile& t) {
  const int64_t lda = t.lda, ldb = t.ldb, ldc = t.ldc, inner = t.inner;
  float* const c = t.c;
  Vec acc[MR][NV];
  PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = Vec{};
  const int flags = t.flags;
  if (!(flags & kStreamed))
    PYNN_EACH_ROW _Pragma("GCC unroll 4") for (int j = 0; j < NV * W; j += 16) __builtin_prefetch(c + i * ldc + j, 1);
  if (flags & kAddTile)
    PYNN_EACH_ROW _Pragma("GCC unroll 4") for (int j = 0; j < NV * W; j += 16)
        __builtin_prefetch(t.tile + i * ldc + j, 0);
  const float* b = t.b;
  const float* a = t.a;
  for (int64_t o = 0; o < t.outer; ++o, a += t.a_step) {
    if constexpr (mode == kRows || mode == kRowsAhead || mode == kRowsFetchB) {
      constexpr int kGroups = (MR + 2) / 3;  // see microkernel.h
      const float* row[kGroups];
#pragma GCC unroll 8
      for (int g = 0; g < kGroups; ++g) row[g] = a + 3 * g * lda;
      const float* ahead = mode == kRowsFetchB ? b + t.outer * inner * ldb : a + MR * lda;
      for (int64_t p = 0; p < inner; ++p) {
        if constexpr (mode == kRowsAhead) {
          __builtin_prefetch(ahead, 0, 2);
          ahead += 16;
        }
        if constexpr (mode == kRowsFetchB) {
          _Pragma("GCC unroll 2") for (int j = 0; j < NV * W; j += 16) __builtin_prefetch(ahead + j, 0, 2);
          ahead += ldb;
        }
        Vec bv[NV];
        PYNN_EACH_VECTOR bv[j] = load(b + j * W);
        PYNN_EACH_ROW {
          const float s = row[i / 3][(i % 3) * lda];
          PYNN_EACH_VECTOR acc[i][j] += bv[j] * s;
        }
#pragma GCC unroll 8
        for (int g = 0; g < kGroups; ++g) ++row[g];
        b += ldb;
      }
    } else {
      const float* column = t.a + t.places[o];
      [[maybe_unused]] const float* ahead = t.ahead;
#pragma GCC unroll 2
      for (int64_t p = 0; p < inner; ++p) {
        if constexpr (mode == kColsAhead) {
          __builtin_prefetch(ahead, 0, 2);
          ahead += 16;
        }
        Vec bv[NV];
        PYNN_EACH_VECTOR bv[j] = load(b + j * W);
        PYNN_EACH_ROW {
          const float s = column[i];
          PYNN_EACH_VECTOR acc[i][j] += bv[j] * s;
        }
        column += lda;
        b += ldb;
      }
    }
  }
  const float *const bias = t.bias, *const tile = t.tile;
  if (t.n == NV * W) {
    if (flags & kAccumulate) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load(c + i * ldc + j * W);
    if (flags & kAddBias) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load(bias + j * W);
    if (flags & kAddTile) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load(tile + i * ldc + j * W);
    if (flags & kAnyRelu) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = vrelu(acc[i][j]);
    if (flags & kApplyRelu6) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = vmin(broadcast(6), acc[i][j]);
    if (flags & kStreamed)
      PYNN_EACH_ROW PYNN_EACH_VECTOR store_streaming(c + i * ldc + j * W, acc[i][j]);
    else
      PYNN_EACH_ROW PYNN_EACH_VECTOR store(c + i * ldc + j * W, acc[i][j]);
    return;
  }
  int64_t lanes[NV];
  PYNN_EACH_VECTOR lanes[j] = larger<int64_t>(0, smaller<int64_t>(W, t.n - j * W));
  if (flags & kAccumulate) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load_first(c + i * ldc + j * W, lanes[j]);
  if (flags & kAddBias) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load_first(bias + j * W, lanes[j]);
  if (flags & kAddTile) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load_first(tile + i * ldc + j * W, lanes[j]);
  if (flags & kAnyRelu) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = vrelu(acc[i][j]);
  if (flags & kApplyRelu6) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = vmin(broadcast(6), acc[i][j]);
  PYNN_EACH_ROW PYNN_EACH_VECTOR store_first(c + i * ldc + j * W, acc[i][j], lanes[j]);
}

#undef PYNN_EACH_ROW
#undef PYNN_EACH_VECTOR

using ConvKernel = void (*)(const ConvTile&);

/// The micro-kernel for `rows` (1..kTileRows) x `vectors` (1..kTileVectors).
template <AMode mode>
static inline ConvKernel pick_conv_kernel(int64_t rows, int64_t vectors) {
#define PYNN_ROW_OF_TABLE(r) {&conv_kernel<r, 1, mode>, &conv_kernel<r, 2, mode>}
  static const ConvKernel table[kTileRows][kTileVectors] = {
      PYNN_ROW_OF_TABLE(1),  PYNN_ROW_OF_TABLE(2),  PYNN_ROW_OF_TABLE(3),
      PYNN_ROW_OF_TABLE(4),  PYNN_ROW_OF_TABLE(5),  PYNN_ROW_OF_TABLE(6),
#if PYNN_VECTOR_REGISTERS == 32
      PYNN_ROW_OF_TABLE(7),  PYNN_ROW_OF_TABLE(8),  PYNN_ROW_OF_TABLE(9),
      PYNN_ROW_OF_TABLE(10), PYNN_ROW_OF_TABLE(11), PYNN_ROW_OF_TABLE(12),
#endif
#if defined(PYNN_ISA_LEVEL_avx512)
      PYNN_ROW_OF_TABLE(13), PYNN_ROW_OF_TABLE(14),
#endif
  };
#undef PYNN_ROW_OF_TABLE
  return table[rows - 1][vectors - 1];
}

/// Rows [y, y + rows) and columns [x, x + columns) of image[h][w][c], with zeros outside the image.
static inline void copy_window(const float* image, int64_t h, int64_t w, int64_t c, int64_t y, int64_t rows, int64_t x,
                               int64_t columns, float* to) {
  const int64_t first = larger<int64_t>(x, 0), end = smaller(w, x + columns);
  const int64_t before = smaller(columns, first - x), inside = larger<int64_t>(0, end - first);
  const int64_t after = columns - before - inside;
  for (int64_t i = 0; i < rows; ++i, to += columns * c) {
    if (y + i < 0 || y + i >= h) {
      memset(to, 0, columns * c * sizeof(float));
      continue;
    }
    memset(to, 0, before * c * sizeof(float));
    memcpy(to + before * c, image + ((y + i) * w + first) * c, inside * c * sizeof(float));
    memset(to + (before + inside) * c, 0, after * c * sizeof(float));
  }
}

/// kStreamed for results that are too large for the caches and finished when a tile is; 0 for others.
static inline int streaming_flag(const Operand& results, int64_t channels, int32_t activation) {
  const bool finished = activation == kLinear || register_activation(activation);
  const int64_t bytes = results.size * static_cast<int64_t>(sizeof(float));
  return finished && bytes >= kStreamBytes && can_stream(static_cast<const float*>(results.data), channels) ? kStreamed
                                                                                                            : 0;
}

/// How the windows of a direct convolution are read: from `images` of rows x columns positions of `channels` numbers,
/// either the operand itself or a copy with zeros around it.  Results form a grid of `h` x `w` for each image.
struct WindowGrid {
  int64_t n, h, w;                // results
  int64_t channels;               // numbers at a position
  int64_t rows, columns;          // positions of an image that windows can meet, from (y, x) of the operand on
  int64_t y, x;                   // 0 or less, unless the edge is cropped
  int64_t stride_h, kernel_rows;  // of the windows
  int64_t image_h, image_w;       // of the operand
  bool in_place;                  // the operand has all these positions
  int64_t k, filters;             // numbers in a window, columns of the kernel
  int64_t row_floats() const { return (in_place ? image_w : columns) * channels; }
  int64_t panels() const { return ceil_div(filters, kTileCols); }
};

/// A grid whose windows are single neighbouring positions is one long row: tiles then need not end with an image's row.
static inline void join_rows(WindowGrid& g, int64_t kernel_columns, int64_t stride_w) {
  g.in_place = g.y == 0 && g.x == 0 && g.rows <= g.image_h && g.columns <= g.image_w;
  if (!g.in_place || g.kernel_rows != 1 || kernel_columns != 1 || g.stride_h != 1 || stride_w != 1) return;
  if (g.h != g.image_h || g.w != g.image_w) return;
  g.w = g.columns = g.image_w = g.n * g.h * g.w;
  g.n = g.h = g.rows = g.image_h = 1;
}

/// The windows of a convolution itself.
static inline WindowGrid grid_of_windows(const Conv2dParams& p) {
  WindowGrid g;
  g.n = p.n;
  g.h = p.oh;
  g.w = p.ow;
  g.channels = p.c;
  g.rows = (p.oh - 1) * p.stride_h + p.kh;
  g.columns = (p.ow - 1) * p.stride_w + p.kw;
  g.y = -p.top;
  g.x = -p.left;
  g.stride_h = p.stride_h;
  g.kernel_rows = p.kh;
  g.image_h = p.h;
  g.image_w = p.w;
  g.k = p.kh * p.kw * p.c;
  g.filters = p.filters;
  join_rows(g, p.kw, p.stride_w);
  return g;
}

/// Few pixels and many filters: a task is a panel of the kernel with all pixels, and packs it itself, so that large
/// weights go through memory once.
static inline bool cut_by_filters(const WindowGrid& g) {
  constexpr int64_t kFewPixels = 256, kFewestPanels = 4;
  return g.n * g.h * g.w <= kFewPixels && g.panels() >= kFewestPanels;
}

/// Results of a task when the work is cut by pixels: some rows, or, of a single row, some tiles.
struct PixelBlocks {
  int64_t rows, tiles;              // of the grid of one image
  int64_t row_blocks, tile_blocks;  // how many of them an image has
  int64_t per_image() const { return row_blocks * tile_blocks; }
};

static inline PixelBlocks pixel_blocks(const WindowGrid& g) {
  constexpr int64_t kWindowFloats = 40 * 1024, kFewTasks = 8, kLargeKernel = 100 * 1024, kRowsOfLargeKernel = 14;
  constexpr int64_t kMostTiles = 32;
  PixelBlocks blocks;
  blocks.rows = 1;
  blocks.tiles = ceil_div(g.w, kTileRows);
  if (g.h > 1) {
    // The windows of a task in L2; with a kernel that is not, more of them to use it often.
    blocks.rows = kWindowFloats / (g.columns * g.channels * g.stride_h);
    if (g.k * g.filters > kLargeKernel) blocks.rows = larger(blocks.rows, kRowsOfLargeKernel);
    blocks.rows = larger<int64_t>(1, smaller(blocks.rows, g.n * g.h / kFewTasks));
    blocks.rows = smaller(blocks.rows, g.h);
  } else if (g.in_place) {
    const int64_t fitting = smaller(kMostTiles, kWindowFloats / (g.k * kTileRows));
    blocks.tiles = larger<int64_t>(1, smaller(fitting, g.n * blocks.tiles / kFewTasks));
  }
  blocks.row_blocks = ceil_div(g.h, blocks.rows);
  blocks.tile_blocks = ceil_div(ceil_div(g.w, kTileRows), blocks.tiles);
  return blocks;
}

/// Floats of the padded copy for `results` rows of results.
static inline int64_t window_floats(const WindowGrid& g, int64_t results) {
  return round_up(((results - 1) * g.stride_h + g.kernel_rows) * g.columns * g.channels, 16);
}

/// A run of neighbouring results: `t` describes the first of them, `pixels` follow with distance t.ldc.  Results of
/// `tiles` tiles of `all` that a row falls into are computed, from tile `first` on.  `fetch_b`: the first of them
/// fetches the next panel of B.
static inline void multiply_pixels(ConvTile t, bool ahead, bool fetch_b, int64_t pixels, int64_t vectors, int64_t first,
                                   int64_t last, int32_t activation) {
  const int64_t tiles = ceil_div(pixels, kTileRows);
  const float* a = t.a;
  float* c = t.c;
  const float* tile = t.tile;
  for (int64_t i = first; i < last; ++i) {
    const int64_t i0 = part_start(pixels, tiles, i), i1 = part_start(pixels, tiles, i + 1);
    t.a = a + i0 * t.lda;
    t.c = c + i0 * t.ldc;
    if (tile) t.tile = tile + i0 * t.ldc;
    const auto pick = ahead                   ? pick_conv_kernel<kRowsAhead>
                      : fetch_b && i == first ? pick_conv_kernel<kRowsFetchB>
                                              : pick_conv_kernel<kRows>;
    pick(i1 - i0, vectors)(t);
    activate_tile(activation, t.c, t.ldc, i1 - i0, t.n);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
