#pragma once
// What both gradients of a convolution under a max-pooling share.
//
// The gradient that arrives at such a convolution is zero but for one result of each window of the pooling, the
// largest.  The kernels take these *winners* one by one, as a position in the padded image and a number, instead of
// multiplying matrices that are three quarters zeros.  A winner meets kh rows of kw * c contiguous floats.
#include "kernels/kernel.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// Images whose winners are taken together: enough for long lists, few enough for the L1 cache.
constexpr int64_t kImagesAtOnce = 8;
constexpr int64_t kRowFloats = 32;  ///< most floats of a row: `_MOST_ROW_FLOATS` in ops/pooled_conv.py
constexpr int kRowVectors = kRowFloats / W;
#if defined(PYNN_ISA_LEVEL_avx512)
constexpr int kAccumulators = 24;
#else
constexpr int kAccumulators = 12;
#endif

/// Rows of a kernel that are taken at once when one row fills V vectors.
template <int V>
constexpr int rows_at_once() {
  return kAccumulators / V < 1 ? 1 : kAccumulators / V > 5 ? 5 : kAccumulators / V;
}

struct PooledConvShape {
  PooledConv2dParams p;
  int64_t row;           ///< floats of a kernel's row, kw * c
  int64_t vectors;       ///< vectors that hold them
  int64_t padded_row;    ///< floats of a row of a padded image
  int64_t image_floats;  ///< of a padded image, with what vectors read beyond its end
  int64_t winners;       ///< windows of an image
};

static inline PooledConvShape pooled_conv_shape(const PooledConv2dParams& p) {
  PooledConvShape s{p, p.kw * p.c, 0, 0, 0, p.poh * p.pow};
  s.vectors = ceil_div(s.row, W);
  s.padded_row = (p.ow + p.kw - 1) * p.c;
  s.image_floats = round_up((p.oh + p.kh - 1) * s.padded_row + W, 16);
  return s;
}

/// For each filter a list of winners with a number other than zero: where their window starts, and the number.
struct WinnerLists {
  int64_t* count;  ///< [filters]
  int32_t* start;  ///< [filters][most]
  float* number;   ///< [filters][most]
  int64_t most;
  int32_t* all_starts;  ///< [most][filters], of all windows; -1 where the pooling found no winner
};

static inline int64_t most_winners(const PooledConvShape& s) { return round_up(kImagesAtOnce * s.winners, 16) + 16; }
static inline int64_t winner_bytes(const PooledConvShape& s) {
  return s.p.filters * (8 + 12 * most_winners(s)) + W * 4 + 64;
}

static inline WinnerLists winner_lists(const PooledConvShape& s, char* memory) {
  const int64_t most = most_winners(s), all = s.p.filters * most;
  WinnerLists lists;
  lists.count = reinterpret_cast<int64_t*>(memory);
  lists.start = reinterpret_cast<int32_t*>(lists.count + s.p.filters);
  lists.number = reinterpret_cast<float*>(lists.start + all);
  lists.all_starts = lists.start + 2 * all;
  lists.most = most;
  return lists;
}

/// Where the winners of one window of the pooling are, for all filters: results is y[oh][ow][filters] of one image,
/// origin the place of its padded image.
static inline void locate_winners(const PooledConvShape& s, int64_t i, int64_t j, const float* results,
                                  const float* pooled, int64_t origin, int32_t* starts) {
  const auto& p = s.p;
  const int64_t y0 = larger<int64_t>(0, i * p.pool_stride_h - p.pool_top);
  const int64_t y1 = smaller(p.oh, i * p.pool_stride_h - p.pool_top + p.pool_h);
  const int64_t x0 = larger<int64_t>(0, j * p.pool_stride_w - p.pool_left);
  const int64_t x1 = smaller(p.ow, j * p.pool_stride_w - p.pool_left + p.pool_w);
  const int64_t filters = p.filters, ow = p.ow, c = p.c, padded_row = s.padded_row;
  for (int64_t f = 0; f < filters; f += W) {
    const int64_t lanes = smaller<int64_t>(W, filters - f);
    const Vec largest = load_first(pooled + f, lanes);
    VecInt start = VecInt{} - 1;
    // Backwards, so that the first of equal ones stays.
    for (int64_t v = y1 - 1; v >= y0; --v)
      for (int64_t u = x1 - 1; u >= x0; --u) {
        const Vec here = load_first(results + (v * ow + u) * filters + f, lanes);
        start = here == largest ? VecInt{} + static_cast<int32_t>(origin + v * padded_row + u * c) : start;
      }
    // Lanes beyond the last filter are overwritten by the next window.
    *reinterpret_cast<VecIntUnaligned*>(starts + f) = start;
  }
}

/// The winners of `images` images: g and pooled are [images][poh][pow][filters], y is [images][oh][ow][filters].
/// Neighbours in a list are of different images, so that additions to one place are far apart.
static inline void find_winners(const PooledConvShape& s, int64_t images, const float* g, const float* y,
                                const float* pooled, const WinnerLists& lists) {
  const auto& p = s.p;
  const int64_t filters = p.filters, image_g = s.winners * filters, image_y = p.oh * p.ow * filters;
  int32_t* starts = lists.all_starts;
  for (int64_t i = 0; i < p.poh; ++i)
    for (int64_t j = 0; j < p.pow; ++j)
      for (int64_t image = 0; image < images; ++image, starts += filters)
        locate_winners(s, i, j, y + image * image_y, pooled + image * image_g + (i * p.pow + j) * filters,
                       image * s.image_floats, starts);
  for (int64_t f = 0; f < filters; ++f) {
    int32_t* to_start = lists.start + f * lists.most;
    float* to_number = lists.number + f * lists.most;
    int64_t n = 0;
    const int32_t* from = lists.all_starts + f;
    for (int64_t window = 0; window < s.winners; ++window) {
      const float* numbers = g + window * filters + f;
      for (int64_t image = 0; image < images; ++image, from += filters, numbers += image_g) {
        to_start[n] = *from;
        to_number[n] = *numbers;
        n += (*numbers != 0) & (*from >= 0);  // no branch: half of them would be mispredicted
      }
    }
    lists.count[f] = n;
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
