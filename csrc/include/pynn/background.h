#pragma once
// Work that a running Program does in its idle moments: threads that wait at a barrier take tasks of it, and what is
// left over is done before `Program.run` returns.  The batch loader fills the next batch this way, so no thread
// beside the Program's own ever competes for a core.
#include <cstdint>

namespace pynn {

struct BackgroundTask {
  /// Does tasks [begin, end).  Must not touch Python; called from any thread, several at once for disjoint ranges.
  void (*run)(void* context, int64_t begin, int64_t end);
  void* context;
  int64_t tasks;  ///< each a microsecond or two of work
};

/// Name of the PyCapsule that carries a BackgroundTask* to `Program.run(inputs, background=capsule)`.
constexpr const char* kBackgroundCapsule = "pynn.BackgroundTask";

}  // namespace pynn
