// Scaled dot-product attention, y = softmax(scale q k^T + mask) v for each head, without the matrix of scores.
//
// After FlashAttention (Dao et al., 2022): a task is a block of queries of one head.  Keys come in blocks of kKeyBlock,
// packed once for all tiles of the task.  A tile of kTileRows queries makes its scores (L1), turns them into
// exponentials and multiplies them with the values at once.  With several blocks of keys, the maximum met so far is
// kept for each query, and what was summed up under a smaller one is scaled down.  q, k, v lie as the projections
// store them, [batch][sequence][heads][dim]: nothing is transposed in memory.
#include "kernels/attention_block.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kKeyBlock = 256;
constexpr int64_t kLds = kKeyBlock + 16;  // row of a tile of scores; off the 1 KB alias
constexpr int64_t kQueryBlock = 10 * kTileRows;

int64_t query_blocks(const AttentionParams& p) { return ceil_div(p.queries, kQueryBlock); }

/// Turns a row of scores into exp(logit - max) in place, `max` the running maximum before and after.  Returns the sum;
/// `shrink` is what earlier sums have to be multiplied with.
PYNN_INLINE float softmax_part(float* s, const float* mask, int64_t n, float scale, float& max, float& shrink) {
  const Vec lowest = broadcast(-INFINITY);
  Vec top = lowest;
  int64_t j = 0;
  for (; j + W <= n; j += W) {
    const Vec x = logit(s, mask, j, W, scale);
    store(s + j, x);
    top = vmax(top, x);
  }
  if (j < n) {
    const Vec x = logit(s, mask, j, n - j, scale);
    store_first(s + j, x, n - j);
    top = vmax(top, first_lanes(x, n - j, lowest));
  }
  const float before = max;
  max = larger(before, max_in_every_lane(top)[0]);
  shrink = before == max ? 1.f : before == -INFINITY ? 0.f : exp_of_score(broadcast(before - max))[0];
  const Vec most = broadcast(max);
  Vec sum{};
  for (j = 0; j + W <= n; j += W) {
    const Vec e = exp_of_score(load(s + j) - most);
    store(s + j, e);
    sum += e;
  }
  if (j < n) {
    const Vec e = first_lanes(exp_of_score(load_first(s + j, n - j) - most), n - j, Vec{});
    store_first(s + j, e, n - j);
    sum += e;
  }
  return sum_in_every_lane(sum)[0];
}

PYNN_INLINE void scale_row(float* y, int64_t n, float by) {
  int64_t j = 0;
  for (; j + W <= n; j += W) store(y + j, load(y + j) * by);
  if (j < n) store_first(y + j, load_first(y + j, n - j) * by, n - j);
}

struct Scratch {
  float *keys, *values, *scores, *max, *sum;
};

/// Queries [q0, q1) of head h of sample b.
void attend(const AttentionParams& p, const KernelArgs& args, int64_t b, int64_t h, int64_t q0, int64_t q1,
            const Scratch& to) {
  const int64_t ld = p.heads * p.dim, ldv = p.heads * p.value_dim;
  const float* q = args.input<float>(0) + b * p.queries * ld + h * p.dim;
  const float* k = args.input<float>(1) + b * p.keys * ld + h * p.dim;
  const float* v = args.input<float>(2) + b * p.keys * ldv + h * p.value_dim;
  const float* mask = p.masked ? args.input<float>(3) : nullptr;
  float* y = args.output<float>(0) + b * p.queries * ldv + h * p.value_dim;
  float* stats = args.output<float>(1) + (b * p.heads + h) * p.queries * 2;
  for (int64_t i = 0; i < q1 - q0; ++i) {
    to.max[i] = -INFINITY;
    to.sum[i] = 0;
  }
  const int64_t seen = keys_seen(p, q1 - 1, 0, p.keys), tiles = ceil_div(q1 - q0, kTileRows);
  for (int64_t k0 = 0; k0 < seen; k0 += kKeyBlock) {
    const int64_t k1 = smaller(seen, k0 + kKeyBlock);
    prefetch_rows(k + k0 * ld, ld, k1 - k0, p.dim);
    prefetch_rows(v + k0 * ldv, ldv, k1 - k0, p.value_dim);
    if (k0 == 0) prefetch_rows(q + q0 * ld, ld, q1 - q0, p.dim);
    const Panels keys = pack_panels(k + k0 * ld, ld, true, p.dim, k1 - k0, to.keys);
    const Panels values = pack_panels(v + k0 * ldv, ldv, false, k1 - k0, p.value_dim, to.values);
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t i0 = q0 + part_start(q1 - q0, tiles, t), i1 = q0 + part_start(q1 - q0, tiles, t + 1);
      const int64_t n = keys_seen(p, i1 - 1, k0, k1);
      if (n == 0) continue;
      multiply_block<kRows>(i1 - i0, n, p.dim, q + i0 * ld, ld, keys, to.scores, kLds, false);
      for (int64_t i = i0; i < i1; ++i) {
        float* s = to.scores + (i - i0) * kLds;
        const float* m = mask_row(p, mask, b, h, i);
        const int64_t sees = keys_seen(p, i, k0, k1);
        float shrink;
        const float sum = softmax_part(s, m ? m + k0 : nullptr, sees, p.scale, to.max[i - q0], shrink);
        for (int64_t j = sees; j < n; ++j) s[j] = 0;
        to.sum[i - q0] = to.sum[i - q0] * shrink + sum;
        if (k0 > 0 && shrink != 1.f) scale_row(y + i * ldv, p.value_dim, shrink);
      }
      multiply_block<kRows>(i1 - i0, p.value_dim, n, to.scores, kLds, values, y + i0 * ldv, ldv, k0 > 0);
    }
  }
  for (int64_t i = q0; i < q1; ++i) {
    const float inverse = 1.f / to.sum[i - q0];
    scale_row(y + i * ldv, p.value_dim, inverse);
    stats[2 * i] = to.max[i - q0];
    stats[2 * i + 1] = inverse;
  }
}

}  // namespace

void attention_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<AttentionParams>(args);
  const double pairs = static_cast<double>(p.batch * p.heads) * p.queries * p.keys * (p.causal ? 0.5 : 1);
  plan.tasks[0] = p.batch * p.heads * query_blocks(p);
  plan.thread_bytes = (panel_floats(p.dim, kKeyBlock) + panel_floats(kKeyBlock, p.value_dim) + kTileRows * kLds +
                       2 * round_up(kQueryBlock, 16)) *
                      sizeof(float);
  plan.nanoseconds[0] = pairs * (2.0 * (p.dim + p.value_dim) / kFlopsPerNanosecond + 0.3) + 200;
}

void attention(const KernelArgs& args) {
  const auto p = params_of<AttentionParams>(args);
  const int64_t blocks = query_blocks(p);
  Scratch to;
  to.keys = reinterpret_cast<float*>(args.scratch);
  to.values = to.keys + panel_floats(p.dim, kKeyBlock);
  to.scores = to.values + panel_floats(kKeyBlock, p.value_dim);
  to.max = to.scores + kTileRows * kLds;
  to.sum = to.max + round_up(kQueryBlock, 16);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t head = task / blocks, block = task % blocks;
    attend(p, args, head / p.heads, head % p.heads, part_start(p.queries, blocks, block),
           part_start(p.queries, blocks, block + 1), to);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
