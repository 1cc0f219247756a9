#pragma once
// One block of memory in which programs keep their intermediate results.  It only grows and is never given back
// while a program lives: returning large blocks to the system and faulting them in again costs more than many steps.
#include <cstddef>
#include <memory>

namespace pynn {

class Arena {
 public:
  /// Whoever holds the block may look at it, at whatever lies there by then, even after the arena has moved on.
  using Block = std::shared_ptr<char>;

  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Makes at least `bytes` available.  May move the block and forgets what was in it: programs look up `base()` at
  /// each run.  Throws std::bad_alloc when the system has no memory left; the arena is then empty, and can be used.
  void reserve(std::size_t bytes);
  char* base() const { return block_.get(); }
  const Block& block() const { return block_; }
  std::size_t size() const { return size_; }

 private:
  Block block_;
  std::size_t size_ = 0;
};

}  // namespace pynn
