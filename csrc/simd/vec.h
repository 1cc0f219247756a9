#pragma once
// The only place that knows how wide a vector is.  GCC/Clang vector extensions carry the arithmetic; the few
// things they cannot say (masked access, non-temporal stores, square root) are intrinsics per ISA.
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(PYNN_ISA_LEVEL_avx512) || defined(PYNN_ISA_LEVEL_avx2)
// GCC 12 warns about its own "undefined" operands once they are inlined (GCC bug 105593).
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#elif defined(PYNN_ISA_LEVEL_neon)
#include <arm_neon.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Vector registers, for whoever cuts loops so that their sums stay in them.
#if defined(PYNN_ISA_LEVEL_avx512) || defined(PYNN_ISA_LEVEL_neon)
#define PYNN_VECTOR_REGISTERS 32
#else
#define PYNN_VECTOR_REGISTERS 16
#endif

namespace pynn {
namespace PYNN_ISA {

#if defined(PYNN_ISA_LEVEL_avx512)
constexpr int W = 16;          // floats per vector
constexpr int kTileRows = 14;  // GEMM micro-tile: 14 x 2 accumulators + 2 of B + 1 broadcast = 31 of 32 registers
#elif defined(PYNN_ISA_LEVEL_avx2)
constexpr int W = 8;
constexpr int kTileRows = 6;  // 6 x 2 accumulators + 2 + 1 = 15 of 16 registers
#elif defined(PYNN_ISA_LEVEL_neon)
constexpr int W = 4;
constexpr int kTileRows = 12;  // 12 x 2 accumulators + 2 + 1 = 27 of 32 registers
#else
constexpr int W = 4;
constexpr int kTileRows = 6;
#endif
constexpr int kTileVectors = 2;
constexpr int kTileCols = W * kTileVectors;

typedef float Vec __attribute__((vector_size(W * 4)));
typedef int32_t VecInt __attribute__((vector_size(W * 4)));
typedef float VecUnaligned __attribute__((vector_size(W * 4), aligned(4), may_alias));
typedef int32_t VecIntUnaligned __attribute__((vector_size(W * 4), aligned(4), may_alias));

#define PYNN_INLINE static inline __attribute__((always_inline))

PYNN_INLINE Vec load(const float* p) { return *reinterpret_cast<const VecUnaligned*>(p); }
PYNN_INLINE void store(float* p, Vec v) { *reinterpret_cast<VecUnaligned*>(p) = v; }
// `x - 0` and not `0 + x`: the compiler may drop the subtraction (x - 0 == x even for -0), not the addition.
PYNN_INLINE Vec broadcast(float x) { return x - Vec{}; }
/// a > b ? a : b and a < b ? a : b, so b where they do not compare.  One instruction on x86, which GCC 12 does not find
/// where an operand is a constant (masked by all ones, because GCC 12 warns of the unmasked one, bug 105593).
#if defined(PYNN_ISA_LEVEL_avx512)
PYNN_INLINE Vec vmax(Vec a, Vec b) { return (Vec)_mm512_maskz_max_ps(0xFFFF, (__m512)a, (__m512)b); }
PYNN_INLINE Vec vmin(Vec a, Vec b) { return (Vec)_mm512_maskz_min_ps(0xFFFF, (__m512)a, (__m512)b); }
#elif defined(PYNN_ISA_LEVEL_avx2)
PYNN_INLINE Vec vmax(Vec a, Vec b) { return (Vec)_mm256_max_ps((__m256)a, (__m256)b); }
PYNN_INLINE Vec vmin(Vec a, Vec b) { return (Vec)_mm256_min_ps((__m256)a, (__m256)b); }
#elif defined(__SSE2__)
PYNN_INLINE Vec vmax(Vec a, Vec b) { return (Vec)_mm_max_ps((__m128)a, (__m128)b); }
PYNN_INLINE Vec vmin(Vec a, Vec b) { return (Vec)_mm_min_ps((__m128)a, (__m128)b); }
#else
PYNN_INLINE Vec vmax(Vec a, Vec b) { return a > b ? a : b; }
PYNN_INLINE Vec vmin(Vec a, Vec b) { return a < b ? a : b; }
#endif
/// A NaN stays: both give their second operand where the two do not compare.
PYNN_INLINE Vec vclamp(Vec x, float low, float high) { return vmin(broadcast(high), vmax(broadcast(low), x)); }
PYNN_INLINE Vec vrelu(Vec x) { return vmax(Vec{}, x); }

// First n lanes (0 <= n <= W); nothing beyond them is touched, missing lanes read as zero.
#if defined(PYNN_ISA_LEVEL_avx512)
PYNN_INLINE __mmask16 lane_mask(int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
PYNN_INLINE Vec load_first(const float* p, int64_t n) { return (Vec)_mm512_maskz_loadu_ps(lane_mask(n), p); }
PYNN_INLINE void store_first(float* p, Vec v, int64_t n) { _mm512_mask_storeu_ps(p, lane_mask(n), (__m512)v); }
PYNN_INLINE Vec vsqrt(Vec v) { return (Vec)_mm512_sqrt_ps((__m512)v); }
#elif defined(PYNN_ISA_LEVEL_avx2)
PYNN_INLINE __m256i lane_mask(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
PYNN_INLINE Vec load_first(const float* p, int64_t n) { return (Vec)_mm256_maskload_ps(p, lane_mask(n)); }
PYNN_INLINE void store_first(float* p, Vec v, int64_t n) { _mm256_maskstore_ps(p, lane_mask(n), (__m256)v); }
PYNN_INLINE Vec vsqrt(Vec v) { return (Vec)_mm256_sqrt_ps((__m256)v); }
#elif defined(PYNN_ISA_LEVEL_neon)
// Calls, on purpose: inlined, their branches would lie between a multiplication and its addition, compilers fuse these
// only without a branch in between, and a number at the end of a range would be rounded otherwise than the same number
// amid a longer range.
#define PYNN_CALLED [[maybe_unused]] static __attribute__((noinline, aarch64_vector_pcs))
PYNN_CALLED Vec load_first(const float* p, int64_t n) {
  if (n >= W) return load(p);
  float32x4_t v = vdupq_n_f32(0);
  if (n & 2) {
    v = vcombine_f32(vld1_f32(p), vdup_n_f32(0));
    if (n & 1) v = vld1q_lane_f32(p + 2, v, 2);
  } else if (n & 1) {
    v = vld1q_lane_f32(p, v, 0);
  }
  return (Vec)v;
}
PYNN_CALLED void store_first(float* p, Vec v, int64_t n) {
  if (n >= W) return store(p, v);
  if (n & 2) {
    vst1_f32(p, vget_low_f32((float32x4_t)v));
    if (n & 1) vst1q_lane_f32(p + 2, (float32x4_t)v, 2);
  } else if (n & 1) {
    vst1q_lane_f32(p, (float32x4_t)v, 0);
  }
}
#undef PYNN_CALLED
PYNN_INLINE Vec vsqrt(Vec v) { return (Vec)vsqrtq_f32((float32x4_t)v); }
#else
PYNN_INLINE Vec load_first(const float* p, int64_t n) {
  Vec v{};
  for (int i = 0; i < W; ++i) v[i] = i < n ? p[i] : 0.f;
  return v;
}
PYNN_INLINE void store_first(float* p, Vec v, int64_t n) {
  for (int i = 0; i < n; ++i) p[i] = v[i];
}
PYNN_INLINE Vec vsqrt(Vec v) {
  for (int i = 0; i < W; ++i) v[i] = sqrtf(v[i]);
  return v;
}
#endif

/// Stores past the cache, to a multiple of the vector's size; finish_streaming() before others may read it.
#if defined(PYNN_ISA_LEVEL_avx512)
PYNN_INLINE void store_streaming(float* p, Vec v) { _mm512_stream_ps(p, (__m512)v); }
PYNN_INLINE void finish_streaming() { _mm_sfence(); }
#elif defined(PYNN_ISA_LEVEL_avx2)
PYNN_INLINE void store_streaming(float* p, Vec v) { _mm256_stream_ps(p, (__m256)v); }
PYNN_INLINE void finish_streaming() { _mm_sfence(); }
#elif defined(__SSE2__)
PYNN_INLINE void store_streaming(float* p, Vec v) { _mm_stream_ps(p, (__m128)v); }
PYNN_INLINE void finish_streaming() { _mm_sfence(); }
#else
PYNN_INLINE void store_streaming(float* p, Vec v) { store(p, v); }
PYNN_INLINE void finish_streaming() {}
#endif

/// Sum of the lanes, always in the same tree order.
PYNN_INLINE float lane_sum(Vec v) {
  float part[W];
  store(part, v);
#pragma GCC unroll 4
  for (int half = W / 2; half >= 1; half /= 2)
    for (int i = 0; i < half; ++i) part[i] += part[i + half];
  return part[0];
}

}  // namespace PYNN_ISA
}  // namespace pynn
