#pragma once
// im2col: the windows of a convolution as rows of a small matrix, so that a convolution is a matrix product.
//
// Pixels of the result are numbered through all images, q = (image * oh + oy) * ow + ox.  A block of them becomes
// `cols`, [pixels][taps * channels], in the thread's scratch.  A window that may stick out of its image is read
// from a copy of a few image rows with zeros around them (the "band"), so the copying loop never asks where it is.
// It moves whole vectors: what a row of `cols` spills is overwritten by the next piece, or lies in the row's padding.
#include "kernels/kernel.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// Sizes that follow from the attributes.
struct ConvShape {
  Conv2dParams p;
  int64_t group_c, group_filters;  // channels and filters of one group
  int64_t k;                       // numbers in a window of one group: kh * kw * group_c
  int64_t pixels;                  // in the results of all images
  int64_t padded_h, padded_w;      // of an image with all the zeros that a window can meet
  // Numbers that are contiguous in x: a whole kernel row if it can be, else one tap.
  int64_t run, runs, run_step;
};

static inline ConvShape conv_shape(const Conv2dParams& p) {
  ConvShape s;
  s.p = p;
  s.group_c = p.c / p.groups;
  s.group_filters = p.filters / p.groups;
  s.k = p.kh * p.kw * s.group_c;
  s.pixels = p.n * p.oh * p.ow;
  s.padded_h = larger(p.top + p.h, (p.oh - 1) * p.stride_h + (p.kh - 1) * p.dilation_h + 1);
  s.padded_w = larger(p.left + p.w, (p.ow - 1) * p.stride_w + (p.kw - 1) * p.dilation_w + 1);
  const bool whole_row = p.groups == 1 && p.dilation_w == 1;
  s.run = whole_row ? p.kw * p.c : s.group_c;
  s.runs = whole_row ? 1 : p.kw;
  s.run_step = p.dilation_w * p.c;
  return s;
}

/// The windows are the pixels themselves: x can stand for `cols`, with leading dimension c.
static inline bool reads_x_in_place(const ConvShape& s) {
  const auto& p = s.p;
  return p.kh == 1 && p.kw == 1 && p.stride_h == 1 && p.stride_w == 1 && p.oh == p.h && p.ow == p.w && p.top == 0 &&
         p.left == 0;
}

/// Leading dimension of `cols` with rows of `width` numbers: room for a spilled vector, and no multiple of 4 KB.
static inline int64_t cols_stride(int64_t width) {
  const int64_t ld = round_up(width, 16) + 16;
  return ld % 1024 == 0 ? ld + 16 : ld;
}

/// Image rows that windows of output rows [oy0, oy1) reach with kernel rows [r0, r1).
static inline int64_t band_rows(const Conv2dParams& p, int64_t output_rows, int64_t kernel_rows) {
  return (output_rows - 1) * p.stride_h + (kernel_rows - 1) * p.dilation_h + 1;
}

/// Floats of scratch for the band of a block of at most `block` pixels.
static inline int64_t band_floats(const ConvShape& s, int64_t block) {
  const int64_t output_rows = smaller(s.p.oh, (block + s.p.ow - 2) / s.p.ow + 1);
  return round_up(band_rows(s.p, output_rows, s.p.kh) * s.padded_w * s.p.c + W, 16);
}

/// Copies image rows [y, y + rows) with zeros around them; rows outside the image are zero.
static inline void copy_band(const ConvShape& s, const float* image, int64_t y, int64_t rows, float* band) {
  const auto& p = s.p;
  const int64_t row_floats = s.padded_w * p.c, inside = p.w * p.c, before = p.left * p.c;
  for (int64_t r = 0; r < rows; ++r, band += row_floats) {
    if (y + r < 0 || y + r >= p.h) {
      memset(band, 0, row_floats * sizeof(float));
      continue;
    }
    memset(band, 0, before * sizeof(float));
    memcpy(band + before, image + (y + r) * inside, inside * sizeof(float));
    memset(band + before + inside, 0, (row_floats - before - inside) * sizeof(float));
  }
}

/// What copying one row of windows needs to know.
struct WindowRow {
  const float* source;  // first number of the first window
  int64_t window_step;  // from window to window
  int64_t kernel_row_step, kernel_rows;
  int64_t run, runs, run_step;
};

/// `windows` windows to rows of `cols`.  `vectors` per run, `rows` of the kernel: 0 if not known at compile time.
/// Unrolled over 5 rows of one vector the loop takes half the time.
template <int vectors, int rows>
static void copy_windows(const WindowRow& w, int64_t windows, float* cols, int64_t ld) {
  const int64_t run = w.run, runs = rows ? 1 : w.runs, run_step = w.run_step, row_step = w.kernel_row_step;
  const int64_t kernel_rows = rows ? rows : w.kernel_rows;
  for (int64_t i = 0; i < windows; ++i) {
    const float* row = w.source + i * w.window_step;
    float* to = cols + i * ld;
#pragma GCC unroll 5
    for (int64_t r = 0; r < kernel_rows; ++r, row += row_step)
      for (int64_t t = 0; t < runs; ++t, to += run) {
        const float* from = row + t * run_step;
        if constexpr (vectors > 0) {
#pragma GCC unroll 4
          for (int v = 0; v < vectors; ++v) store(to + v * W, load(from + v * W));
        } else {
          for (int64_t v = 0; v < run; v += W) store(to + v, load(from + v));
        }
      }
  }
}

using CopyWindows = void (*)(const WindowRow&, int64_t, float*, int64_t);

static inline CopyWindows pick_copy_windows(const WindowRow& w) {
#define PYNN_COPIES(rows)                                                                          \
  {&copy_windows<0, rows>, &copy_windows<1, rows>, &copy_windows<2, rows>, &copy_windows<3, rows>, \
   &copy_windows<4, rows>}
  static const CopyWindows table[3][5] = {PYNN_COPIES(0), PYNN_COPIES(3), PYNN_COPIES(5)};
#undef PYNN_COPIES
  const int64_t vectors = ceil_div(w.run, W);
  const int rows = w.runs > 1 ? 0 : w.kernel_rows == 3 ? 1 : w.kernel_rows == 5 ? 2 : 0;
  return table[rows][vectors <= 4 ? vectors : 0];
}

/// Windows of pixels [q0, q1), kernel rows [r0, r1), channels of `group`, to `cols`.
static inline void im2col(const ConvShape& s, const float* x, int64_t q0, int64_t q1, int64_t r0, int64_t r1,
                          int64_t group, float* cols, int64_t ld, float* band) {
  const auto& p = s.p;
  const int64_t image_floats = p.h * p.w * p.c, image_pixels = p.oh * p.ow;
  const bool fits = p.top == 0 && p.left == 0 && s.padded_h == p.h && s.padded_w == p.w;
  while (q0 < q1) {
    const int64_t n = q0 / image_pixels, first = q0 % image_pixels;
    const int64_t last = smaller(image_pixels, first + q1 - q0);
    const int64_t oy0 = first / p.ow, oy1 = (last - 1) / p.ow + 1;
    const int64_t y = oy0 * p.stride_h + r0 * p.dilation_h - p.top;
    const float* image = x + n * image_floats;
    WindowRow w{nullptr, p.stride_w * p.c, 0, r1 - r0, s.run, s.runs, s.run_step};
    const float* source = band;
    int64_t row_floats = s.padded_w * p.c;
    // The last vector of the last window reads up to W - 1 numbers too many: they must be there.
    if (fits && (p.n - 1 - n) * image_floats >= W) {
      source = image + y * row_floats;
    } else {
      copy_band(s, image, y, band_rows(p, oy1 - oy0, r1 - r0), band);
    }
    w.kernel_row_step = p.dilation_h * row_floats;
    const CopyWindows copy = pick_copy_windows(w);
    for (int64_t q = first; q < last;) {
      const int64_t oy = q / p.ow, ox = q % p.ow, windows = smaller(p.ow - ox, last - q);
      w.source = source + (oy - oy0) * p.stride_h * row_floats + ox * w.window_step + group * s.group_c;
      copy(w, windows, cols, ld);
      cols += windows * ld;
      q += windows;
    }
    q0 += last - first;
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
