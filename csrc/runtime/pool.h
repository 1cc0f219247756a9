#pragma once
// The threads that help a program run.
//
// The thread that calls `Program::run` (the driver) publishes one phase of one instruction at a time as a number of
// chunks.  Whoever has a moment claims a chunk; the driver claims too, and goes on as soon as all chunks are done.  It
// never waits for a thread to arrive, only for chunks that somebody has begun: a helper that sleeps, or that lost its
// core to another process, simply takes no part.  (Barriers that wait for every thread made steps a hundred times
// slower beside one busy process.)
//
// The threads come from OpenMP: one long-lived parallel region whose members wait for work here (without OpenMP, from
// the C++ library).  They spin for some microseconds after their last work and then sleep.
#include <atomic>
#include <cstdint>
#include <mutex>

namespace pynn {

/// A number of chunks that several threads claim one by one: the driver and every second helper from the front, the
/// others from the back.  So of two threads each does the same half of every phase, and finds in its own L2 cache what
/// it wrote there in the phase before.  (Claims from the front alone alternate: 128 x 1000 softmax-crossentropy with
/// its gradient was no faster on two threads than on one.)
///
/// State is one word, [epoch:16][chunks:16][from the back:16][from the front:16], so that a claim tells by itself
/// whether it is valid: a thread that comes late reads nothing that may be gone already.
class ChunkQueue {
 public:
  static constexpr int64_t kMaxChunks = 4096;

  /// Offers chunks 0..chunks-1.  Only the driver, only when the chunks before are all done.
  void publish(int64_t chunks) {
    done_.store(0, std::memory_order_relaxed);
    const uint64_t epoch = (state_.load(std::memory_order_relaxed) >> 48) + 1;
    state_.store(epoch << 48 | static_cast<uint64_t>(chunks) << 32, std::memory_order_seq_cst);
  }
  /// A chunk for this worker, or -1 if none is left.
  int64_t claim(int worker) {
    if (!has_work(state_.load(std::memory_order_relaxed))) return -1;
    const bool from_back = worker % 2 == 1;
    const uint64_t before = state_.fetch_add(from_back ? 1 << 16 : 1, std::memory_order_acq_rel);
    if (!has_work(before)) return -1;
    return from_back ? field(before, 32) - 1 - field(before, 16) : field(before, 0);
  }
  bool has_work() const { return has_work(state_.load(std::memory_order_seq_cst)); }
  /// To be called after a claimed chunk is done.
  void finish() { done_.fetch_add(1, std::memory_order_seq_cst); }
  int64_t done() const { return done_.load(std::memory_order_seq_cst); }

 private:
  static int64_t field(uint64_t state, int shift) { return static_cast<int64_t>(state >> shift & 0xFFFF); }
  static bool has_work(uint64_t state) { return field(state, 0) + field(state, 16) < field(state, 32); }

  alignas(64) std::atomic<uint64_t> state_{0};
  alignas(64) std::atomic<int64_t> done_{0};
};

/// Work that can be done in chunks by any thread; `worker` is 0 for the driver and tells private scratch apart.
struct ChunkedWork {
  void (*run)(void* context, int64_t chunk, int worker);
  void* context;
};

class Pool {
 public:
  /// The process's pool.  Never destroyed: helpers may still be looking at it while the process ends.
  static Pool& instance();

  /// From now on `helpers` threads beside the caller take part: makes those that do not exist yet, as far as the system
  /// lets us, and has others pause.
  void use(int helpers);
  /// How many exist.  One that is to pause may still do a chunk that it was about to claim.
  int helpers() const { return helpers_; }

  /// Background work for the time until `finish_background`, done by helpers that have nothing else to do.
  void start_background(ChunkedWork work, int64_t chunks);
  void finish_background();

  /// Does all chunks, with the helpers' help; `worth_waking` says whether helpers that sleep should be woken.
  void run(ChunkedWork work, int64_t chunks, bool worth_waking);

 private:
  void grow(int helpers);
  void help(int worker);
  void wait_for(ChunkQueue& queue, int64_t chunks);
  void wake_helpers();

  ChunkQueue work_queue_, background_queue_;
  ChunkedWork work_{}, background_{};
  int64_t background_chunks_ = 0;
  alignas(64) std::atomic<int> sleeping_{0};
  alignas(64) std::atomic<uint32_t> signal_{0};
  std::atomic<bool> driver_sleeps_{false};
  int helpers_ = 0;
  int asked_for_ = 0;
  std::atomic<int> in_use_{0};
};

}  // namespace pynn
