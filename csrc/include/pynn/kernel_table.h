#pragma once
// The contract between the runtime (which owns memory and threads) and the kernels (which own the arithmetic).
//
// A kernel is two functions.  `name_plan` looks at sizes and attributes and says into how many independent
// tasks the work falls, how much scratch it wants, and roughly how long it takes.  `name` then does tasks
// [begin, end) of one phase.  The runtime decides which thread does which tasks and puts a barrier between
// phases.  A kernel never learns how many threads there are, so no result can depend on that number: it is
// enough that one task's result does not depend on which tasks came in the same call.
#include <stdint.h>

namespace pynn {

/// One dense operand; `size` counts elements of its dtype.  `data` is null while planning.
struct Operand {
  void* data;
  int64_t size;
};

constexpr int kMaxPhases = 4;

struct KernelPlan {
  int phases = 1;
  int64_t tasks[kMaxPhases] = {1, 1, 1, 1};
  int64_t shared_bytes = 0;  ///< one block for all threads, kept between the phases of one call
  int64_t thread_bytes = 0;  ///< a private block for each thread; not kept between phases
  /// Estimated single-thread nanoseconds of each phase: phases too short to share stay on one thread.
  double nanoseconds[kMaxPhases] = {0, 0, 0, 0};
  bool coarse = false;  ///< each call has a cost of its own (packing): as few calls as there are threads
};

struct KernelArgs {
  const Operand* in;
  const Operand* out;
  int n_in;
  int n_out;
  const void* params;  ///< the kernel's struct of params.h
  int phase;
  int64_t begin, end;  ///< do these tasks of this phase
  char* shared;        ///< KernelPlan::shared_bytes, 64-byte aligned
  char* scratch;       ///< KernelPlan::thread_bytes, 64-byte aligned

  template <class T>
  const T* input(int i) const {
    return static_cast<const T*>(in[i].data);
  }
  template <class T>
  T* output(int i) const {
    return static_cast<T*>(out[i].data);
  }
};

using PlanFn = void (*)(const KernelArgs&, KernelPlan&);
using KernelFn = void (*)(const KernelArgs&);

struct Kernel {
  PlanFn plan;
  KernelFn run;
};

struct KernelTable {
  const char* isa;
#define PYNN_KERNEL(name, Params) Kernel name;
#include "pynn/kernels.def"
#undef PYNN_KERNEL
};

}  // namespace pynn
