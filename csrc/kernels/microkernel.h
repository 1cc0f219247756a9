#pragma once
// The micro-kernel that every matrix product and convolution ends in: a tile of `rows` x (NV * W) results held in
// registers while K runs.  Measured at 97-98 % of the FMA peak for K >= 64 on AVX-512 (GCC 12, no spills).
//
// A is read where it lies, in one of two ways:
//   kRows: element (i, p) at a[i * lda + p]   (row-major A, or rows that im2col wrote)
//   kCols: element (i, p) at a[p * lda + i]   (K-major A: the transpose is never materialised)
// B is always K rows of full vectors: row p at b + p * ldb.  C is row-major with leading dimension ldc.
#include "kernels/kernel.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// kRowsAhead is kRows that meanwhile fetches the rows after this tile, for an A that comes from L3 or memory (fetching
/// beyond the end does no harm); kRowsFetchB is kRows that fetches what follows these rows of B, the next panel of a B
/// that comes from there.
enum AMode { kRows = 0, kCols = 1, kRowsAhead = 2, kRowsFetchB = 4 };

/// What happens to the accumulators before they are stored, in this order.  Like NumPy, both ReLUs keep a NaN.
enum TileFlags {
  kAccumulate = 1,  ///< add what C holds already (a later block of K)
  kAddBias = 2,     ///< add bias[j] to every row
  kAddTile = 4,     ///< add a tile of another array with C's shape
  kApplyRelu = 8,
  kApplyRelu6 = 16,
  kStreamed = 32,  ///< whole tiles go past the caches (direct convolutions only)
  kAnyRelu = kApplyRelu | kApplyRelu6,
};

/// A compiled tile size.  `tile` is where the array to add with kAddTile has this tile; its rows are ldc apart.
struct MicroKernel {
  void (*run)(int64_t k, const float* a, int64_t lda, const float* b, int64_t ldb, float* c, int64_t ldc, int flags,
              const float* bias, int64_t n, const float* tile);
  void operator()(int64_t k, const float* a, int64_t lda, const float* b, int64_t ldb, float* c, int64_t ldc, int flags,
                  const float* bias, int64_t n, const float* tile = nullptr) const {
    run(k, a, lda, b, ldb, c, ldc, flags, bias, n, tile);
  }
};

#define PYNN_EACH_ROW _Pragma("GCC unroll 16") for (int i = 0; i < MR; ++i)
#define PYNN_EACH_VECTOR _Pragma("GCC unroll 4") for (int j = 0; j < NV; ++j)

/// C[MR][n] = A[MR][k] B[k][NV * W]; n <= NV * W says how many columns are stored.
template <int MR, int NV, AMode mode>
static void micro_kernel(int64_t k, const float* a, int64_t lda, const float* b, int64_t ldb, float* c, int64_t ldc,
                         int flags, const float* bias, int64_t n, const float* tile) {
  // Every loop that touches `acc` is unrolled by force: one plain loop makes GCC spill all accumulators.
  Vec acc[MR][NV];
  PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = Vec{};
  PYNN_EACH_ROW _Pragma("GCC unroll 4") for (int j = 0; j < NV * W; j += 16) __builtin_prefetch(c + i * ldc + j, 1);
  if constexpr (mode != kCols) {
    // One pointer per three rows: [p], [p + lda], [p + 2 lda] fit x86 addressing, 14 pointers would not fit 16 GPRs.
    constexpr int kGroups = (MR + 2) / 3;
    const float* row[kGroups];
#pragma GCC unroll 8
    for (int g = 0; g < kGroups; ++g) row[g] = a + 3 * g * lda;
    const float* ahead = mode == kRowsFetchB ? b + k * ldb : a + MR * lda;
    for (int64_t p = 0; p < k; ++p) {
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
#pragma GCC unroll 2
    for (int64_t p = 0; p < k; ++p) {
      Vec bv[NV];
      PYNN_EACH_VECTOR bv[j] = load(b + j * W);
      PYNN_EACH_ROW {
        const float s = a[i];
        PYNN_EACH_VECTOR acc[i][j] += bv[j] * s;
      }
      a += lda;
      b += ldb;
    }
  }
  if (n == NV * W) {
    if (flags & kAccumulate) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load(c + i * ldc + j * W);
    if (flags & kAddBias) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load(bias + j * W);
    if (flags & kAddTile) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load(tile + i * ldc + j * W);
    if (flags & kAnyRelu) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = vrelu(acc[i][j]);
    if (flags & kApplyRelu6) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = vmin(broadcast(6), acc[i][j]);
    PYNN_EACH_ROW PYNN_EACH_VECTOR store(c + i * ldc + j * W, acc[i][j]);
    return;
  }
  // A tile cut off on the right: the same from registers, with the lanes beyond n masked off.
  int64_t lanes[NV];
  PYNN_EACH_VECTOR lanes[j] = larger<int64_t>(0, smaller<int64_t>(W, n - j * W));
  if (flags & kAccumulate) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load_first(c + i * ldc + j * W, lanes[j]);
  if (flags & kAddBias) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load_first(bias + j * W, lanes[j]);
  if (flags & kAddTile) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] += load_first(tile + i * ldc + j * W, lanes[j]);
  if (flags & kAnyRelu) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = vrelu(acc[i][j]);
  if (flags & kApplyRelu6) PYNN_EACH_ROW PYNN_EACH_VECTOR acc[i][j] = vmin(broadcast(6), acc[i][j]);
  PYNN_EACH_ROW PYNN_EACH_VECTOR store_first(c + i * ldc + j * W, acc[i][j], lanes[j]);
}

#undef PYNN_EACH_ROW
#undef PYNN_EACH_VECTOR

/// The micro-kernel for `rows` (1..kTileRows) x `vectors` (1..kTileVectors).
template <AMode mode>
static inline MicroKernel pick_micro_kernel(int64_t rows, int64_t vectors) {
#define PYNN_ROW_OF_TABLE(r)                                   \
  {                                                            \
    {&micro_kernel<r, 1, mode>}, { &micro_kernel<r, 2, mode> } \
  }
  static const MicroKernel table[kTileRows][kTileVectors] = {
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

// ---- packing of B ----------------------------------------------------------------------------------------------

/// Columns of a panel packed beforehand, on every instruction set: the widest tile, which is whole tiles of the others.
constexpr int64_t kPackedCols = 32;
static_assert(kPackedCols % kTileCols == 0, "a packed panel holds whole tiles");

/// W x W transpose in registers, by log2(W) rounds of interleaving the lower and upper halves.
PYNN_INLINE void transpose_block(Vec* x) {
#if defined(PYNN_ISA_LEVEL_avx512)
#define PYNN_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define PYNN_HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
  constexpr int kRounds = 4;
#elif defined(PYNN_ISA_LEVEL_avx2)
#define PYNN_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define PYNN_HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
  constexpr int kRounds = 3;
#else
#define PYNN_LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define PYNN_HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
  constexpr int kRounds = 2;
#endif
#pragma GCC unroll 4
  for (int round = 0; round < kRounds; ++round) {
    Vec y[W];
#pragma GCC unroll 16
    for (int i = 0; i < W / 2; ++i) {
      y[2 * i] = PYNN_LOW(x[i], x[i + W / 2]);
      y[2 * i + 1] = PYNN_HIGH(x[i], x[i + W / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) x[i] = y[i];
  }
#undef PYNN_LOW
#undef PYNN_HIGH
}

/// Vectors that hold n columns, at most one panel.
PYNN_INLINE int64_t vectors_for(int64_t n) { return n > W ? 2 : 1; }

/// B[k][n] (row stride ldb), n <= kTileCols, to a panel of k rows of whole vectors, zeros beyond n.
static inline void pack_b_panel(const float* b, int64_t ldb, int64_t k, int64_t n, float* panel) {
  const int64_t width = vectors_for(n) * W;
  for (int64_t p = 0; p < k; ++p)
    for (int64_t j = 0; j < width; j += W)
      store(panel + p * width + j, load_first(b + p * ldb + j, larger<int64_t>(0, smaller<int64_t>(W, n - j))));
}

/// Several whole panels at once: B[k][panels * kTileCols], row by row, so that each row is read in one long stretch
/// (panel by panel is 128 bytes a row, which costs a TLB look-up each when rows are pages apart).
static inline void pack_b_panels(const float* b, int64_t ldb, int64_t k, int64_t panels, float* packed) {
  for (int64_t p = 0; p < k; ++p) {
    const float* row = b + p * ldb;
    if (p + 8 < k)
      for (int64_t j = 0; j < panels * kTileCols; j += 16) __builtin_prefetch(row + 8 * ldb + j);
    for (int64_t q = 0; q < panels; ++q) {
      float* to = packed + (q * k + p) * kTileCols;
      for (int v = 0; v < kTileVectors; ++v) store(to + v * W, load(row + q * kTileCols + v * W));
    }
  }
}

/// The same panel from B stored transposed, [n][k] with row stride ldb.
static inline void pack_b_panel_transposed(const float* b, int64_t ldb, int64_t k, int64_t n, float* panel) {
  const int64_t width = vectors_for(n) * W;
  for (int64_t j = 0; j < width; j += W) {
    const int64_t columns = larger<int64_t>(0, smaller<int64_t>(W, n - j));
    for (int64_t p = 0; p < k; p += W) {
      const int64_t depth = smaller<int64_t>(W, k - p);
      Vec block[W];
      for (int i = 0; i < W; ++i) block[i] = i < columns ? load_first(b + (j + i) * ldb + p, depth) : Vec{};
      transpose_block(block);
      for (int64_t i = 0; i < depth; ++i) store(panel + (p + i) * width + j, block[i]);
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
