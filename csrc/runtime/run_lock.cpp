#include "runtime/run_lock.h"

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace pynn {

namespace {
// Never destroyed: a thread may still run a program while the process ends.
std::mutex& g_mutex = *new std::mutex;
std::atomic<std::thread::id> g_owner{};
}  // namespace

void RunLock::acquire() {
  if (held_here())
    throw std::logic_error(
        "a program was run inside another one: the NumPy function of an op must not call layers, models or pynn.ops on "
        "arrays; write it with NumPy");
  g_mutex.lock();
  g_owner.store(std::this_thread::get_id());
}

void RunLock::release() {
  g_owner.store(std::thread::id());
  g_mutex.unlock();
}

bool RunLock::held_here() { return g_owner.load() == std::this_thread::get_id(); }

}  // namespace pynn
