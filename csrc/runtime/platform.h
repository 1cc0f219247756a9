#pragma once
// What systems and processors do differently, as far as the runtime is concerned.
#include <cstddef>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pynn {

/// `bytes` bytes, a multiple of `alignment`, which is a power of two; null when there is no memory.
void* allocate_aligned(std::size_t alignment, std::size_t bytes);
void release_aligned(void* block);  ///< what allocate_aligned gave, or null

/// Asks for large pages in a block that is aligned to them, where the system can be asked.
void prefer_huge_pages(void* block, std::size_t bytes);

/// Has `function` called in each child that a fork makes, where there are forks.
void call_after_fork(void (*function)());

/// Tells the core that this thread spins: saves power, and speed for its sibling.
inline void spin_pause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace pynn
