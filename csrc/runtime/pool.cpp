#include "runtime/pool.h"

#include <system_error>
#include <thread>
#include <vector>

#if defined(_OPENMP)
#include <omp.h>
#endif

#include "runtime/platform.h"

namespace pynn {

namespace {

// About 80 microseconds (26 ns a pause on Zen 5): longer than the pause between two steps of a training loop, much
// shorter than a scheduler's time slice.
constexpr int kHelperSpins = 3000;
constexpr int kDriverSpins = 1000;

/// How many of `wanted` threads we may ask for: a container's limit on processes, or memory for stacks, may be less.
/// OpenMP runtimes end the process when they cannot make one, so they are made once without; where some are refused,
/// half of the others, since OpenMP's threads need more than a bare one.
int possible_threads(int wanted) {
  std::vector<std::thread> trial;
  std::atomic<bool> over{false};
  trial.reserve(wanted);
  try {
    while (static_cast<int>(trial.size()) < wanted) trial.emplace_back([&over] { over.wait(false); });
  } catch (const std::system_error&) {}
  over.store(true);
  over.notify_all();
  for (auto& thread : trial) thread.join();
  const int made = static_cast<int>(trial.size());
  return made < wanted ? made / 2 : made;
}

Pool* g_pool = nullptr;

}  // namespace

Pool& Pool::instance() {
  static std::once_flag once;
  std::call_once(once, [] {
    g_pool = new Pool;
    // After a fork the child has none of the threads; it starts with a pool of its own.
    call_after_fork([] { g_pool = new Pool; });
  });
  return *g_pool;
}

void Pool::use(int helpers) {
  if (helpers > asked_for_) grow(helpers);
  if (in_use_.load(std::memory_order_relaxed) == helpers) return;
  in_use_.store(helpers, std::memory_order_seq_cst);
  in_use_.notify_all();
}

void Pool::grow(int helpers) {
  asked_for_ = helpers;  // asked once: a system that refuses a thread is not asked again at each step
  const int first = helpers_;
  const int more = possible_threads(helpers - first);
  if (!more) return;
  helpers_ += more;
#if defined(_OPENMP)
  std::thread([this, first, more] {
#pragma omp parallel num_threads(more)
    {
      // OpenMP may give fewer threads than asked for; those that exist do the work.
      help(first + 1 + omp_get_thread_num());
    }
  }).detach();
#else
  for (int i = 1; i <= more; ++i) std::thread([this, worker = first + i] { help(worker); }).detach();
#endif
}

void Pool::help(int worker) {
  for (int idle = 0;;) {
    if (const int in_use = in_use_.load(std::memory_order_relaxed); worker > in_use) {
      in_use_.wait(in_use, std::memory_order_relaxed);
      continue;
    }
    int64_t chunk = work_queue_.claim(worker);
    if (chunk >= 0) {
      work_.run(work_.context, chunk, worker);
      work_queue_.finish();
    } else if ((chunk = background_queue_.claim(worker)) >= 0) {
      background_.run(background_.context, chunk, worker);
      background_queue_.finish();
    } else if (++idle < kHelperSpins) {
      spin_pause();
      continue;
    } else {
      const uint32_t signal = signal_.load(std::memory_order_seq_cst);
      sleeping_.fetch_add(1, std::memory_order_seq_cst);
      // Looked at again after announcing the sleep: whoever publishes later sees the announcement.
      if (!work_queue_.has_work()) signal_.wait(signal, std::memory_order_seq_cst);
      sleeping_.fetch_sub(1, std::memory_order_seq_cst);
    }
    idle = 0;
    if (driver_sleeps_.load(std::memory_order_seq_cst)) {
      signal_.fetch_add(1, std::memory_order_seq_cst);
      signal_.notify_all();
    }
  }
}

void Pool::wake_helpers() {
  if (sleeping_.load(std::memory_order_seq_cst) == 0) return;
  signal_.fetch_add(1, std::memory_order_seq_cst);
  signal_.notify_all();
}

void Pool::wait_for(ChunkQueue& queue, int64_t chunks) {
  for (int spins = 0; queue.done() < chunks; ++spins) {
    if (spins < kDriverSpins) {
      spin_pause();
      continue;
    }
    // A helper has lost its core in the middle of a chunk: give it ours.
    const uint32_t signal = signal_.load(std::memory_order_seq_cst);
    driver_sleeps_.store(true, std::memory_order_seq_cst);
    if (queue.done() < chunks) signal_.wait(signal, std::memory_order_seq_cst);
    driver_sleeps_.store(false, std::memory_order_seq_cst);
    spins = 0;
  }
}

void Pool::run(ChunkedWork work, int64_t chunks, bool worth_waking) {
  work_ = work;
  work_queue_.publish(chunks);
  if (worth_waking) wake_helpers();
  for (int64_t chunk; (chunk = work_queue_.claim(0)) >= 0; work_queue_.finish()) work.run(work.context, chunk, 0);
  wait_for(work_queue_, chunks);
}

void Pool::start_background(ChunkedWork work, int64_t chunks) {
  background_ = work;
  background_chunks_ = chunks;
  background_queue_.publish(chunks);
}

void Pool::finish_background() {
  for (int64_t chunk; (chunk = background_queue_.claim(0)) >= 0; background_queue_.finish())
    background_.run(background_.context, chunk, 0);
  wait_for(background_queue_, background_chunks_);
}

}  // namespace pynn
