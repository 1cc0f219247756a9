// Matrix product C = activation(op(A) op(B) + bias + residual), all three training products: A B, A^T B, A B^T; B plain
// or packed beforehand (gemm_pack_b.cpp).
//
// One loop nest, after BLIS: M in blocks, K in blocks, N in blocks, then for each tile of rows all panels of columns,
// so that the tile's rows of A stay in L1 while panels of B come from L2.  What a shape changes is only how large the
// blocks are and which operand is copied first (`Blocking`); it depends on the shape alone.
// Every result is one chain of fused multiply-adds in the order of k, cut where a block of K ends, whatever the tile or
// the thread that computes it: splitting the rows or columns over threads cannot change a bit.
#include "kernels/activation.h"
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

// Measured on AVX-512 and AVX2 (docs/kernels/gemm.md): the same sizes are best on both, because they follow the caches.
constexpr int64_t kKc = 512;  // a tile's rows of A: 14 * 2 KB, in a 48 KB L1
constexpr int64_t kMc = 784;  // rows for which a packed block of B is used; A's block may live in L3
constexpr int64_t kNc = 256;  // a packed block of B: 512 KB, in a 1 MB L2
constexpr int64_t kInPlaceKc = 1024;
constexpr int64_t kStreamKc = 16;  // rows of B read per visit of a result, where B comes from memory
constexpr int64_t kInPlaceColumns = 512;
constexpr int64_t kGroupedRows = 256;  // with fewer rows than this, copying B is dear enough to be divided
constexpr int64_t kColumnGroups = 4;
constexpr int64_t kStreamFloats = 1 << 17;  // a B larger than this (512 KB) is streamed for the few rows of one tile
constexpr int64_t kPad = 16;                // floats; keeps rows of a copied block off a common 4 KB alias
constexpr int64_t kAliased = 1024;          // floats: rows 4 KB apart share one set of the L1 cache, which has 12 ways

struct Problem {
  int64_t m, n, k;
  const float* a;
  int64_t lda;
  bool transpose_a;
  const float* b;
  int64_t ldb;
  bool transpose_b;
  bool packed;  ///< b is [ceil(n / kPackedCols)][k][kPackedCols]
  float* c;
  const float* bias;
  const float* residual;
  int32_t activation;
};

struct Blocking {
  int64_t mc, nc, kc;
  bool copies_a;  ///< a block of A is copied (not transposed) with padded rows
  bool packs_b;   ///< a block of B is copied to panels; if not, only what cannot be read in place
  bool ahead;     ///< the next rows of B are fetched while these are used
};

Blocking blocking_of(const GemmParams& p) {
  const int64_t lda = p.transpose_a ? p.m : p.k;
  const bool aliased = lda >= kAliased && lda % kAliased == 0;
  if (p.packed) return {kMc, kNc, kKc, aliased, false, false};
  if (p.m <= kTileRows && !p.transpose_b && p.k * p.n > kStreamFloats)
    return {kTileRows, p.n, kStreamKc, true, false, true};
  // A tile of a K-major A is a line in each of kc rows, which often share few sets of the caches: fewer rows at a time.
  if (p.n <= kInPlaceColumns && !aliased)
    return {p.m, kNc, p.transpose_a ? kKc : kInPlaceKc, false, p.transpose_b != 0, false};
  return {kMc, kNc, kKc, true, true, false};
}

/// Rows of K per block: nearly equal blocks, so that no short one is left over.
int64_t k_step_of(const GemmParams& p, const Blocking& s) {
  const int64_t blocks = ceil_div(p.k, s.kc);
  return blocks > 1 ? round_up(ceil_div(p.k, blocks), 16) : p.k;
}

bool splits_columns(const GemmParams& p) { return ceil_div(p.n, kPackedCols) > ceil_div(p.m, kTileRows); }

/// Groups of columns whose rows are tasks of their own: threads then divide the copying of B, which all of them would
/// repeat if only rows were divided.
int64_t column_groups(const GemmParams& p, const Blocking& s) {
  if (!s.packs_b || s.copies_a || p.m > kGroupedRows || splits_columns(p)) return 1;
  return smaller(kColumnGroups, ceil_div(p.n, kPackedCols));
}

struct Scratch {
  int64_t a_floats, b_floats;
};

Scratch scratch_of(const GemmParams& p) {
  const Blocking s = blocking_of(p);
  const int64_t kc = k_step_of(p, s), rows = smaller(p.m, s.mc);
  const int64_t a = p.transpose_a ? kc * (rows + kPad) : rows * (kc + kPad);
  return {s.copies_a ? round_up(a, 16) : 0, kc * (s.packs_b ? s.nc : kTileCols)};
}

/// Block [i0, i0 + rows) x [p0, p0 + kc) of A, copied as it lies to rows of `ld`.
void copy_a(const Problem& q, int64_t i0, int64_t rows, int64_t p0, int64_t kc, int64_t ld, float* to) {
  const int64_t lines = q.transpose_a ? kc : rows, length = q.transpose_a ? rows : kc;
  const float* from = q.transpose_a ? q.a + p0 * q.lda + i0 : q.a + i0 * q.lda + p0;
  for (int64_t i = 0; i < lines; ++i) memcpy(to + i * ld, from + i * q.lda, length * sizeof(float));
}

/// A panel of B: rows [p0, p0 + kc), columns [j, j + n).
void pack_panel(const Problem& q, int64_t p0, int64_t kc, int64_t j, int64_t n, float* panel) {
  if (q.transpose_b)
    pack_b_panel_transposed(q.b + j * q.ldb + p0, q.ldb, kc, n, panel);
  else
    pack_b_panel(q.b + p0 * q.ldb + j, q.ldb, kc, n, panel);
}

/// Columns [j0, j1) of rows [p0, p0 + kc) of B to panels.
void pack_block(const Problem& q, int64_t p0, int64_t kc, int64_t j0, int64_t j1, float* to) {
  const int64_t whole = q.transpose_b ? 0 : (j1 - j0) / kTileCols;
  pack_b_panels(q.b + p0 * q.ldb + j0, q.ldb, kc, whole, to);
  for (int64_t j = j0 + whole * kTileCols; j < j1; j += kTileCols)
    pack_panel(q, p0, kc, j, smaller<int64_t>(kTileCols, j1 - j), to + (j - j0) * kc);
}

/// Block [i0, i1) x [j0, j1) of C, for rows [p0, p0 + kc) of K.
void multiply_block(const Problem& q, const Blocking& s, int64_t i0, int64_t i1, int64_t j0, int64_t j1, int64_t p0,
                    int64_t kc, const float* a, int64_t lda, float* b_block) {
  const bool last_k = p0 + kc == q.k;
  int flags = p0 ? kAccumulate : 0;
  if (last_k) flags |= epilogue_flags(q.bias, q.residual, q.activation);
  if (s.packs_b)
    pack_block(q, p0, kc, j0, j1, b_block);
  else if (!q.packed && (j1 - j0) % W)
    pack_panel(q, p0, kc, j0 + (j1 - j0) / kTileCols * kTileCols, (j1 - j0) % kTileCols, b_block);
  const int64_t tiles = ceil_div(i1 - i0, kTileRows), rows_ahead = s.ahead ? smaller(kc, q.k - p0 - kc) : 0;
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t r0 = part_start(i1 - i0, tiles, t), r1 = part_start(i1 - i0, tiles, t + 1);
    const float* a_tile = q.transpose_a ? a + r0 : a + r0 * lda;
    for (int64_t j = j0; j < j1; j += kTileCols) {
      const int64_t n = smaller<int64_t>(kTileCols, j1 - j), vectors = vectors_for(n);
      const float* b = b_block + (s.packs_b ? (j - j0) * kc : 0);
      int64_t ldb = vectors * W;
      if (q.packed) {
        b = q.b + j / kPackedCols * kPackedCols * q.k + p0 * kPackedCols + j % kPackedCols;
        ldb = kPackedCols;
      } else if (!s.packs_b && n == ldb) {
        b = q.b + p0 * q.ldb + j;
        ldb = q.ldb;
      }
      for (int64_t p = p0 + kc; p < p0 + kc + rows_ahead; ++p)
        for (int64_t line = 0; line < n; line += 16) __builtin_prefetch(q.b + p * q.ldb + j + line, 0, 2);
      const int64_t at = (i0 + r0) * q.n + j;
      const MicroKernel kernel =
          q.transpose_a ? pick_micro_kernel<kCols>(r1 - r0, vectors) : pick_micro_kernel<kRows>(r1 - r0, vectors);
      kernel(kc, a_tile, lda, b, ldb, q.c + at, q.n, flags, q.bias ? q.bias + j : nullptr, n,
             q.residual ? q.residual + at : nullptr);
      if (last_k) activate_tile(q.activation, q.c + at, q.n, r1 - r0, n);
    }
  }
}

/// Rows [m0, m1), columns [n0, n1) of C.
void multiply(const Problem& q, const Blocking& s, int64_t k_step, int64_t m0, int64_t m1, int64_t n0, int64_t n1,
              float* a_block, float* b_block) {
  const int64_t m_blocks = ceil_div(m1 - m0, s.mc);
  for (int64_t mb = 0; mb < m_blocks; ++mb) {
    const int64_t i0 = m0 + part_start(m1 - m0, m_blocks, mb), i1 = m0 + part_start(m1 - m0, m_blocks, mb + 1);
    for (int64_t p0 = 0; p0 < q.k; p0 += k_step) {
      const int64_t kc = smaller(k_step, q.k - p0);
      const float* a = q.transpose_a ? q.a + p0 * q.lda + i0 : q.a + i0 * q.lda + p0;
      int64_t lda = q.lda;
      if (s.copies_a) {
        lda = (q.transpose_a ? i1 - i0 : k_step) + kPad;
        copy_a(q, i0, i1 - i0, p0, kc, lda, a_block);
        a = a_block;
      }
      for (int64_t j0 = n0; j0 < n1; j0 += s.nc)
        multiply_block(q, s, i0, i1, j0, smaller(n1, j0 + s.nc), p0, kc, a, lda, b_block);
    }
  }
}

}  // namespace

void gemm_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<GemmParams>(args);
  const Scratch scratch = scratch_of(p);
  plan.tasks[0] = splits_columns(p) ? ceil_div(p.n, kPackedCols) : p.m * column_groups(p, blocking_of(p));
  plan.coarse = true;
  plan.nanoseconds[0] = 2.0 * p.m * p.n * p.k / kFlopsPerNanosecond / 2 + 100;
  plan.thread_bytes = (scratch.a_floats + scratch.b_floats) * sizeof(float);
}

void gemm(const KernelArgs& args) {
  const auto p = params_of<GemmParams>(args);
  const Problem q{p.m,
                  p.n,
                  p.k,
                  args.input<float>(0),
                  p.transpose_a ? p.m : p.k,
                  p.transpose_a != 0,
                  args.input<float>(1),
                  p.transpose_b ? p.k : p.n,
                  p.transpose_b != 0,
                  p.packed != 0,
                  args.output<float>(0),
                  p.bias ? args.input<float>(2) : nullptr,
                  p.residual ? args.input<float>(2 + p.bias) : nullptr,
                  p.activation};
  const Blocking s = blocking_of(p);
  float* a_block = reinterpret_cast<float*>(args.scratch);
  float* b_block = a_block + scratch_of(p).a_floats;
  if (splits_columns(p)) {
    const int64_t end = smaller<int64_t>(p.n, args.end * kPackedCols);
    return multiply(q, s, k_step_of(p, s), 0, p.m, args.begin * kPackedCols, end, a_block, b_block);
  }
  const int64_t groups = column_groups(p, s), panels = ceil_div(p.n, kPackedCols);
  for (int64_t g = args.begin / p.m; g * p.m < args.end; ++g) {
    const int64_t m0 = larger<int64_t>(0, args.begin - g * p.m), m1 = smaller(p.m, args.end - g * p.m);
    const int64_t n0 = part_start(panels, groups, g) * kPackedCols;
    const int64_t n1 = smaller<int64_t>(p.n, part_start(panels, groups, g + 1) * kPackedCols);
    multiply(q, s, k_step_of(p, s), m0, m1, n0, n1, a_block, b_block);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
