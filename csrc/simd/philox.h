#pragma once
// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): a block cipher with few rounds
// turns a counter into four random words, so any part of a stream can be computed by any thread, in any order, again.
//
// Words come in groups of 64: word j of block 16 q + l is number 64 q + 16 j + l.  A vector of W counters then yields
// runs of W consecutive numbers for W = 4, 8 and 16 alike, without a shuffle.
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

typedef uint32_t VecWord __attribute__((vector_size(W * 4)));

constexpr int kPhiloxGroup = 64;

/// Which stream of numbers: `seed` and `stream` are the key, `step` sets one run of a program apart from the next.
struct PhiloxStream {
  uint32_t seed, stream, step;
};

/// High and low halves of the 64-bit products of all lanes with one constant.
PYNN_INLINE void multiply_wide(VecWord a, uint32_t m, VecWord& high, VecWord& low) {
#if defined(PYNN_ISA_LEVEL_avx512)
  const __m512i mm = _mm512_set1_epi32(static_cast<int>(m));
  const __m512i even = _mm512_mul_epu32((__m512i)a, mm);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a, 32), mm);
  low = (VecWord)_mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
  high = (VecWord)_mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
#elif defined(PYNN_ISA_LEVEL_avx2)
  const __m256i mm = _mm256_set1_epi32(static_cast<int>(m));
  const __m256i even = _mm256_mul_epu32((__m256i)a, mm);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64((__m256i)a, 32), mm);
  low = (VecWord)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
  high = (VecWord)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
#elif defined(PYNN_ISA_LEVEL_neon)
  const uint32x4_t words = (uint32x4_t)a;
  const uint32x4_t first = vreinterpretq_u32_u64(vmull_n_u32(vget_low_u32(words), m));
  const uint32x4_t second = vreinterpretq_u32_u64(vmull_high_n_u32(words, m));
  low = (VecWord)vuzp1q_u32(first, second);
  high = (VecWord)vuzp2q_u32(first, second);
#elif defined(__SSE2__)
  const __m128i mm = _mm_set1_epi32(static_cast<int>(m)), low_half = _mm_set1_epi64x(0xFFFFFFFF);
  const __m128i even = _mm_mul_epu32((__m128i)a, mm);
  const __m128i odd = _mm_mul_epu32(_mm_srli_epi64((__m128i)a, 32), mm);
  low = (VecWord)_mm_or_si128(_mm_and_si128(even, low_half), _mm_slli_epi64(odd, 32));
  high = (VecWord)_mm_or_si128(_mm_srli_epi64(even, 32), _mm_andnot_si128(low_half, odd));
#else
  for (int i = 0; i < W; ++i) {
    const uint64_t product = static_cast<uint64_t>(a[i]) * m;
    low[i] = static_cast<uint32_t>(product);
    high[i] = static_cast<uint32_t>(product >> 32);
  }
#endif
}

/// The four words of W consecutive blocks that start at `block`; the W counters may not straddle 2^32.
PYNN_INLINE void philox_blocks(PhiloxStream s, uint64_t block, VecWord words[4]) {
  VecWord lane;
  for (int i = 0; i < W; ++i) lane[i] = static_cast<uint32_t>(i);
  VecWord x0 = lane + static_cast<uint32_t>(block);
  VecWord x1 = VecWord{} + static_cast<uint32_t>(block >> 32);
  VecWord x2 = VecWord{} + s.step;
  VecWord x3 = VecWord{};
  uint32_t k0 = s.seed, k1 = s.stream;
#pragma GCC unroll 10
  for (int round = 0; round < 10; ++round) {
    VecWord high0, low0, high1, low1;
    multiply_wide(x0, 0xD2511F53u, high0, low0);
    multiply_wide(x2, 0xCD9E8D57u, high1, low1);
    x0 = high1 ^ x1 ^ k0;
    x1 = low1;
    x2 = high0 ^ x3 ^ k1;
    x3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  words[0] = x0;
  words[1] = x1;
  words[2] = x2;
  words[3] = x3;
}

/// Calls f(i, lanes, words) for the numbers [begin, end) of a stream; `begin` is a multiple of kPhiloxGroup.
template <class F>
PYNN_INLINE void for_each_random(PhiloxStream s, int64_t begin, int64_t end, const F& f) {
  for (int64_t group = begin; group < end; group += kPhiloxGroup) {
    for (int64_t l = 0; l < 16; l += W) {
      VecWord words[4];
      philox_blocks(s, static_cast<uint64_t>(group / 4 + l), words);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const int64_t i = group + 16 * j + l;
        if (i + W <= end)
          f(i, static_cast<int64_t>(W), words[j]);
        else if (i < end)
          f(i, end - i, words[j]);
      }
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
