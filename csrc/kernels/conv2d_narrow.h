#pragma once
// What the kernels for one-channel images (stride 1) share: pixels in the vectors instead of filters.
//
// Rows of the band (image rows with zeros around them) follow each other without a gap, so what tap (r, s) meets in
// all windows of a task is one contiguous piece of the band.  The few windows that start near the right end of a row
// and run into the next one are computed too and dropped.
#include "kernels/im2col.h"

namespace pynn {
namespace PYNN_ISA {

/// Rows of results in one task.
static inline int64_t task_rows(const ConvShape& s) {
  constexpr int64_t kTaskPixels = 256;
  return larger<int64_t>(1, smaller(s.p.oh, kTaskPixels / s.padded_w));
}

static inline int64_t tasks_per_image(const ConvShape& s) { return ceil_div(s.p.oh, task_rows(s)); }
/// Windows of a task: one for each number of the band's rows, rounded up to whole tiles.
static inline int64_t task_windows(const ConvShape& s) { return round_up(task_rows(s) * s.padded_w, kTileCols); }
static inline int64_t narrow_band_floats(const ConvShape& s) {
  // The last windows, which are dropped, read past the rows.
  const int64_t reach = (s.p.kh - 1) * s.p.dilation_h * s.padded_w + (s.p.kw - 1) * s.p.dilation_w;
  return round_up(task_windows(s) + reach + W, 16);
}

}  // namespace PYNN_ISA
}  // namespace pynn
