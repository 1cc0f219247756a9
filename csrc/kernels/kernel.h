#pragma once
// Include only this from a kernel file.  Everything here lives in a namespace named after the ISA, so that no
// inline function of one ISA can be merged with another's at link time.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "pynn/kernel_table.h"
#include "pynn/params.h"

// Hidden declarations: a kernel that is listed but not defined then fails the link, not the import.
#pragma GCC visibility push(hidden)
namespace pynn {
namespace PYNN_ISA {
#define PYNN_KERNEL(name, Params)                             \
  void name##_plan(const KernelArgs& args, KernelPlan& plan); \
  void name(const KernelArgs& args);
#include "pynn/kernels.def"
#undef PYNN_KERNEL

/// The attributes, by value: a reference into `args` inside a loop keeps GCC from vectorising it.
template <class Params>
static inline Params params_of(const KernelArgs& args) {
  return *static_cast<const Params*>(args.params);
}

/// Start of part `i` when `n` things are divided into `parts` contiguous, nearly equal parts.
static inline int64_t part_start(int64_t n, int64_t parts, int64_t i) { return n * i / parts; }
static inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline int64_t round_up(int64_t a, int64_t b) { return ceil_div(a, b) * b; }
template <class T>
static inline T smaller(T a, T b) {
  return a < b ? a : b;
}
template <class T>
static inline T larger(T a, T b) {
  return a > b ? a : b;
}

// Machine constants of the cost model, for one thread: coarse on purpose, they only decide how many threads
// a phase is worth.
constexpr double kFlopsPerNanosecond = 64;
constexpr double kBytesPerNanosecond = 20;
}  // namespace PYNN_ISA
}  // namespace pynn
#pragma GCC visibility pop
