// What the machine can do at most: products and sums that never leave the registers, and plain traffic to memory.
// No op uses these kernels; `pynn.utils.machine_peak` runs them to say how far the others are from the limit.
#include "kernels/kernel.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// Independent sums: enough to hide the latency of a fused multiply-add (4 cycles, 2 a cycle) and of the separate
/// multiplication and addition of the generic level, few enough for 16 registers.
constexpr int kSums = 12;

/// Hides from the compiler what a register holds.  Without it equal sums are computed once, and the "peak" is too high.
PYNN_INLINE void opaque(Vec& v) {
#if defined(PYNN_ISA_LEVEL_avx512)
  asm volatile("" : "+v"(v));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(v));
#else
  asm volatile("" : "+x"(v));
#endif
}

/// One result of all sums, so that none of them can be left out.
float multiply_add(int64_t rounds) {
  Vec sums[kSums];
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) sums[i] = broadcast(static_cast<float>(i));
  Vec factor = broadcast(0.5f), term = broadcast(1.f);
  opaque(factor);
  opaque(term);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) {
      sums[i] = sums[i] * factor + term;
      opaque(sums[i]);
    }
  }
  Vec total{};
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) total += sums[i];
  return lane_sum(total);
}

/// y = x, or y = x + 3 z if there are two terms; elements [begin, end), both multiples of W.
template <bool NonTemporal>
void move(const float* x, const float* z, float* y, bool two, int64_t begin, int64_t end) {
  const auto put = [](float* p, Vec v) {
    if constexpr (NonTemporal)
      store_streaming(p, v);
    else
      store(p, v);
  };
  if (two) {
    const Vec factor = broadcast(3.f);
    for (int64_t i = begin; i < end; i += W) put(y + i, load(x + i) + factor * load(z + i));
  } else {
    for (int64_t i = begin; i < end; i += W) put(y + i, load(x + i));
  }
}

/// The sum of elements [begin, end), a multiple of 4 W of them.
float read(const float* x, int64_t begin, int64_t end) {
  Vec sums[4] = {};
  for (int64_t i = begin; i < end; i += 4 * W) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sums[j] += load(x + i + j * W);
  }
  return lane_sum(sums[0] + sums[1] + sums[2] + sums[3]);
}

}  // namespace

void peak_fma_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<PeakFmaParams>(args);
  plan.tasks[0] = p.tasks;
  plan.nanoseconds[0] = static_cast<double>(p.tasks) * static_cast<double>(p.rounds) * kSums * 0.12;
}

/// Each task does `rounds` times 12 vector products and sums; 2 * 12 * W * rounds operations.
void peak_fma(const KernelArgs& args) {
  const auto p = params_of<PeakFmaParams>(args);
  float* y = args.output<float>(0);
  for (int64_t task = args.begin; task < args.end; ++task) y[task] = multiply_add(p.rounds);
}

void peak_memory_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<PeakMemoryParams>(args);
  plan.tasks[0] = p.tasks;
  plan.nanoseconds[0] = static_cast<double>(args.in[0].size) * 4 * static_cast<double>(p.repeats) / kBytesPerNanosecond;
  plan.coarse = true;
}

void peak_memory(const KernelArgs& args) {
  const auto p = params_of<PeakMemoryParams>(args);
  const float* x = args.input<float>(0);
  const float* z = args.input<float>(1);
  float* y = args.output<float>(0);
  // Each task has a part of its own, which it goes over again and again: a short one stays in its core's caches.
  const int64_t part = args.in[0].size / p.tasks / (4 * W) * (4 * W);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t begin = task * part, end = begin + part;
    for (int64_t repeat = 0; repeat < p.repeats; ++repeat) {
      if (p.kind == kPeakRead)
        y[begin] = read(x, begin, end);
      else if (p.nontemporal)
        move<true>(x, z, y, p.kind == kPeakTriad, begin, end);
      else
        move<false>(x, z, y, p.kind == kPeakTriad, begin, end);
      asm volatile("" ::: "memory");  // each repetition counts
    }
  }
  if (p.nontemporal) finish_streaming();
}

}  // namespace PYNN_ISA
}  // namespace pynn
