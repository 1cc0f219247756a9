#pragma once
// Stores that go past the caches: for results too large to be found there by whoever reads them next.  A plain store
// first reads the line that it overwrites; `store_streaming` does not.
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// Results of this many bytes have largely left the last-level cache of common machines (32 MB, shared with what
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

}  // namespace PYNN_ISA
}  // namespace pynn
