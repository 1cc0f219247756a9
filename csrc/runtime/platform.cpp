#include "runtime/platform.h"

#include <cstdlib>

#if defined(_WIN32)
#include <malloc.h>
#else
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace pynn {

#if defined(_WIN32)
void* allocate_aligned(std::size_t alignment, std::size_t bytes) { return _aligned_malloc(bytes, alignment); }
void release_aligned(void* block) { _aligned_free(block); }
void call_after_fork(void (*)()) {}
#else
void* allocate_aligned(std::size_t alignment, std::size_t bytes) { return std::aligned_alloc(alignment, bytes); }
void release_aligned(void* block) { std::free(block); }
void call_after_fork(void (*function)()) { pthread_atfork(nullptr, nullptr, function); }
#endif

#if defined(__linux__)
void prefer_huge_pages(void* block, std::size_t bytes) { madvise(block, bytes, MADV_HUGEPAGE); }
#else
void prefer_huge_pages(void*, std::size_t) {}
#endif

}  // namespace pynn
