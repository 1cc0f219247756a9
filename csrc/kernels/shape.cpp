// Moving numbers without computing: transposes and broadcasts (one strided copy), dtype changes, one-hot rows.
#include "kernels/kernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kChunk = 4096;  // elements of a row per task

int64_t rows_of(const StridedCopyParams& p) {
  int64_t rows = 1;
  for (int axis = 0; axis < p.rank - 1; ++axis) rows *= p.sizes[axis];
  return rows;
}

constexpr int64_t kCastChunk = 16384;
const int kItemSize[] = {4, 4, 8, 1, 4};

template <class From, class To>
void convert(const void* source, void* target, int64_t first, int64_t last) {
  const From* x = static_cast<const From*>(source);
  To* y = static_cast<To*>(target);
  for (int64_t i = first; i < last; ++i) y[i] = static_cast<To>(x[i]);
}

template <class From>
void convert_from(int32_t target_type, const void* source, void* target, int64_t first, int64_t last) {
  if (target_type == 0) convert<From, float>(source, target, first, last);
  if (target_type == 1) convert<From, int32_t>(source, target, first, last);
  if (target_type == 2) convert<From, int64_t>(source, target, first, last);
  if (target_type == 3) convert<From, uint8_t>(source, target, first, last);
  if (target_type == 4) convert<From, uint32_t>(source, target, first, last);
}

}  // namespace

void strided_copy_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<StridedCopyParams>(args);
  const int64_t inner = p.sizes[p.rank - 1];
  plan.tasks[0] = rows_of(p) * ceil_div(inner, kChunk);
  plan.nanoseconds[0] = 1.0 * rows_of(p) * inner * (p.strides[p.rank - 1] <= 1 ? 0.3 : 1.5);
}

void strided_copy(const KernelArgs& args) {
  const auto p = params_of<StridedCopyParams>(args);
  const uint32_t* x = args.input<uint32_t>(0);
  uint32_t* y = args.output<uint32_t>(0);
  const int64_t inner = p.sizes[p.rank - 1], step = p.strides[p.rank - 1], chunks = ceil_div(inner, kChunk);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t row = task / chunks, first = task % chunks * kChunk, n = smaller(kChunk, inner - first);
    int64_t rest = row, offset = first * step;
    for (int axis = p.rank - 2; axis >= 0; --axis) {
      offset += rest % p.sizes[axis] * p.strides[axis];
      rest /= p.sizes[axis];
    }
    const uint32_t* from = x + offset;
    uint32_t* to = y + row * inner + first;
    if (step == 1)
      memcpy(to, from, n * sizeof(uint32_t));
    else if (step == 0)
      for (int64_t i = 0; i < n; ++i) to[i] = from[0];
    else
      for (int64_t i = 0; i < n; ++i) to[i] = from[i * step];
  }
}

void cast_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<CastParams>(args);
  const int64_t n = args.out[0].size;
  plan.tasks[0] = ceil_div(n, kCastChunk);
  plan.nanoseconds[0] = 1.0 * n * (kItemSize[p.source] + kItemSize[p.target]) / kBytesPerNanosecond;
}

void cast(const KernelArgs& args) {
  const auto p = params_of<CastParams>(args);
  const int64_t first = args.begin * kCastChunk, last = smaller(args.out[0].size, args.end * kCastChunk);
  const void* x = args.in[0].data;
  void* y = args.out[0].data;
  if (p.source == 0) convert_from<float>(p.target, x, y, first, last);
  if (p.source == 1) convert_from<int32_t>(p.target, x, y, first, last);
  if (p.source == 2) convert_from<int64_t>(p.target, x, y, first, last);
  if (p.source == 3) convert_from<uint8_t>(p.target, x, y, first, last);
  if (p.source == 4) convert_from<uint32_t>(p.target, x, y, first, last);
}

void one_hot_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<OneHotParams>(args);
  plan.tasks[0] = args.in[0].size;
  plan.nanoseconds[0] = args.in[0].size * (3.0 + 4.0 * p.depth / kBytesPerNanosecond);
}

void one_hot(const KernelArgs& args) {
  const auto p = params_of<OneHotParams>(args);
  const int32_t* index = args.input<int32_t>(0);
  float* y = args.output<float>(0);
  memset(y + args.begin * p.depth, 0, (args.end - args.begin) * p.depth * sizeof(float));
  for (int64_t row = args.begin; row < args.end; ++row)
    if (index[row] >= 0 && index[row] < p.depth) y[row * p.depth + index[row]] = 1.f;
}

}  // namespace PYNN_ISA
}  // namespace pynn
