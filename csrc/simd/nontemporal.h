#pragma once
// Stores that go past the caches: the line is not read first and displaces nothing.  For results larger than the last
// cache that nobody reads soon.
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// Stores a vector at an address that is a multiple of the vector's size; to be followed by `fence_nontemporal`.
PYNN_INLINE void store_nontemporal(float* p, Vec v) {
#if defined(PYNN_ISA_LEVEL_avx512)
  _mm512_stream_ps(p, (__m512)v);
#elif defined(PYNN_ISA_LEVEL_avx2)
  _mm256_stream_ps(p, (__m256)v);
#elif defined(__SSE2__)
  _mm_stream_ps(p, (__m128)v);
#else
  store(p, v);
#endif
}

/// Such stores are ordered after nothing by themselves; before another thread may read, they must be done.
PYNN_INLINE void fence_nontemporal() {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

}  // namespace PYNN_ISA
}  // namespace pynn
