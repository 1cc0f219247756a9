// Convolution of one-channel images with few filters, and the pooling of its result by windows of 2 x 2, in registers.
//
// A vector holds pixels, as in conv2d_narrow.cpp.  Two rows of results at a time are four vectors for each filter; the
// largest of every four numbers is all that is stored, and which of the four it was: the gradient needs nothing else.
#include "kernels/pooled_conv2d_narrow.h"

#include "kernels/activation.h"
#include "kernels/pool2d.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

#if defined(PYNN_ISA_LEVEL_avx512)
constexpr int kFilters = 6;  // 6 x 4 sums, 6 weights and a piece of the band in 32 registers
#else
constexpr int kFilters = 3;  // 3 x 4 + 3 + 1 of 16
#endif

/// Where a filter's pooled row and its winners begin.
struct PooledRow {
  float *largest, *winners;
};

/// F filters of two rows of results, pooled to one, `pixels` numbers long.  `band` is where the first row's windows
/// begin, `weights` where the first filter's do; rows of `to` are `stride` apart.
template <int F>
void pool_two_rows(const ConvShape& s, const float* band, const float* weights, const float* bias, float low,
                   int64_t pixels, int64_t stride, const PooledRow& to) {
  const int64_t row_floats = s.padded_w, filters = s.p.filters;
  for (int64_t x = 0; x < stride; x += W) {
    Vec sum[F][4];
#pragma GCC unroll 6
    for (int f = 0; f < F; ++f)
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) sum[f][v] = broadcast(bias ? bias[f] : 0.f);
    const float* w = weights;
    for (int64_t r = 0; r < s.p.kh; ++r)
      for (int64_t t = 0; t < s.p.kw; ++t, w += filters) {
        const float* from = band + r * row_floats + t + 2 * x;
        Vec weight[F];
#pragma GCC unroll 6
        for (int f = 0; f < F; ++f) weight[f] = broadcast(w[f]);
#pragma GCC unroll 4
        for (int v = 0; v < 4; ++v) {
          const Vec piece = load(from + v / 2 * row_floats + v % 2 * W);
#pragma GCC unroll 6
          for (int f = 0; f < F; ++f) sum[f][v] += piece * weight[f];
        }
      }
#pragma GCC unroll 6
    for (int f = 0; f < F; ++f) {
#pragma GCC unroll 4
      for (int v = 0; v < 4; ++v) sum[f][v] = vmax(broadcast(low), sum[f][v]);
      const Vec result[4] = {even_lanes(sum[f][0], sum[f][1]), odd_lanes(sum[f][0], sum[f][1]),
                             even_lanes(sum[f][2], sum[f][3]), odd_lanes(sum[f][2], sum[f][3])};
      const Vec largest = Largest::join(Largest::join(result[0], result[1]), Largest::join(result[2], result[3]));
      Vec winner = broadcast(kNoWinner);
      // Backwards, so that the first of equal ones stays.
#pragma GCC unroll 4
      for (int i = 3; i >= 0; --i) winner = result[i] == largest ? broadcast(static_cast<float>(i)) : winner;
      const int64_t lanes = larger<int64_t>(0, smaller<int64_t>(W, pixels - x));
      store(to.largest + f * stride + x, largest);
      store(to.winners + f * stride + x, first_lanes(winner, lanes, broadcast(kNoWinner)));
    }
  }
}

using PoolTwoRows = void (*)(const ConvShape&, const float*, const float*, const float*, float, int64_t, int64_t,
                             const PooledRow&);

PoolTwoRows pick(int64_t filters) {
#if defined(PYNN_ISA_LEVEL_avx512)
  static const PoolTwoRows table[kFilters] = {&pool_two_rows<1>, &pool_two_rows<2>, &pool_two_rows<3>,
                                              &pool_two_rows<4>, &pool_two_rows<5>, &pool_two_rows<6>};
#else
  static const PoolTwoRows table[kFilters] = {&pool_two_rows<1>, &pool_two_rows<2>, &pool_two_rows<3>};
#endif
  return table[filters - 1];
}

}  // namespace

void pooled_conv2d_narrow_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<PooledConv2dParams>(args);
  const ConvShape s = shape_under_pooling(p);
  plan.tasks[0] = p.n * tasks_per_image(s, 2);
  plan.nanoseconds[0] = static_cast<double>(p.n * p.poh * winners_stride(p)) * 4 * p.filters *
                        (2.0 * s.k / kFlopsPerNanosecond / 2 + 0.1);
  plan.thread_bytes = (narrow_band_floats(s, 2) + p.filters * winners_stride(p)) * sizeof(float);
}

void pooled_conv2d_narrow(const KernelArgs& args) {
  const auto p = params_of<PooledConv2dParams>(args);
  const ConvShape s = shape_under_pooling(p);
  const float* x = args.input<float>(0);
  const float* w = args.input<float>(1);  // [kh * kw][filters]
  const float* bias = p.bias ? args.input<float>(2) : nullptr;
  const float low = register_activation(p.activation) ? 0 : -INFINITY;
  const int64_t per_image = tasks_per_image(s, 2), stride = winners_stride(p);
  float* band = reinterpret_cast<float*>(args.scratch);
  float* largest = band + narrow_band_floats(s, 2);
  memset(band, 0, narrow_band_floats(s, 2) * sizeof(float));
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t n = task / per_image, part = task % per_image;
    const int64_t oy0 = task_start(s, part, 2), oy1 = task_start(s, part + 1, 2);
    copy_band(s, x + n * p.h * p.w, oy0 - p.top, band_rows(s.p, oy1 - oy0, p.kh), band);
    for (int64_t oy = oy0; oy < oy1; oy += 2) {
      const int64_t row = n * p.poh + oy / 2;
      float* winners = args.output<float>(1) + row * p.filters * stride;
      for (int64_t f = 0; f < p.filters; f += kFilters)
        pick(smaller<int64_t>(kFilters, p.filters - f))(s, band + (oy - oy0) * s.padded_w, w + f,
                                                        bias ? bias + f : nullptr, low, p.pow, stride,
                                                        {largest + f * stride, winners + f * stride});
      float* y = args.output<float>(0) + row * p.pow * p.filters;
      for (int64_t f = 0; f < p.filters; f += W) {
        const int64_t lanes = smaller<int64_t>(W, p.filters - f);
        for_each_pixel(largest + f * stride, stride, lanes, p.pow,
                       [&](int64_t px, Vec v) { store_first(y + px * p.filters + f, v, lanes); });
      }
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
