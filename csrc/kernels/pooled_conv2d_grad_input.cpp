// Input gradient of a convolution under a max-pooling: each winner adds its number times its filter's kernel, which
// stays in registers, to the piece of the image that its window covers.
#include "kernels/pooled_conv2d.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

/// dx[start + r * padded_row + v * W] += number * w[r][v] over a list, for R rows of V vectors.  Of the last vector
/// only `lanes` belong to the window.
template <int R, int V>
void spread_winners(const float* w, int64_t padded_row, const int32_t* start, const float* number, int64_t count,
                    int64_t lanes, float* dx) {
  Vec row[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) row[r][v] = load(w + (r * V + v) * W);
  for (int64_t i = 0; i < count; ++i) {
    float* to = dx + start[i];
    const float s = number[i];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      float* at = to + r * padded_row;
#pragma GCC unroll 8
      for (int v = 0; v < V - 1; ++v) store(at + v * W, load(at + v * W) + row[r][v] * s);
      float* last = at + (V - 1) * W;
      store_first(last, load_first(last, lanes) + row[r][V - 1] * s, lanes);
    }
  }
}

/// All rows of the kernel, some at a time.
template <int V>
void spread_list(const PooledConvShape& s, const float* w, const int32_t* start, const float* number, int64_t count,
                 float* dx) {
  constexpr int kMost = rows_at_once<V>();
  const int64_t lanes = s.row - (V - 1) * W;
  for (int64_t r = 0; r < s.p.kh; r += kMost) {
    const float* from = w + r * V * W;
    float* to = dx + r * s.padded_row;
    const int64_t rows = smaller<int64_t>(kMost, s.p.kh - r);
    if (rows == kMost) {
      spread_winners<kMost, V>(from, s.padded_row, start, number, count, lanes, to);
    } else {
      for (int64_t i = 0; i < rows; ++i)
        spread_winners<1, V>(from + i * V * W, s.padded_row, start, number, count, lanes, to + i * s.padded_row);
    }
  }
}

using SpreadList = void (*)(const PooledConvShape&, const float*, const int32_t*, const float*, int64_t, float*);

SpreadList pick(int64_t vectors) {
#if defined(PYNN_ISA_LEVEL_avx512)
  static const SpreadList table[kRowVectors] = {&spread_list<1>, &spread_list<2>};
#elif defined(PYNN_ISA_LEVEL_avx2)
  static const SpreadList table[kRowVectors] = {&spread_list<1>, &spread_list<2>, &spread_list<3>, &spread_list<4>};
#else
  static const SpreadList table[kRowVectors] = {&spread_list<1>, &spread_list<2>, &spread_list<3>, &spread_list<4>,
                                                &spread_list<5>, &spread_list<6>, &spread_list<7>, &spread_list<8>};
#endif
  return table[vectors - 1];
}

int64_t kernel_floats(const PooledConvShape& s) { return s.p.filters * s.p.kh * s.vectors * W; }

/// The kernel [rows][filters] to [filters][rows, whole vectors].
void turn_kernel(const PooledConvShape& s, const float* w, float* turned) {
  memset(turned, 0, kernel_floats(s) * sizeof(float));
  for (int64_t r = 0; r < s.p.kh; ++r)
    for (int64_t q = 0; q < s.row; ++q)
      for (int64_t f = 0; f < s.p.filters; ++f)
        turned[(f * s.p.kh + r) * s.vectors * W + q] = w[(r * s.row + q) * s.p.filters + f];
}

/// Cuts the images out of the padded ones; what no window reaches gets zero.
void cut_images(const PooledConvShape& s, const float* padded, int64_t images, float* dx) {
  const auto& p = s.p;
  const int64_t reach_h = p.oh + p.kh - 1, reach_w = p.ow + p.kw - 1;
  const int64_t columns = larger<int64_t>(0, smaller(p.w, reach_w - p.left));
  for (int64_t image = 0; image < images; ++image)
    for (int64_t v = 0; v < p.h; ++v) {
      float* to = dx + (image * p.h + v) * p.w * p.c;
      const int64_t copied = v + p.top < reach_h ? columns * p.c : 0;
      memcpy(to, padded + image * s.image_floats + (v + p.top) * s.padded_row + p.left * p.c, copied * sizeof(float));
      memset(to + copied, 0, (p.w * p.c - copied) * sizeof(float));
    }
}

}  // namespace

void pooled_conv2d_grad_input_plan(const KernelArgs& args, KernelPlan& plan) {
  const PooledConvShape s = pooled_conv_shape(params_of<PooledConv2dParams>(args));
  plan.tasks[0] = ceil_div(s.p.n, kImagesAtOnce);
  plan.nanoseconds[0] = static_cast<double>(s.p.n * s.winners * s.p.filters) * (0.5 + 0.5 * s.p.kh * s.vectors);
  plan.thread_bytes = (kImagesAtOnce * s.image_floats + kernel_floats(s)) * sizeof(float) + winner_bytes(s) + 64;
  plan.coarse = true;
}

void pooled_conv2d_grad_input(const KernelArgs& args) {
  const PooledConvShape s = pooled_conv_shape(params_of<PooledConv2dParams>(args));
  const auto& p = s.p;
  float* padded = reinterpret_cast<float*>(args.scratch);
  float* turned = padded + kImagesAtOnce * s.image_floats;
  const WinnerLists lists = winner_lists(s, reinterpret_cast<char*>(turned + kernel_floats(s)));
  turn_kernel(s, args.input<float>(3), turned);
  const SpreadList spread = pick(s.vectors);
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t n = task * kImagesAtOnce, images = smaller(kImagesAtOnce, p.n - n);
    memset(padded, 0, images * s.image_floats * sizeof(float));
    find_winners(s, images, args.input<float>(0) + n * s.winners * p.filters,
                 args.input<float>(1) + n * p.oh * p.ow * p.filters, args.input<float>(2) + n * s.winners * p.filters,
                 lists);
    for (int64_t f = 0; f < p.filters; ++f)
      spread(s, turned + f * p.kh * s.vectors * W, lists.start + f * lists.most, lists.number + f * lists.most,
             lists.count[f], padded);
    cut_images(s, padded, images, args.output<float>(0) + n * p.h * p.w * p.c);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
