// Convolution of one-channel images with few filters: a vector holds pixels, not filters.
//
// With 6 filters a vector of filters is mostly empty; here the result is computed transposed, [filters][pixels], from
// the transposed kernel, which the micro-kernel reads K-major where it lies.  Measured for LeNet's first layer at batch
// 128: 0.37 ms on one thread, against 1.0 ms.
#include "kernels/conv2d_narrow.h"

#include "kernels/activation.h"
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// taps[kh * kw][windows]: for each tap the piece of the band that it meets.
void gather_taps(const ConvShape& s, const float* band, int64_t windows, float* taps) {
  const auto& p = s.p;
  for (int64_t r = 0; r < p.kh; ++r)
    for (int64_t t = 0; t < p.kw; ++t, taps += windows) {
      const float* piece = band + r * p.dilation_h * s.padded_w + t * p.dilation_w;
      for (int64_t v = 0; v < windows; v += W) store(taps + v, load(piece + v));
    }
}

/// One row of results, bias, residual and a ReLU from [filters][windows] to [pixels][filters]; `room` floats may be
/// written.
void transpose_row(const ConvShape& s, const float* results, int64_t windows, const float* bias, const float* residual,
                   float* y, int64_t room) {
  const int64_t filters = s.p.filters, ow = s.p.ow;
  const float low = register_activation(s.p.activation) ? 0 : -INFINITY;
  const float high = s.p.activation == kRelu6 ? 6 : INFINITY;
  for (int64_t f = 0; f < filters; f += W) {
    const int64_t lanes = smaller<int64_t>(W, filters - f);
    const Vec b = bias ? load_first(bias + f, lanes) : Vec{};
    for_each_pixel(results + f * windows, windows, lanes, ow, [&](int64_t ox, Vec v) {
      const int64_t at = ox * filters + f;
      v += b;
      if (residual) v += load_first(residual + at, lanes);
      v = vclamp(v, low, high);
      // What spills into the next pixel is overwritten by it; with several vectors per pixel nothing may spill.
      if (filters <= W && at + W <= room)
        store(y + at, v);
      else
        store_first(y + at, v, lanes);
    });
  }
}

}  // namespace

void conv2d_narrow_plan(const KernelArgs& args, KernelPlan& plan) {
  const ConvShape s = conv_shape(params_of<Conv2dParams>(args));
  plan.tasks[0] = s.p.n * tasks_per_image(s);
  plan.nanoseconds[0] = static_cast<double>(plan.tasks[0] * task_windows(s)) *
                        (2.0 * s.k * s.p.filters / kFlopsPerNanosecond / 2 + 0.5 * s.k / kBytesPerNanosecond);
  plan.thread_bytes = (narrow_band_floats(s) + (s.k + s.p.filters) * task_windows(s) + W) * sizeof(float);
}

void conv2d_narrow(const KernelArgs& args) {
  const ConvShape s = conv_shape(params_of<Conv2dParams>(args));
  const auto& p = s.p;
  const float* x = args.input<float>(0);
  const float* w = args.input<float>(1);  // [kh * kw][filters]
  const float* bias = p.bias ? args.input<float>(2) : nullptr;
  const float* residual = p.residual ? args.input<float>(2 + p.bias) : nullptr;
  const int64_t windows = task_windows(s), per_image = tasks_per_image(s), tiles = ceil_div(p.filters, kTileRows);
  float* band = reinterpret_cast<float*>(args.scratch);
  float* taps = band + narrow_band_floats(s);
  float* results = taps + s.k * windows;
  memset(band, 0, narrow_band_floats(s) * sizeof(float));
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t n = task / per_image, part = task % per_image;
    const int64_t oy0 = task_start(s, part), oy1 = task_start(s, part + 1);
    copy_band(s, x + n * p.h * p.w, oy0 - p.top, band_rows(p, oy1 - oy0, p.kh), band);
    gather_taps(s, band, windows, taps);
    for (int64_t j = 0; j < (oy1 - oy0) * s.padded_w; j += kTileCols)
      for (int64_t t = 0; t < tiles; ++t) {
        const int64_t i0 = part_start(p.filters, tiles, t), i1 = part_start(p.filters, tiles, t + 1);
        pick_micro_kernel<kCols>(i1 - i0, kTileVectors)(s.k, w + i0, p.filters, taps + j, windows,
                                                        results + i0 * windows + j, windows, 0, nullptr, kTileCols);
      }
    const int64_t row = p.ow * p.filters, size = (oy1 - oy0) * row;
    const int64_t start = (n * p.oh + oy0) * row;
    float* y = args.output<float>(0) + start;
    for (int64_t oy = 0; oy < oy1 - oy0; ++oy)
      transpose_row(s, results + oy * s.padded_w, windows, bias, residual ? residual + start + oy * row : nullptr,
                    y + oy * row, size - oy * row);
    activate_tile(p.activation, y, size, 1, size);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
