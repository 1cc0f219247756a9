#pragma once
// What the two directions of attention share: where operands lie, and which keys a query sees.
#include "kernels/block_product.h"
#include "simd/lanes.h"
#include "simd/vmath.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr float kMaskedScore = -1e30f;  // MASKED_SCORE of pynn/ops/attention.py

/// exp(x) for x <= 0, as vexp but exactly 0 below -87: masked keys must not leave denormal numbers, which are slow.
/// NaN stays NaN, as vmax gives its second operand where they do not compare.
PYNN_INLINE Vec exp_of_score(Vec x) {
  const Vec lowest = broadcast(-87.f);
  const ExpParts e = vexp_parts(vmax(lowest, x));
  return x < lowest ? Vec{} : (e.fraction + 1.f) * power_of_two(e.exponent);
}

/// Fetches rows of one head into L2: their lines lie heads * dim floats apart, which the processor does not foresee.
PYNN_INLINE void prefetch_rows(const float* x, int64_t ld, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < n; j += 16) __builtin_prefetch(x + i * ld + j, 0, 2);
}

/// The additive mask of query `i` of (b, h), or null.
PYNN_INLINE const float* mask_row(const AttentionParams& p, const float* mask, int64_t b, int64_t h, int64_t i) {
  return mask ? mask + b * p.mask_batch + h * p.mask_head + i * p.mask_query : nullptr;
}

/// How many of the keys [k0, k1) the query `i` sees.
PYNN_INLINE int64_t keys_seen(const AttentionParams& p, int64_t i, int64_t k0, int64_t k1) {
  if (!p.causal) return k1 - k0;
  return larger<int64_t>(0, smaller(k1, i + 1) - k0);
}

/// s[j] * scale + mask[j], the logits of the softmax, for `count` lanes at j.
PYNN_INLINE Vec logit(const float* s, const float* mask, int64_t j, int64_t count, float scale) {
  const Vec x = load_first(s + j, count) * scale;
  return mask ? x + load_first(mask + j, count) : x;
}

}  // namespace
}  // namespace PYNN_ISA
}  // namespace pynn
