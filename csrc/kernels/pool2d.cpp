// Maximum and average pooling of NHWC images.
//
// The number of channels is often no multiple of the vector's width (6 in LeNet).  Two tricks keep whole vectors at
// work all the same:
// - the rows of a window are combined first, over the whole row of w * c contiguous numbers;
// - a vector that covers more than one pixel's channels is stored whole: what it spills into the next pixel is
//   overwritten when that pixel's turn comes.  Only the last pixels of a row need a mask.
#include "kernels/pool2d.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

struct Total {
  static inline Vec join(Vec a, Vec b) { return a + b; }
};

/// Stores at most `room` lanes.
PYNN_INLINE void store_within(float* p, Vec v, int64_t room) {
  if (room >= W)
    store(p, v);
  else
    store_first(p, v, room);
}

/// joined[i] = join of x[row][i] over the rows of a window, i < floats.  `ahead` rows below it are fetched: those that
/// the next row of windows adds.
template <class Join>
void join_rows(const float* x, int64_t row_floats, int64_t rows, int64_t ahead, float* joined) {
  int64_t i = 0;
  for (; i + W <= row_floats; i += W) {
    for (int64_t r = rows; r < rows + ahead; ++r) __builtin_prefetch(x + r * row_floats + i);
    Vec v = load(x + i);
    for (int64_t r = 1; r < rows; ++r) v = Join::join(v, load(x + r * row_floats + i));
    store(joined + i, v);
  }
  if (i < row_floats) {
    const int64_t lanes = row_floats - i;
    Vec v = load_first(x + i, lanes);
    for (int64_t r = 1; r < rows; ++r) v = Join::join(v, load_first(x + r * row_floats + i, lanes));
    store(joined + i, v);
  }
}

/// One row of results.  `joined` has W floats of slack behind its w * c.
template <class Join, bool average>
void pool_row(const Pool2dParams& p, const float* joined, int64_t rows, bool streamed, float* y) {
  const int64_t c = p.c, row_end = p.ow * c;
  for (int64_t ox = 0; ox < p.ow; ++ox) {
    const Range columns = columns_of(p, ox);
    const float* first = joined + columns.begin * c;
    const float scale = average ? 1.f / static_cast<float>(rows * columns.size()) : 1.f;
    for (int64_t v = 0; v < c; v += W) {
      Vec best = load(first + v);
      for (int64_t k = 1; k < columns.size(); ++k) best = Join::join(best, load(first + k * c + v));
      if constexpr (average) best *= scale;
      if (streamed)
        store_streaming(y + ox * c + v, best);
      else
        store_within(y + ox * c + v, best, row_end - ox * c - v);
    }
  }
}

template <class Join, bool average>
void pool(const KernelArgs& args) {
  const auto p = params_of<Pool2dParams>(args);
  const float* x = args.input<float>(0);
  float* y = args.output<float>(0);
  float* joined = reinterpret_cast<float*>(args.scratch);
  const int64_t row_floats = p.w * p.c;
  const bool streamed = args.out[0].size * 4 >= kStreamBytes && can_stream(y, p.c);
  const int64_t ahead = args.in[0].size * 4 > kFetchBytes ? p.stride_h : 0;
  for (int64_t task = args.begin; task < args.end; ++task) {  // one row of results
    const Range rows = rows_of(p, task % p.oh);
    join_rows<Join>(x + (task / p.oh * p.h + rows.begin) * row_floats, row_floats, rows.size(), ahead, joined);
    pool_row<Join, average>(p, joined, rows.size(), streamed, y + task * p.ow * p.c);
  }
  if (streamed) finish_streaming();
}

void plan_pool(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Pool2dParams>(args);
  plan.tasks[0] = p.n * p.oh;
  plan.thread_bytes = (p.w * p.c + 2 * W) * sizeof(float);
  // Two loads and a store for each vector, of which small c fills only a part.
  const double vectors = static_cast<double>(p.n * p.oh * p.ow) * (p.pool_w * ceil_div(p.c, W) + p.pool_h);
  plan.nanoseconds[0] = vectors / 2 + 4.0 * (args.in[0].size + args.out[0].size) / kBytesPerNanosecond;
}

}  // namespace

void max_pool2d_plan(const KernelArgs& args, KernelPlan& plan) { plan_pool(args, plan); }
void max_pool2d(const KernelArgs& args) { pool<Largest, false>(args); }

void average_pool2d_plan(const KernelArgs& args, KernelPlan& plan) { plan_pool(args, plan); }
void average_pool2d(const KernelArgs& args) { pool<Total, true>(args); }

}  // namespace PYNN_ISA
}  // namespace pynn
