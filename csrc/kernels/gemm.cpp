// Matrix product C = activation(op(A) op(B) + bias), all three training products: A B, A^T B, A B^T.
//
// Two ways, chosen by shape alone:
// - in place: A is read where it lies.  Best for the narrow products of small networks (n <= 512).
// - blocked, after BLIS: K in blocks of kKc, M in blocks of kMc, N in blocks of kNb.  A block of A is copied (not
//   transposed) to a padded buffer, B to panels, both stay in L2.
// Every result is one chain of fused multiply-adds in the order of k, whatever the tile or the thread that computes
// it, so splitting the rows or columns over threads cannot change a bit.
#include "kernels/activation.h"
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kKc = 512;
constexpr int64_t kMc = kTileRows * 28;
constexpr int64_t kNb = 256;
constexpr int64_t kPad = 16;  // floats; keeps rows of a copied block off a common 4 KB alias

struct Problem {
  int64_t m, n, k;
  const float* a;
  int64_t lda;
  bool transpose_a;
  const float* b;
  int64_t ldb;
  bool transpose_b;
  float* c;
  const float* bias;
  int32_t activation;
};

bool reads_a_in_place(const GemmParams& p) {
  const int64_t lda = p.transpose_a ? p.m : p.k;
  // Rows 4 KB apart share one set of the L1 cache: 14 of them do not fit its 12 ways.
  return p.n <= 512 && (lda % 1024 != 0 || lda < 1024) && p.k <= 8192;
}

bool splits_columns(const GemmParams& p) { return ceil_div(p.n, kTileCols) > ceil_div(p.m, kTileRows); }

MicroKernel pick(bool transpose_a, int64_t rows, int64_t vectors) {
  return transpose_a ? pick_micro_kernel<kCols>(rows, vectors) : pick_micro_kernel<kRows>(rows, vectors);
}

int tile_flags(const Problem& q, bool first_k, bool last_k) {
  int flags = first_k ? 0 : kAccumulate;
  if (last_k && q.bias) flags |= kAddBias;
  if (last_k && q.activation == kRelu) flags |= kApplyRelu;
  return flags;
}

/// A panel of B: rows [p0, p0 + kc), columns [j, j + n).
void pack_panel(const Problem& q, int64_t p0, int64_t kc, int64_t j, int64_t n, float* panel) {
  if (q.transpose_b)
    pack_b_panel_transposed(q.b + j * q.ldb + p0, q.ldb, kc, n, panel);
  else
    pack_b_panel(q.b + p0 * q.ldb + j, q.ldb, kc, n, panel);
}

/// Rows [m0, m1), columns [n0, n1), A where it lies.
void gemm_in_place(const Problem& q, int64_t m0, int64_t m1, int64_t n0, int64_t n1, float* panel) {
  const int64_t tiles = ceil_div(m1 - m0, kTileRows);
  const int flags = tile_flags(q, true, true);
  for (int64_t j = n0; j < n1; j += kTileCols) {
    const int64_t n = smaller<int64_t>(kTileCols, n1 - j), vectors = vectors_for(n);
    const float* b = q.b + j;
    int64_t ldb = q.ldb;
    if (q.transpose_b || n != vectors * W) {
      pack_panel(q, 0, q.k, j, n, panel);
      b = panel;
      ldb = vectors * W;
    }
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t i0 = m0 + part_start(m1 - m0, tiles, t), i1 = m0 + part_start(m1 - m0, tiles, t + 1);
      float* c = q.c + i0 * q.n + j;
      pick(q.transpose_a, i1 - i0, vectors)(q.k, q.transpose_a ? q.a + i0 : q.a + i0 * q.lda, q.lda, b, ldb, c, q.n,
                                            flags, q.bias ? q.bias + j : nullptr, n);
      activate_tile(q.activation, c, q.n, i1 - i0, n);
    }
  }
}

/// Rows [m0, m1), columns [n0, n1), blocked.
void gemm_blocked(const Problem& q, int64_t m0, int64_t m1, int64_t n0, int64_t n1, float* a_block, float* b_block) {
  const int64_t k_blocks = ceil_div(q.k, kKc), m_blocks = ceil_div(m1 - m0, kMc);
  const int64_t k_step = k_blocks > 1 ? round_up(ceil_div(q.k, k_blocks), 16) : q.k;
  for (int64_t mb = 0; mb < m_blocks; ++mb) {
    const int64_t i0 = m0 + part_start(m1 - m0, m_blocks, mb), i1 = m0 + part_start(m1 - m0, m_blocks, mb + 1);
    const int64_t rows = i1 - i0, tiles = ceil_div(rows, kTileRows);
    const int64_t lda = q.transpose_a ? rows + kPad : k_step + kPad;
    for (int64_t p0 = 0; p0 < q.k; p0 += k_step) {
      const int64_t kc = smaller(k_step, q.k - p0);
      const bool last_k = p0 + kc == q.k;
      const int flags = tile_flags(q, p0 == 0, last_k);
      if (q.transpose_a)
        for (int64_t p = 0; p < kc; ++p) memcpy(a_block + p * lda, q.a + (p0 + p) * q.lda + i0, rows * sizeof(float));
      else
        for (int64_t i = 0; i < rows; ++i) memcpy(a_block + i * lda, q.a + (i0 + i) * q.lda + p0, kc * sizeof(float));
      for (int64_t jb = n0; jb < n1; jb += kNb) {
        const int64_t jb_end = smaller(n1, jb + kNb);
        const int64_t whole = q.transpose_b ? 0 : (jb_end - jb) / kTileCols;
        pack_b_panels(q.b + p0 * q.ldb + jb, q.ldb, kc, whole, b_block);
        for (int64_t j = jb + whole * kTileCols; j < jb_end; j += kTileCols)
          pack_panel(q, p0, kc, j, smaller<int64_t>(kTileCols, jb_end - j), b_block + (j - jb) * kc);
        for (int64_t j = jb; j < jb_end; j += kTileCols) {
          const int64_t n = smaller<int64_t>(kTileCols, jb_end - j), vectors = vectors_for(n);
          for (int64_t t = 0; t < tiles; ++t) {
            const int64_t r0 = part_start(rows, tiles, t), r1 = part_start(rows, tiles, t + 1);
            float* c = q.c + (i0 + r0) * q.n + j;
            pick(q.transpose_a, r1 - r0, vectors)(kc, q.transpose_a ? a_block + r0 : a_block + r0 * lda, lda,
                                                  b_block + (j - jb) * kc, vectors * W, c, q.n, flags,
                                                  q.bias ? q.bias + j : nullptr, n);
            if (last_k) activate_tile(q.activation, c, q.n, r1 - r0, n);
          }
        }
      }
    }
  }
}

int64_t a_block_floats(const GemmParams& p) {
  const int64_t kc = smaller(p.k, kKc + 16), mc = smaller(p.m, kMc + kTileRows);
  return larger((mc + kTileRows) * (kc + kPad), (kc + kPad) * (mc + kTileRows + kPad));
}

}  // namespace

void gemm_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<GemmParams>(args);
  plan.tasks[0] = splits_columns(p) ? ceil_div(p.n, kTileCols) : p.m;
  plan.coarse = true;
  plan.nanoseconds[0] = 2.0 * p.m * p.n * p.k / kFlopsPerNanosecond / 2 + 100;
  if (reads_a_in_place(p))
    plan.thread_bytes = p.k * kTileCols * sizeof(float);
  else
    plan.thread_bytes = (round_up(a_block_floats(p), 16) + (kKc + 16) * kNb) * sizeof(float);
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
                  args.output<float>(0),
                  p.bias ? args.input<float>(2) : nullptr,
                  p.activation};
  int64_t m0 = args.begin, m1 = args.end, n0 = 0, n1 = p.n;
  if (splits_columns(p)) {
    m0 = 0;
    m1 = p.m;
    n0 = args.begin * kTileCols;
    n1 = smaller<int64_t>(p.n, args.end * kTileCols);
  }
  float* scratch = reinterpret_cast<float*>(args.scratch);
  if (reads_a_in_place(p))
    gemm_in_place(q, m0, m1, n0, n1, scratch);
  else
    gemm_blocked(q, m0, m1, n0, n1, scratch, scratch + round_up(a_block_floats(p), 16));
}

}  // namespace PYNN_ISA
}  // namespace pynn
