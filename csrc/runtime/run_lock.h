#pragma once
// One program runs at a time in a process: the pool has one driver, and programs overwrite each other's values in the
// arena.

namespace pynn {

class RunLock {
 public:
  /// Waits until no program runs.  Throws std::logic_error where this thread holds the lock already, which would wait
  /// for itself: an op's Python function has called a program.
  static void acquire();
  static void release();
  /// Whether it is this thread that runs a program.
  static bool held_here();

  RunLock() { acquire(); }
  ~RunLock() { release(); }
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;
};

}  // namespace pynn
