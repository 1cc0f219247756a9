// Gradients of attention with respect to q, k and v, with the scores made again block by block.
//
// With s = scale q k^T + mask, p = softmax(s), y = p v and the incoming gradient g:
//   dv = p^T g,   dp = g v^T,   ds = p * (dp - sum(y * g)),   dq = scale ds k,   dk = scale ds^T q.
// p comes from the maximum and the sum of each row that the forward pass kept.  A task is one head of one sample: it
// owns its part of dq, dk and dv, so nothing is summed up between tasks.  Inside, blocks of keys (outer) meet blocks of
// queries (inner), whose two blocks of scores stay in the L2 cache for the five products.
#include "kernels/attention_block.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kKeyBlock = 128;
constexpr int64_t kLds = kKeyBlock + 16;
constexpr int64_t kQueryBlock = 5 * kTileRows;

struct Scratch {
  float *keys_t, *values_t, *keys, *queries, *grads, *p, *ds, *dot;
};

int64_t scratch_floats(const AttentionParams& p, Scratch* to, float* base) {
  int64_t used = 0;
  const auto take = [&](float* Scratch::* part, int64_t floats) {
    if (to) to->*part = base + used;
    used += round_up(floats, 16);
  };
  take(&Scratch::keys_t, panel_floats(p.dim, kKeyBlock));
  take(&Scratch::values_t, panel_floats(p.value_dim, kKeyBlock));
  take(&Scratch::keys, panel_floats(kKeyBlock, p.dim));
  take(&Scratch::queries, panel_floats(kQueryBlock, p.dim));
  take(&Scratch::grads, panel_floats(kQueryBlock, p.value_dim));
  take(&Scratch::p, kQueryBlock * kLds);
  take(&Scratch::ds, kQueryBlock * kLds);
  take(&Scratch::dot, p.queries);
  return used;
}

PYNN_INLINE float dot(const float* a, const float* b, int64_t n) {
  Vec sum{};
  int64_t j = 0;
  for (; j + W <= n; j += W) sum += load(a + j) * load(b + j);
  if (j < n) sum += load_first(a + j, n - j) * load_first(b + j, n - j);
  return sum_in_every_lane(sum)[0];
}

/// Scores s to probabilities, and their incoming gradients ds to those of the scores, `count` lanes in place.
PYNN_INLINE void score_grad(float* s, float* ds, const float* mask, int64_t count, float scale, float max,
                            float inverse, float mean) {
  const Vec p = exp_of_score(logit(s, mask, 0, count, scale) - max) * inverse;
  const Vec d = p * (load_first(ds, count) - mean) * scale;
  store_first(s, p, count);
  // A score that the mask replaced does not move; only in a row without any other is p more than 0 there.
  store_first(ds, mask ? (load_first(mask, count) > broadcast(0.5f * kMaskedScore) ? d : Vec{}) : d, count);
}

PYNN_INLINE void score_grad_row(float* s, float* ds, const float* mask, int64_t n, float scale, float max,
                                float inverse, float mean) {
  int64_t j = 0;
  for (; j + W <= n; j += W) score_grad(s + j, ds + j, mask ? mask + j : nullptr, W, scale, max, inverse, mean);
  if (j < n) score_grad(s + j, ds + j, mask ? mask + j : nullptr, n - j, scale, max, inverse, mean);
}

void clear_rows(float* x, int64_t ld, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i) memset(x + i * ld, 0, n * sizeof(float));
}

/// All gradients of head h of sample b.
void head_grad(const AttentionParams& p, const KernelArgs& args, int64_t b, int64_t h, const Scratch& to) {
  const int64_t ld = p.heads * p.dim, ldv = p.heads * p.value_dim;
  const int64_t q_at = b * p.queries * ld + h * p.dim, k_at = b * p.keys * ld + h * p.dim;
  const int64_t y_at = b * p.queries * ldv + h * p.value_dim, v_at = b * p.keys * ldv + h * p.value_dim;
  const float *q = args.input<float>(0) + q_at, *k = args.input<float>(1) + k_at, *v = args.input<float>(2) + v_at;
  const float *y = args.input<float>(3) + y_at, *g = args.input<float>(5) + y_at;
  const float* stats = args.input<float>(4) + (b * p.heads + h) * p.queries * 2;
  const float* mask = p.masked ? args.input<float>(6) : nullptr;
  float *dq = args.output<float>(0) + q_at, *dk = args.output<float>(1) + k_at, *dv = args.output<float>(2) + v_at;

  prefetch_rows(y, ldv, p.queries, p.value_dim);
  prefetch_rows(g, ldv, p.queries, p.value_dim);
  for (int64_t i = 0; i < p.queries; ++i) to.dot[i] = dot(y + i * ldv, g + i * ldv, p.value_dim);
  clear_rows(dk, ld, p.keys, p.dim);
  clear_rows(dv, ldv, p.keys, p.value_dim);
  const int64_t query_blocks = ceil_div(p.queries, kQueryBlock);
  for (int64_t k0 = 0; k0 < p.keys; k0 += kKeyBlock) {
    const int64_t k1 = smaller(p.keys, k0 + kKeyBlock);
    if (keys_seen(p, p.queries - 1, k0, k1) == 0) break;
    prefetch_rows(k + k0 * ld, ld, k1 - k0, p.dim);
    prefetch_rows(v + k0 * ldv, ldv, k1 - k0, p.value_dim);
    const Panels keys_t = pack_panels(k + k0 * ld, ld, true, p.dim, k1 - k0, to.keys_t);
    const Panels values_t = pack_panels(v + k0 * ldv, ldv, true, p.value_dim, k1 - k0, to.values_t);
    const Panels keys = pack_panels(k + k0 * ld, ld, false, k1 - k0, p.dim, to.keys);
    for (int64_t block = 0; block < query_blocks; ++block) {
      const int64_t i0 = part_start(p.queries, query_blocks, block);
      const int64_t i1 = part_start(p.queries, query_blocks, block + 1), rows = i1 - i0;
      const int64_t n = keys_seen(p, i1 - 1, k0, k1);
      if (n == 0) continue;
      prefetch_rows(q + i0 * ld, ld, rows, p.dim);
      const Panels queries = pack_panels(q + i0 * ld, ld, false, rows, p.dim, to.queries);
      const Panels grads = pack_panels(g + i0 * ldv, ldv, false, rows, p.value_dim, to.grads);
      multiply_block<kRows>(rows, n, p.dim, q + i0 * ld, ld, keys_t, to.p, kLds, false);
      multiply_block<kRows>(rows, n, p.value_dim, g + i0 * ldv, ldv, values_t, to.ds, kLds, false);
      for (int64_t i = i0; i < i1; ++i) {
        float *s = to.p + (i - i0) * kLds, *ds = to.ds + (i - i0) * kLds;
        const float* m = mask_row(p, mask, b, h, i);
        const int64_t sees = keys_seen(p, i, k0, k1);
        score_grad_row(s, ds, m ? m + k0 : nullptr, sees, p.scale, stats[2 * i], stats[2 * i + 1], to.dot[i]);
        for (int64_t j = sees; j < n; ++j) s[j] = ds[j] = 0;
      }
      multiply_block<kCols>(n, p.value_dim, rows, to.p, kLds, grads, dv + k0 * ldv, ldv, true);
      multiply_block<kCols>(n, p.dim, rows, to.ds, kLds, queries, dk + k0 * ld, ld, true);
      multiply_block<kRows>(rows, p.dim, n, to.ds, kLds, keys, dq + i0 * ld, ld, k0 > 0);
    }
  }
}

}  // namespace

void attention_grad_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<AttentionParams>(args);
  const double pairs = static_cast<double>(p.batch * p.heads) * p.queries * p.keys * (p.causal ? 0.5 : 1);
  plan.tasks[0] = p.batch * p.heads;
  plan.thread_bytes = scratch_floats(p, nullptr, nullptr) * sizeof(float);
  plan.nanoseconds[0] = pairs * (2.0 * (3 * p.dim + 2 * p.value_dim) / kFlopsPerNanosecond + 0.3) + 200;
}

void attention_grad(const KernelArgs& args) {
  const auto p = params_of<AttentionParams>(args);
  Scratch to;
  scratch_floats(p, &to, reinterpret_cast<float*>(args.scratch));
  for (int64_t task = args.begin; task < args.end; ++task) head_grad(p, args, task / p.heads, task % p.heads, to);
}

}  // namespace PYNN_ISA
}  // namespace pynn
