// Depthwise convolution (as many groups and filters as channels) and the gradient of its input.
//
// The gradient of the input is a depthwise correlation of g with the mirrored kernel.  With strides each position of
// the image meets only every stride-th tap; the positions fall into stride_h * stride_w planes, (0, 0), (0, 1), ...,
// and each is such a correlation with its part of the taps.
#include "kernels/conv2d_depthwise.h"

#include "kernels/activation.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kTaskRows = 2;

double nanoseconds_of(const Conv2dParams& p) {
  const double vectors = static_cast<double>(p.n * p.oh * p.ow) * ceil_div(p.c, W);
  const double bytes = 4.0 * p.n * p.c * (p.h * p.w + p.oh * p.ow);
  return vectors * p.kh * p.kw * 2 * W / kFlopsPerNanosecond + bytes / kBytesPerNanosecond;
}

/// The taps that positions py, py + stride, ... of the image meet along one dimension.
struct PlaneTaps {
  int64_t taps, first, before;  // how many; the last of them in the kernel; the correlation's padding

  PlaneTaps(int64_t position, int64_t pad, int64_t window, int64_t stride, int64_t dilation) {
    const int64_t rest = (position + pad) % stride;
    taps = rest < window ? ceil_div(window - rest, stride) : 0;
    first = rest + stride * (taps - 1);
    before = (taps - 1) * dilation - (position + pad - rest) / stride;
  }
};

/// Plane (py, px) of the input's gradient.
DepthwisePlane gradient_plane(const Conv2dParams& p, const float* w, int64_t py, int64_t px) {
  const PlaneTaps rows(py, p.top, p.kh, p.stride_h, p.dilation_h);
  const PlaneTaps columns(px, p.left, p.kw, p.stride_w, p.dilation_w);
  DepthwisePlane q{};
  q.h = p.oh, q.w = p.ow, q.c = p.c;
  q.kh = rows.taps, q.kw = columns.taps;
  q.stride_h = q.stride_w = 1;
  q.dilation_h = p.dilation_h, q.dilation_w = p.dilation_w;
  q.top = rows.before, q.left = columns.before;
  q.weights = w + (rows.first * p.kw + columns.first) * p.c;
  q.weight_row = -p.stride_h * p.kw * p.c;
  q.weight_column = -p.stride_w * p.c;
  q.low = -INFINITY, q.high = INFINITY;
  q.columns = ceil_div(p.w - px, p.stride_w);
  q.y_row = p.stride_h * p.w * p.c;
  q.y_column = p.stride_w * p.c;
  return q;
}

}  // namespace

void conv2d_depthwise_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Conv2dParams>(args);
  plan.tasks[0] = p.n * ceil_div(p.oh, kTaskRows);
  plan.nanoseconds[0] = nanoseconds_of(p);
}

void conv2d_depthwise(const KernelArgs& args) {
  const auto p = params_of<Conv2dParams>(args);
  float* y = args.output<float>(0);
  DepthwisePlane q{};
  q.h = p.h, q.w = p.w, q.c = p.c;
  q.kh = p.kh, q.kw = p.kw;
  q.stride_h = p.stride_h, q.stride_w = p.stride_w;
  q.dilation_h = p.dilation_h, q.dilation_w = p.dilation_w;
  q.top = p.top, q.left = p.left;
  q.weights = args.input<float>(1);
  q.weight_row = p.kw * p.c, q.weight_column = p.c;
  q.bias = p.bias ? args.input<float>(2) : nullptr;
  q.residual = p.residual ? args.input<float>(2 + p.bias) : nullptr;
  q.y = y;
  q.low = p.activation == kRelu || p.activation == kRelu6 ? 0.f : -INFINITY;
  q.high = p.activation == kRelu6 ? 6.f : INFINITY;
  q.columns = p.ow;
  q.y_row = p.ow * p.c, q.y_column = p.c;
  const bool more = p.activation == kSigmoid || p.activation == kTanh;  // reads the results once more
  q.streamed = args.out[0].size * 4 >= kStreamBytes && can_stream(y, p.c) && !more && pick_strips(q).pixels;
  q.fetched = args.in[0].size * 4 > kFetchBytes;
  const int64_t per_image = ceil_div(p.oh, kTaskRows);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t n = task / per_image, oy = task % per_image * kTaskRows, rows = smaller(kTaskRows, p.oh - oy);
    float* to = y + (n * p.oh + oy) * q.y_row;
    depthwise_rows(q, args.input<float>(0) + n * p.h * p.w * p.c, oy, rows, to);
    if (more) activate_tile(p.activation, to, q.y_row, rows, q.y_row);
  }
  if (q.streamed) finish_streaming();
}

void conv2d_depthwise_grad_input_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Conv2dParams>(args);
  plan.tasks[0] = p.n * ceil_div(p.h, kTaskRows * p.stride_h);
  plan.nanoseconds[0] = nanoseconds_of(p);
}

void conv2d_depthwise_grad_input(const KernelArgs& args) {
  const auto p = params_of<Conv2dParams>(args);
  const float* w = args.input<float>(1);
  float* dx = args.output<float>(0);
  const int64_t task_rows = kTaskRows * p.stride_h, per_image = ceil_div(p.h, task_rows);
  const bool large = args.out[0].size * 4 >= kStreamBytes && can_stream(dx, p.c);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t n = task / per_image, first = task % per_image * kTaskRows;
    const float* g = args.input<float>(0) + n * p.oh * p.ow * p.c;
    for (int64_t py = 0; py < p.stride_h; ++py) {
      const int64_t y = first * p.stride_h + py;
      const int64_t rows = smaller(kTaskRows, ceil_div(larger<int64_t>(0, p.h - y), p.stride_h));
      for (int64_t px = 0; px < p.stride_w; ++px) {
        DepthwisePlane q = gradient_plane(p, w, py, px);
        q.streamed = large && pick_strips(q).pixels;
        q.fetched = px == 0 && args.in[0].size * 4 > kFetchBytes;
        depthwise_rows(q, g, first, rows, dx + ((n * p.h + y) * p.w + px) * p.c);
      }
    }
  }
  if (large) finish_streaming();
}

}  // namespace PYNN_ISA
}  // namespace pynn
