#pragma once
// Depthwise correlation: each channel has a window of its own, so a vector of channels is all that a product needs.
//
// The images are read where they lie.  Two rows of results at a time, in strips of some pixels whose sums stay in
// registers: a vector of the image, once loaded, takes part in all windows of the strip that it lies in (6 of a 3 x 3
// kernel).  Taps outside the image are left out, not multiplied by zero.
#include "kernels/kernel.h"
#include "simd/stream.h"

namespace pynn {
namespace PYNN_ISA {

/// y[oy][ox] = clamp(bias + residual[oy][ox] + sum over r, s of x[oy * stride_h + r * dilation_h - top][...] *
/// w[r][s]), per channel.
struct DepthwisePlane {
  int64_t h, w, c;  // of the image that is read
  int64_t kh, kw, stride_h, stride_w, dilation_h, dilation_w;
  int64_t top, left;  // may be negative
  const float* weights;
  int64_t weight_row, weight_column;  // floats between neighbouring taps; negative: the kernel is mirrored
  const float* bias;                  // or null
  const float *residual, *y;          // null, or what is added to the results, which begin at y
  float low, high;                    // clamps
  int64_t columns;                    // of results
  int64_t y_row, y_column;            // floats between neighbouring results
  bool streamed;                      // the results go past the caches
  bool fetched;                       // the image rows of the next two rows of results are fetched ahead
};

#if PYNN_VECTOR_REGISTERS == 32
// 2 x 8 sums, 2 x 7 weights and a pixel: 31 of 32 registers.  Strips of 7 fit the images of 7, 14, 28, ... pixels.
#define PYNN_STRIPS(X) X(8) X(7) X(4) X(1)
#else
#define PYNN_STRIPS(X) X(4) X(2) X(1)
#endif

/// Pixels of a row that a window reaches, one bit each: which of `count` columns from `first` lie in [0, size).
PYNN_INLINE uint32_t columns_inside(int64_t first, int64_t count, int64_t size) {
  const int64_t begin = larger<int64_t>(0, -first), end = smaller(count, size - first);
  return begin < end ? (((1u << (end - begin)) - 1u) << begin) : 0u;
}

/// One image row's part of a strip.  `first` and `second` say which of the two rows of results it takes part in.
template <int KW, int SW, int XB, int ROWS, bool first, bool second>
PYNN_INLINE void strip_row(const float* x, int64_t c, uint32_t inside, const float* w0, const float* w1, int64_t step,
                           Vec (&sum)[ROWS][XB]) {
  Vec k0[KW]{}, k1[KW]{};
#pragma GCC unroll 7
  for (int s = 0; s < KW; ++s) {
    if constexpr (first) k0[s] = load(w0 + s * step);
    if constexpr (second) k1[s] = load(w1 + s * step);
  }
#pragma GCC unroll 21
  for (int j = 0; j < (XB - 1) * SW + KW; ++j) {
    if (!(inside >> j & 1)) continue;
    const Vec v = load(x + j * c);
#pragma GCC unroll 7
    for (int s = 0; s < KW; ++s) {
      const int i = (j - s) / SW;
      if (j < s || (j - s) % SW || i >= XB) continue;
      if constexpr (first) sum[0][i] += v * k0[s];
      if constexpr (second) sum[ROWS - 1][i] += v * k1[s];
    }
  }
}

/// XB results of rows oy .. oy + ROWS - 1 from column ox on, all channels; dilation_w is 1, and c at least W.
template <int KW, int SW, int XB, int ROWS>
static void depthwise_strip(const DepthwisePlane& q, const float* image, int64_t oy, int64_t ox, float* y) {
  const int64_t c = q.c, row_floats = q.w * c, y0 = oy * q.stride_h - q.top, x0 = ox * SW - q.left;
  const uint32_t inside = columns_inside(x0, (XB - 1) * SW + KW, q.w);
  const int64_t step = q.weight_column, second = q.stride_h;
  const int64_t taps = ROWS == 1 ? q.kh : q.kh + q.stride_h;  // two rows only with dilation_h == 1
  for (int64_t at = 0; at < c; at += W) {
    const int64_t v = smaller(at, c - W);  // the last vector may compute some channels once more
    Vec sum[ROWS][XB];
    const Vec start = q.bias ? load(q.bias + v) : Vec{};
#pragma GCC unroll 2
    for (int k = 0; k < ROWS; ++k)
#pragma GCC unroll 8
      for (int i = 0; i < XB; ++i) sum[k][i] = start;
    for (int64_t r = 0; r < taps; ++r) {
      const int64_t row = y0 + r * q.dilation_h;
      if (row < 0 || row >= q.h) continue;
      const float* x = image + row * row_floats + x0 * c + v;
      const float* w0 = q.weights + r * q.weight_row + v;
      const float* w1 = w0 - second * q.weight_row;
      if constexpr (ROWS == 1) {
        strip_row<KW, SW, XB, ROWS, true, false>(x, c, inside, w0, w1, step, sum);
      } else if (r >= second && r < q.kh) {
        strip_row<KW, SW, XB, ROWS, true, true>(x, c, inside, w0, w1, step, sum);
      } else if (r < q.kh) {
        strip_row<KW, SW, XB, ROWS, true, false>(x, c, inside, w0, w1, step, sum);
      } else if (r >= second) {
        strip_row<KW, SW, XB, ROWS, false, true>(x, c, inside, w0, w1, step, sum);
      }
    }
    // The hardware does not see that the next rows are needed: (32, 56, 56, 144) takes 2.7 ms with this, 4.6 without.
    if (ROWS == 2 && q.fetched)
      for (int64_t row = y0 + taps; row < smaller(q.h, y0 + taps + 2 * q.stride_h); ++row) {
        const float* x = image + row * row_floats + ox * SW * c + v;
#pragma GCC unroll 16
        for (int j = 0; j < XB * SW; ++j) __builtin_prefetch(x + j * c);
      }
#pragma GCC unroll 2
    for (int k = 0; k < ROWS; ++k) {
      float* to = y + k * q.y_row + ox * q.y_column + v;
#pragma GCC unroll 8
      for (int i = 0; i < XB; ++i) {
        Vec u = sum[k][i];
        if (q.residual) u += load(q.residual + (to - q.y) + i * q.y_column);
        u = vclamp(u, q.low, q.high);
        if (q.streamed)
          store_streaming(to + i * q.y_column, u);
        else
          store(to + i * q.y_column, u);
      }
    }
  }
}

/// One result of any window, any dilation, any number of channels.
static inline void depthwise_pixel(const DepthwisePlane& q, const float* image, int64_t oy, int64_t ox, float* y) {
  const int64_t y0 = oy * q.stride_h - q.top, x0 = ox * q.stride_w - q.left;
  for (int64_t v = 0; v < q.c; v += W) {
    const int64_t lanes = smaller<int64_t>(W, q.c - v);
    Vec sum = q.bias ? load_first(q.bias + v, lanes) : Vec{};
    for (int64_t r = 0; r < q.kh; ++r) {
      const int64_t row = y0 + r * q.dilation_h;
      if (row < 0 || row >= q.h) continue;
      for (int64_t s = 0; s < q.kw; ++s) {
        const int64_t column = x0 + s * q.dilation_w;
        if (column < 0 || column >= q.w) continue;
        sum += load_first(image + (row * q.w + column) * q.c + v, lanes) *
               load_first(q.weights + r * q.weight_row + s * q.weight_column + v, lanes);
      }
    }
    float* to = y + ox * q.y_column + v;
    if (q.residual) sum += load_first(q.residual + (to - q.y), lanes);
    store_first(to, vclamp(sum, q.low, q.high), lanes);
  }
}

using DepthwiseStrip = void (*)(const DepthwisePlane&, const float*, int64_t, int64_t, float*);
struct DepthwiseStrips {
  int64_t pixels;
  DepthwiseStrip run[2];  // one row of results, two rows
};

template <int KW, int SW>
DepthwiseStrips pick_strip(int64_t columns) {
#define PYNN_STRIP(xb) {xb, {&depthwise_strip<KW, SW, xb, 1>, &depthwise_strip<KW, SW, xb, 2>}},
  static const DepthwiseStrips table[] = {PYNN_STRIPS(PYNN_STRIP)};
#undef PYNN_STRIP
  // The last strip of a row may overlap the one before.  A strip costs about its pixels and one more.
  const DepthwiseStrips* best = nullptr;
  for (const auto& strip : table)
    if (strip.pixels <= columns && (!best || ceil_div(columns, strip.pixels) * (strip.pixels + 1) <
                                                 ceil_div(columns, best->pixels) * (best->pixels + 1)))
      best = &strip;
  return *best;
}

/// The strips for a plane; `pixels` 0 if only single pixels will do.
static inline DepthwiseStrips pick_strips(const DepthwisePlane& q) {
  if (q.c >= W && q.dilation_w == 1 && q.columns > 0) {
    const int64_t kind = q.kw * 10 + q.stride_w;
    if (kind == 11) return pick_strip<1, 1>(q.columns);
    if (kind == 21) return pick_strip<2, 1>(q.columns);
    if (kind == 31) return pick_strip<3, 1>(q.columns);
    if (kind == 41) return pick_strip<4, 1>(q.columns);
    if (kind == 51) return pick_strip<5, 1>(q.columns);
    if (kind == 71) return pick_strip<7, 1>(q.columns);
    if (kind == 32) return pick_strip<3, 2>(q.columns);
    if (kind == 52) return pick_strip<5, 2>(q.columns);
    if (kind == 72) return pick_strip<7, 2>(q.columns);
  }
  return {0, {nullptr, nullptr}};
}

/// `rows` rows of results from row oy on; y points at the first of them.
static inline void depthwise_rows(const DepthwisePlane& q, const float* image, int64_t oy, int64_t rows, float* y) {
  const DepthwiseStrips strips = pick_strips(q);
  const int64_t together = q.dilation_h == 1 ? 2 : 1;
  for (int64_t k = 0; k < rows; k += together, y += together * q.y_row) {
    if (strips.pixels == 0) {
      for (int64_t i = 0; i < smaller(together, rows - k); ++i)
        for (int64_t ox = 0; ox < q.columns; ++ox) depthwise_pixel(q, image, oy + k + i, ox, y + i * q.y_row);
      continue;
    }
    const DepthwiseStrip run = strips.run[together == 2 && k + 1 < rows];
    for (int64_t ox = 0; ox < q.columns; ox += strips.pixels)
      run(q, image, oy + k, smaller(ox, q.columns - strips.pixels), y);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
