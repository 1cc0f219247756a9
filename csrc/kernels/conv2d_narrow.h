#pragma once
// What the kernels for one-channel images (stride 1) share: pixels in the vectors instead of filters.
//
// Rows of the band (image rows with zeros around them) follow each other without a gap, so what tap (r, s) meets in
// all windows of a task is one contiguous piece of the band.  The few windows that start near the right end of a row
// and run into the next one are computed too and dropped.
#include "kernels/im2col.h"
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {

/// Rows of results in one task; with `unit` 2 whole pairs of them, which are pooled together.
static inline int64_t task_rows(const ConvShape& s, int64_t unit = 1) {
  // The taps' pieces of the band are written down for a task; what is pooled at once takes less of the L1 cache.
  const int64_t pixels = unit == 1 ? 256 : 1024;
  return unit * larger<int64_t>(1, smaller(s.p.oh / unit, pixels / (unit * s.padded_w)));
}

static inline int64_t tasks_per_image(const ConvShape& s, int64_t unit = 1) {
  return ceil_div(s.p.oh / unit, task_rows(s, unit) / unit);
}
/// The first row of a task of an image.
static inline int64_t task_start(const ConvShape& s, int64_t part, int64_t unit = 1) {
  return unit * part_start(s.p.oh / unit, tasks_per_image(s, unit), part);
}
/// Windows of a task: one for each number of the band's rows, rounded up to whole tiles.
static inline int64_t task_windows(const ConvShape& s, int64_t unit = 1) {
  return round_up(task_rows(s, unit) * s.padded_w, kTileCols);
}
static inline int64_t narrow_band_floats(const ConvShape& s, int64_t unit = 1) {
  // The last windows, which are dropped, read past the rows, and so do vectors.
  const int64_t reach = (s.p.kh - 1) * s.p.dilation_h * s.padded_w + (s.p.kw - 1) * s.p.dilation_w;
  return round_up(task_windows(s, unit) + reach + 32, 16);
}

/// Turns `lanes` filters' results of one row, [filters][windows], to [pixels][filters]: each(pixel, v) gets a pixel's.
template <class F>
PYNN_INLINE void for_each_pixel(const float* results, int64_t windows, int64_t lanes, int64_t ow, const F& each) {
  for (int64_t ox = 0; ox < ow; ox += W) {
    Vec block[W];
    for (int i = 0; i < W; ++i) block[i] = i < lanes ? load(results + i * windows + ox) : Vec{};
    transpose_block(block);
    const int64_t pixels = smaller<int64_t>(W, ow - ox);
    for (int64_t i = 0; i < pixels; ++i) each(ox + i, block[i]);
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
