#pragma once
// One block of memory in which programs keep their intermediate results.  It only grows and is never given back
// while a program lives: returning large blocks to the system and faulting them in again costs more than many steps.
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace pynn {

class Arena {
 public:
  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Makes at least `bytes` available.  May move the block: programs look up `base()` at each run.
  /// Throws std::bad_alloc when the system has no memory left; the old block is then still valid.
  void reserve(std::size_t bytes);
  char* base() const { return base_; }
  std::size_t size() const { return size_; }
  /// Held while a program runs: two programs on one arena would overwrite each other's values.
  std::mutex& mutex() { return mutex_; }

 private:
  char* base_ = nullptr;
  std::size_t size_ = 0;
  std::mutex mutex_;
};

}  // namespace pynn
