// Random numbers from a counter (simd/philox.h).  The state is two words: a seed, and a step that grows by one for each
// run of a program; a random op's place in the program is its stream.
#include "kernels/kernel.h"
#include "simd/philox.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kChunk = 4096;  // numbers per task, a multiple of kPhiloxGroup
constexpr double kNanosecondsPerNumber = 8.0 / W;

PhiloxStream stream_of(const uint32_t* state, int64_t stream) {
  return {state[0], static_cast<uint32_t>(stream), state[1]};
}

void plan_numbers(int64_t n, KernelPlan& plan) {
  plan.tasks[0] = larger<int64_t>(ceil_div(n, kChunk), 1);
  plan.nanoseconds[0] = static_cast<double>(n) * kNanosecondsPerNumber;
}

}  // namespace

void dropout_plan(const KernelArgs& args, KernelPlan& plan) { plan_numbers(args.in[0].size, plan); }

void dropout(const KernelArgs& args) {
  const auto p = params_of<DropoutParams>(args);
  const float* x = args.input<float>(0);
  float* y = args.output<float>(0);
  const PhiloxStream s = stream_of(args.input<uint32_t>(1), p.stream);
  const int64_t n = args.in[0].size;
  if (p.threshold > 0xFFFFFFFF) {  // rate 1: no word is as large
    const int64_t begin = args.begin * kChunk;
    memset(y + begin, 0, static_cast<size_t>(smaller(n, args.end * kChunk) - begin) * sizeof(float));
    return;
  }
  const uint32_t threshold = static_cast<uint32_t>(p.threshold);
  const float scale = p.scale;
  for_each_random(s, args.begin * kChunk, smaller(n, args.end * kChunk),
                  [=](int64_t i, int64_t count, VecWord word) __attribute__((always_inline)) {
                    const Vec kept = load_first(x + i, count) * scale;
                    store_first(y + i, word < threshold ? Vec{} : kept, count);
                  });
}

void random_uniform_plan(const KernelArgs& args, KernelPlan& plan) { plan_numbers(args.out[0].size, plan); }

void random_uniform(const KernelArgs& args) {
  const auto p = params_of<RandomUniformParams>(args);
  float* y = args.output<float>(0);
  const PhiloxStream s = stream_of(args.input<uint32_t>(0), p.stream);
  // The product of two 24-bit numbers is exact in double, so fused and unfused sums, on all ISAs, are the same.
  const double low = p.low, step = static_cast<double>(p.span) * 0x1p-24;
  for_each_random(s, args.begin * kChunk, smaller(args.out[0].size, args.end * kChunk),
                  [=](int64_t i, int64_t count, VecWord word) {
                    for (int64_t l = 0; l < count; ++l)
                      y[i + l] = static_cast<float>(low + static_cast<double>(word[l] >> 8) * step);
                  });
}

void random_normal_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_numbers(args.out[0].size, plan);
  plan.nanoseconds[0] = 20.0 * static_cast<double>(args.out[0].size);
}

void random_normal(const KernelArgs& args) {
  const auto p = params_of<RandomNormalParams>(args);
  float* y = args.output<float>(0);
  const PhiloxStream s = stream_of(args.input<uint32_t>(0), p.stream);
  const double mean = p.mean, stddev = p.stddev;
  const int64_t end = smaller(args.out[0].size, args.end * kChunk);
  for (int64_t group = args.begin * kChunk; group < end; group += kPhiloxGroup)
    for (int64_t l = 0; l < 16; l += W) {
      VecWord words[4];
      philox_blocks(s, static_cast<uint64_t>(group / 4 + l), words);
      for (int j = 0; j < 4; j += 2)
        for (int k = 0; k < W; ++k) {
          const int64_t i = group + 16 * j + l + k;
          if (i >= end) break;
          // Box-Muller in double, from two words two numbers; + 0.5 keeps the logarithm finite.
          const double radius = stddev * sqrt(-2 * log((static_cast<double>(words[j][k]) + 0.5) * 0x1p-32));
          const double angle = static_cast<double>(words[j + 1][k]) * (6.283185307179586 * 0x1p-32);
          y[i] = static_cast<float>(mean + radius * cos(angle));
          if (i + 16 < end) y[i + 16] = static_cast<float>(mean + radius * sin(angle));
        }
    }
}

void next_seed_plan(const KernelArgs&, KernelPlan& plan) { plan.nanoseconds[0] = 1; }

void next_seed(const KernelArgs& args) {
  const auto p = params_of<NextSeedParams>(args);
  const uint32_t* state = args.input<uint32_t>(0);
  uint32_t* next = args.output<uint32_t>(0);
  next[0] = state[0];
  next[1] = state[1] + static_cast<uint32_t>(p.steps);
}

}  // namespace PYNN_ISA
}  // namespace pynn
