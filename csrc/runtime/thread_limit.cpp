#include "runtime/thread_limit.h"

#if defined(_OPENMP)
#include <omp.h>

#include <algorithm>
#include <system_error>
#include <thread>
#endif

namespace pynn {

#if defined(_OPENMP)

namespace {

/// What the process began with, from OMP_NUM_THREADS or its cores: a new thread still has it, this one may not.
int initial_threads() {
  int found = omp_get_max_threads();
  try {
    std::thread([&found] { found = omp_get_max_threads(); }).join();
  } catch (const std::system_error&) {  // no thread to be had: then limits are not noticed
  }
  return found;
}

}  // namespace

int within_openmp_limit(int threads) {
  static const int initially = initial_threads();
  const int now = omp_get_max_threads();
  return now < initially ? std::min(threads, now) : threads;
}

#else

int within_openmp_limit(int threads) { return threads; }

#endif

}  // namespace pynn
