// Putting zeros around arrays, cutting their ends off, and joining them: whole rows are moved, never single elements.
#include "kernels/kernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kChunk = 4096;  // elements of a row per task

int64_t rows_of(const PadParams& p) {
  int64_t rows = 1;
  for (int axis = 0; axis < p.rank - 1; ++axis) rows *= p.padded[axis];
  return rows;
}

/// Where row `row` of the result begins in x, or -1 if it lies in the padding.
int64_t source_of(const PadParams& p, int64_t row) {
  int64_t offset = 0, step = p.sizes[p.rank - 1];
  for (int axis = p.rank - 2; axis >= 0; --axis) {
    const int64_t i = row % p.padded[axis] - p.before[axis];
    if (i < 0 || i >= p.sizes[axis]) return -1;
    offset += i * step;
    step *= p.sizes[axis];
    row /= p.padded[axis];
  }
  return offset;
}

}  // namespace

void pad_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<PadParams>(args);
  plan.tasks[0] = rows_of(p) * ceil_div(p.padded[p.rank - 1], kChunk);
  plan.nanoseconds[0] = 5.0 * plan.tasks[0] + 8.0 * args.out[0].size / kBytesPerNanosecond;
}

void pad(const KernelArgs& args) {
  const auto p = params_of<PadParams>(args);
  const uint32_t* x = args.input<uint32_t>(0);
  uint32_t* y = args.output<uint32_t>(0);
  const int64_t inner = p.padded[p.rank - 1], before = p.before[p.rank - 1], chunks = ceil_div(inner, kChunk);
  const int64_t end_of_x = larger<int64_t>(before + p.sizes[p.rank - 1], 0);  // position in a row of the result
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t row = task / chunks, begin = task % chunks * kChunk, end = smaller(begin + kChunk, inner);
    const int64_t source = source_of(p, row);
    uint32_t* to = y + row * inner;
    // Of [begin, end) the part [first, last) comes from x.
    int64_t first = larger(begin, before), last = smaller(end, end_of_x);
    if (source < 0 || first >= last) first = last = end;
    memset(to + begin, 0, (first - begin) * sizeof(uint32_t));
    if (first < last) memcpy(to + first, x + source + first - before, (last - first) * sizeof(uint32_t));
    memset(to + last, 0, (end - last) * sizeof(uint32_t));
  }
}

void concatenate_plan(const KernelArgs& args, KernelPlan& plan) {
  plan.tasks[0] = params_of<ConcatenateParams>(args).outer;
  plan.nanoseconds[0] = 5.0 * plan.tasks[0] * args.n_in + 8.0 * args.out[0].size / kBytesPerNanosecond;
}

void concatenate(const KernelArgs& args) {
  const int64_t outer = params_of<ConcatenateParams>(args).outer, row = args.out[0].size / outer;
  uint32_t* y = args.output<uint32_t>(0);
  for (int64_t i = args.begin; i < args.end; ++i) {
    uint32_t* to = y + i * row;
    for (int k = 0; k < args.n_in; ++k) {
      const int64_t n = args.in[k].size / outer;
      memcpy(to, args.input<uint32_t>(k) + i * n, n * sizeof(uint32_t));
      to += n;
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
