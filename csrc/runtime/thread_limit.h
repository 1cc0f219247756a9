#pragma once

namespace pynn {

/// `threads`, or fewer where this thread's number of OpenMP threads was lowered since the process began, as
/// threadpoolctl.threadpool_limits and omp_set_num_threads do.
int within_openmp_limit(int threads);

}  // namespace pynn
