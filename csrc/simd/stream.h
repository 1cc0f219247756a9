#pragma once
// Stores that go past the caches: for results too large to be found there by whoever reads them next.  A plain store
// first reads the line that it overwrites; these do not.
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// Results of more bytes than this have largely left the last-level cache of common machines (32 MB, shared with what
/// is read to compute them) when they are complete.
constexpr int64_t kStreamBytes = 16 << 20;
/// Arrays of more bytes than this come from memory, and are worth fetching ahead.
constexpr int64_t kFetchBytes = 8 << 20;

/// Whether vectors at `p`, `step` floats apart, are lines of the cache: anything else is slower streamed than stored.
static inline bool can_stream(const float* p, int64_t step) {
#if defined(PYNN_ISA_LEVEL_avx512) || defined(PYNN_ISA_LEVEL_avx2)
  return reinterpret_cast<uintptr_t>(p) % 64 == 0 && step % 16 == 0;
#else
  (void)p, (void)step;
  return false;
#endif
}

/// `p` is a multiple of the vector's size.
PYNN_INLINE void stream(float* p, Vec v) {
#if defined(PYNN_ISA_LEVEL_avx512)
  _mm512_stream_ps(p, (__m512)v);
#elif defined(PYNN_ISA_LEVEL_avx2)
  _mm256_stream_ps(p, (__m256)v);
#else
  store(p, v);
#endif
}

/// Before another thread may read what was streamed.
PYNN_INLINE void stream_fence() {
#if defined(PYNN_ISA_LEVEL_avx512) || defined(PYNN_ISA_LEVEL_avx2)
  _mm_sfence();
#endif
}

}  // namespace PYNN_ISA
}  // namespace pynn
