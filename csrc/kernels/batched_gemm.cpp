// Many matrix products of one shape: C[b] = op(A[b]) op(B[b]).
//
// A task is a block of rows of one product.  It goes over B panel by panel: each is copied once and then read by all
// tiles of the block from the cache, while A is read where it lies.  The copy costs 1 / kBlockRows of the arithmetic.
#include "kernels/block_product.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kBlockRows = 16 * kTileRows;

int64_t row_blocks(const BatchedGemmParams& p) { return ceil_div(p.m, kBlockRows); }

}  // namespace

void batched_gemm_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<BatchedGemmParams>(args);
  plan.tasks[0] = p.batch * row_blocks(p);
  plan.thread_bytes = p.k * kTileCols * sizeof(float);
  plan.nanoseconds[0] = static_cast<double>(p.batch) * (2.0 * p.m * p.n * p.k / kFlopsPerNanosecond / 2 + 50);
}

void batched_gemm(const KernelArgs& args) {
  const auto p = params_of<BatchedGemmParams>(args);
  const int64_t lda = p.transpose_a ? p.m : p.k, ldb = p.transpose_b ? p.k : p.n, blocks = row_blocks(p);
  float* room = reinterpret_cast<float*>(args.scratch);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t batch = task / blocks, block = task % blocks;
    const int64_t i0 = part_start(p.m, blocks, block), i1 = part_start(p.m, blocks, block + 1);
    const float* a = args.input<float>(0) + batch * p.m * p.k + (p.transpose_a ? i0 : i0 * lda);
    const float* b = args.input<float>(1) + batch * p.k * p.n;
    float* c = args.output<float>(0) + (batch * p.m + i0) * p.n;
    for (int64_t j = 0; j < p.n; j += kTileCols) {
      const int64_t columns = smaller<int64_t>(kTileCols, p.n - j);
      const Panels panel =
          pack_panels(p.transpose_b ? b + j * ldb : b + j, ldb, p.transpose_b != 0, p.k, columns, room);
      if (p.transpose_a)
        multiply_block<kCols>(i1 - i0, columns, p.k, a, lda, panel, c + j, p.n, false);
      else
        multiply_block<kRows>(i1 - i0, columns, p.k, a, lda, panel, c + j, p.n, false);
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
