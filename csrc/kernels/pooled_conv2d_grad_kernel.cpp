// Kernel gradient of a convolution under a max-pooling: each winner adds its number times the piece of the image that
// its window covers to the sums of its filter, which stay in registers.
#include "kernels/add_splits.h"
#include "kernels/pooled_conv2d.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kMostSplits = 16;

int64_t splits_of(const PooledConvShape& s) { return smaller(kMostSplits, s.p.n); }
int64_t sums_of_filter(const PooledConvShape& s) { return s.p.kh * s.vectors * W; }

/// sums[r][v] += number * x[start + r * padded_row + v * W] over a list, for R rows of V vectors.
template <int R, int V>
void add_winners(const float* x, int64_t padded_row, const int32_t* start, const float* number, int64_t count,
                 float* sums) {
  Vec acc[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) acc[r][v] = load(sums + (r * V + v) * W);
  for (int64_t i = 0; i < count; ++i) {
    const float* from = x + start[i];
    const float s = number[i];
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) acc[r][v] += load(from + r * padded_row + v * W) * s;
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) store(sums + (r * V + v) * W, acc[r][v]);
}

/// All rows of the kernel, some at a time.
template <int V>
void add_list(const PooledConvShape& s, const float* x, const int32_t* start, const float* number, int64_t count,
              float* sums) {
  constexpr int kMost = rows_at_once<V>();
  for (int64_t r = 0; r < s.p.kh; r += kMost) {
    const float* from = x + r * s.padded_row;
    float* to = sums + r * V * W;
    const int64_t rows = smaller<int64_t>(kMost, s.p.kh - r);
    if (rows == kMost) {
      add_winners<kMost, V>(from, s.padded_row, start, number, count, to);
    } else {
      for (int64_t i = 0; i < rows; ++i)
        add_winners<1, V>(from + i * s.padded_row, s.padded_row, start, number, count, to + i * V * W);
    }
  }
}

using AddList = void (*)(const PooledConvShape&, const float*, const int32_t*, const float*, int64_t, float*);

AddList pick(int64_t vectors) {
#if defined(PYNN_ISA_LEVEL_avx512)
  static const AddList table[kRowVectors] = {&add_list<1>, &add_list<2>};
#elif defined(PYNN_ISA_LEVEL_avx2)
  static const AddList table[kRowVectors] = {&add_list<1>, &add_list<2>, &add_list<3>, &add_list<4>};
#else
  static const AddList table[kRowVectors] = {&add_list<1>, &add_list<2>, &add_list<3>, &add_list<4>,
                                             &add_list<5>, &add_list<6>, &add_list<7>, &add_list<8>};
#endif
  return table[vectors - 1];
}

/// Copies `images` images into padded ones whose border is zero already.
void pad_images(const PooledConvShape& s, const float* x, int64_t images, float* padded) {
  const auto& p = s.p;
  const int64_t y0 = larger<int64_t>(0, p.top), y1 = smaller(p.oh + p.kh - 1, p.top + p.h);
  const int64_t x0 = larger<int64_t>(0, p.left), x1 = smaller(p.ow + p.kw - 1, p.left + p.w);
  for (int64_t image = 0; image < images; ++image)
    for (int64_t v = y0; v < y1; ++v)
      memcpy(padded + image * s.image_floats + v * s.padded_row + x0 * p.c,
             x + ((image * p.h + v - p.top) * p.w + x0 - p.left) * p.c, (x1 - x0) * p.c * sizeof(float));
}

}  // namespace

void pooled_conv2d_grad_kernel_plan(const KernelArgs& args, KernelPlan& plan) {
  const PooledConvShape s = pooled_conv_shape(params_of<PooledConv2dParams>(args));
  const int64_t numbers = s.p.kh * s.row * s.p.filters;
  plan.phases = 2;
  plan.tasks[0] = splits_of(s);
  plan.nanoseconds[0] = static_cast<double>(s.p.n * s.winners * s.p.filters) * (0.5 + 0.25 * s.p.kh * s.vectors);
  plan.nanoseconds[1] = 4.0 * splits_of(s) * numbers / kBytesPerNanosecond;
  plan.shared_bytes = splits_of(s) * numbers * sizeof(float);
  plan.thread_bytes =
      (kImagesAtOnce * s.image_floats + s.p.filters * sums_of_filter(s)) * sizeof(float) + winner_bytes(s) + 64;
}

void pooled_conv2d_grad_kernel(const KernelArgs& args) {
  const PooledConvShape s = pooled_conv_shape(params_of<PooledConv2dParams>(args));
  const auto& p = s.p;
  const int64_t numbers = p.kh * s.row * p.filters, splits = splits_of(s);
  float* partial = reinterpret_cast<float*>(args.shared);
  if (args.phase == 1) {
    add_splits(partial, splits, numbers, 0, numbers, args.output<float>(0));
    return;
  }
  float* padded = reinterpret_cast<float*>(args.scratch);
  float* sums = padded + kImagesAtOnce * s.image_floats;
  const WinnerLists lists = winner_lists(s, reinterpret_cast<char*>(sums + p.filters * sums_of_filter(s)));
  memset(padded, 0, kImagesAtOnce * s.image_floats * sizeof(float));
  const AddList add = pick(s.vectors);
  for (int64_t split = args.begin; split < args.end; ++split) {
    memset(sums, 0, p.filters * sums_of_filter(s) * sizeof(float));
    const int64_t end = part_start(p.n, splits, split + 1);
    for (int64_t n = part_start(p.n, splits, split); n < end; n += kImagesAtOnce) {
      const int64_t images = smaller(kImagesAtOnce, end - n);
      pad_images(s, args.input<float>(0) + n * p.h * p.w * p.c, images, padded);
      find_winners(s, images, args.input<float>(1) + n * s.winners * p.filters,
                   args.input<float>(2) + n * p.oh * p.ow * p.filters, args.input<float>(3) + n * s.winners * p.filters,
                   lists);
      for (int64_t f = 0; f < p.filters; ++f)
        add(s, padded, lists.start + f * lists.most, lists.number + f * lists.most, lists.count[f],
            sums + f * sums_of_filter(s));
    }
    // [filters][rows, whole vectors] to the kernel's own [rows][filters].
    for (int64_t r = 0; r < p.kh; ++r)
      for (int64_t q = 0; q < s.row; ++q)
        for (int64_t f = 0; f < p.filters; ++f)
          partial[split * numbers + (r * s.row + q) * p.filters + f] =
              sums[f * sums_of_filter(s) + r * s.vectors * W + q];
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
