// Rows of a table by their numbers, and the gradient: rows added up where they came from.
//
// The table is x[rows][inner].  A number below zero counts from the end; the row of a number that is outside the table
// is NaN, and its gradient goes nowhere: nothing outside the table is touched whatever the numbers are.
#include <math.h>

#include "kernels/kernel.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kRowsPerTask = 64;  // of the table, when adding up
constexpr int64_t kAhead = 4;         // rows of a large table come from memory: ask for them early

/// The row that number `i` means, or -1 if it is outside the table.
PYNN_INLINE int64_t row_of(int32_t i, int64_t rows) {
  const int64_t row = i < 0 ? i + rows : i;
  return row < rows ? (row < 0 ? -1 : row) : -1;
}

void fill_nan(float* to, int64_t n) {
  for (int64_t j = 0; j < n; ++j) to[j] = NAN;
}

void add_to(float* to, const float* from, int64_t n) {
  int64_t j = 0;
  for (; j + W <= n; j += W) store(to + j, load(to + j) + load(from + j));
  if (j < n) store_first(to + j, load_first(to + j, n - j) + load_first(from + j, n - j), n - j);
}

}  // namespace

void take_rows_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<TakeRowsParams>(args);
  plan.tasks[0] = args.in[1].size;
  plan.nanoseconds[0] = args.in[1].size * (3 + 8.0 * p.inner / kBytesPerNanosecond);
}

void take_rows(const KernelArgs& args) {
  const auto p = params_of<TakeRowsParams>(args);
  const float* x = args.input<float>(0);
  const int32_t* numbers = args.input<int32_t>(1);
  float* y = args.output<float>(0);
  for (int64_t i = args.begin; i < args.end; ++i) {
    if (i + kAhead < args.end) {
      const int64_t next = row_of(numbers[i + kAhead], p.rows);
      if (next >= 0)
        for (int64_t j = 0; j < smaller<int64_t>(p.inner, 256); j += 16) __builtin_prefetch(x + next * p.inner + j);
    }
    const int64_t row = row_of(numbers[i], p.rows);
    if (row < 0)
      fill_nan(y + i * p.inner, p.inner);
    else
      memcpy(y + i * p.inner, x + row * p.inner, p.inner * sizeof(float));
  }
}

// A task is a range of the table's rows: it looks through all numbers, in their order, for its own.  Looking is cheap
// beside writing the table, and no two tasks write to one row.
void add_rows_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<TakeRowsParams>(args);
  plan.tasks[0] = ceil_div(p.rows, kRowsPerTask);
  plan.nanoseconds[0] = (4.0 * p.rows + 12.0 * args.in[1].size) * p.inner / kBytesPerNanosecond + args.in[1].size;
}

void add_rows(const KernelArgs& args) {
  const auto p = params_of<TakeRowsParams>(args);
  const float* g = args.input<float>(0);
  const int32_t* numbers = args.input<int32_t>(1);
  const int64_t count = args.in[1].size;
  float* table = args.output<float>(0);
  const int64_t first = args.begin * kRowsPerTask, last = smaller(p.rows, args.end * kRowsPerTask);
  memset(table + first * p.inner, 0, (last - first) * p.inner * sizeof(float));
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = row_of(numbers[i], p.rows);
    if (row >= first && row < last) add_to(table + row * p.inner, g + i * p.inner, p.inner);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
