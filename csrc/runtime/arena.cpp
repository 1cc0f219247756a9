#include "runtime/arena.h"

#include <cstdint>
#include <new>

#include "runtime/platform.h"

namespace pynn {

namespace {
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kCacheLine = 64;
}  // namespace

void Arena::reserve(std::size_t bytes) {
  if (bytes <= size_) return;
  // Small arenas stay small; large ones are whole huge pages, which fault in ten times faster than 4 KB ones.
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
  if (bytes > SIZE_MAX / 2) throw std::bad_alloc();
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  // The old block goes first: nobody needs what is in it, and both at once may be more than there is.
  block_.reset();
  size_ = 0;
  void* block = allocate_aligned(alignment, rounded);
  if (!block) throw std::bad_alloc();
  if (alignment == kHugePage) prefer_huge_pages(block, rounded);
  block_ = Block(static_cast<char*>(block), [](char* p) { release_aligned(p); });
  size_ = rounded;
}

}  // namespace pynn
