// Maximum and average pooling of NHWC images, and their gradients.
//
// The number of channels is often no multiple of the vector's width (6 in LeNet).  Two tricks keep whole vectors at
// work all the same:
// - forward, the rows of a window are combined first, over the whole row of w * c contiguous numbers;
// - a vector that covers more than one pixel's channels is stored whole: what it spills into the next pixel is
//   overwritten when that pixel's turn comes.  Only the last pixels of a row need a mask.
#include "kernels/kernel.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

/// The part of window `i` that lies inside [0, size).
Range window_inside(int64_t i, int64_t stride, int64_t before, int64_t pool, int64_t size) {
  const int64_t start = i * stride - before;
  return {larger<int64_t>(0, start), smaller(size, start + pool)};
}
Range rows_of(const Pool2dParams& p, int64_t oy) { return window_inside(oy, p.stride_h, p.top, p.pool_h, p.h); }
Range columns_of(const Pool2dParams& p, int64_t ox) { return window_inside(ox, p.stride_w, p.left, p.pool_w, p.w); }

// std::true_type without the standard library.
struct Yes {
  static constexpr bool value = true;
};
struct No {
  static constexpr bool value = false;
};

struct Largest {
  static inline Vec join(Vec a, Vec b) { return vmax(a, b); }
};
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

/// joined[i] = join of x[row][i] over the rows of a window, i < floats.
template <class Join>
void join_rows(const float* x, int64_t row_floats, int64_t rows, float* joined) {
  int64_t i = 0;
  for (; i + W <= row_floats; i += W) {
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
void pool_row(const Pool2dParams& p, const float* joined, int64_t rows, float* y) {
  const int64_t c = p.c, row_end = p.ow * c;
  for (int64_t ox = 0; ox < p.ow; ++ox) {
    const Range columns = columns_of(p, ox);
    const float* first = joined + columns.begin * c;
    const float scale = average ? 1.f / static_cast<float>(rows * columns.size()) : 1.f;
    for (int64_t v = 0; v < c; v += W) {
      Vec best = load(first + v);
      for (int64_t k = 1; k < columns.size(); ++k) best = Join::join(best, load(first + k * c + v));
      if constexpr (average) best *= scale;
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
  for (int64_t task = args.begin; task < args.end; ++task) {  // one row of results
    const Range rows = rows_of(p, task % p.oh);
    join_rows<Join>(x + (task / p.oh * p.h + rows.begin) * row_floats, row_floats, rows.size(), joined);
    pool_row<Join, average>(p, joined, rows.size(), y + task * p.ow * p.c);
  }
}

void plan_pool(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Pool2dParams>(args);
  plan.tasks[0] = p.n * p.oh;
  plan.thread_bytes = (p.w * p.c + 2 * W) * sizeof(float);
  // Two loads and a store for each vector, of which small c fills only a part.
  const double vectors = static_cast<double>(p.n * p.oh * p.ow) * (p.pool_w * ceil_div(p.c, W) + p.pool_h);
  plan.nanoseconds[0] = vectors / 2 + 4.0 * (args.in[0].size + args.out[0].size) / kBytesPerNanosecond;
}

// ---- gradients --------------------------------------------------------------------------------------------------

/// Windows tile the image: each position gets the gradient of one window at most, so it is written, not added to.
bool tiles_image(const Pool2dParams& p) { return p.stride_h == p.pool_h && p.stride_w == p.pool_w; }

struct PoolGrad {
  const float* g;
  const float* x;  // null for the average, as is y
  const float* y;
  float* dx;
};

template <bool whole>
PYNN_INLINE Vec load_lanes(const float* p, int64_t lanes) {
  return whole ? load(p) : load_first(p, lanes);
}

/// Spreads the gradient of one window: channels [v, v + lanes) of the result at `at`, written to dx or added to it.
template <bool is_max, bool add, bool whole>
PYNN_INLINE void spread(const PoolGrad& q, int64_t at, const float* x, float* dx, int64_t row_floats, int64_t c,
                        int64_t rows, int64_t columns, int64_t lanes) {
  Vec g = load_lanes<whole>(q.g + at, lanes), y{};
  VecInt unmet = VecInt{} - 1;  // lanes whose maximum has not been met yet
  if constexpr (is_max)
    y = load_lanes<whole>(q.y + at, lanes);
  else
    g *= 1.f / static_cast<float>(rows * columns);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t s = 0; s < columns; ++s) {
      const int64_t i = r * row_floats + s * c;
      Vec part = g;
      if constexpr (is_max) {
        const VecInt hit = (load_lanes<whole>(x + i, lanes) == y) & unmet;
        unmet &= ~hit;
        part = (Vec)((VecInt)g & hit);
      }
      if constexpr (add) part += load_lanes<whole>(dx + i, lanes);
      if constexpr (whole)
        store(dx + i, part);
      else
        store_first(dx + i, part, lanes);
    }
}

/// One row of windows; x and dx point at the image.
template <bool is_max, bool add>
void spread_row(const Pool2dParams& p, const PoolGrad& q, int64_t at, Range rows, const float* x, float* dx) {
  const int64_t c = p.c, row_floats = p.w * c;
  for (int64_t ox = 0; ox < p.ow; ++ox) {
    const Range columns = columns_of(p, ox);
    const int64_t first = rows.begin * row_floats + columns.begin * c, result = at + ox * c;
    const auto step = [&](auto whole, int64_t v, int64_t lanes) {
      spread<is_max, add, decltype(whole)::value>(q, result + v, x + first + v, dx + first + v, row_floats, c,
                                                  rows.size(), columns.size(), lanes);
    };
    if (!add && c < W && (ox * c + W <= p.ow * c) && ((columns.end - 1) * c + W <= row_floats)) {
      step(Yes{}, 0, W);  // spills into pixels whose turn comes later
      continue;
    }
    int64_t v = 0;
    for (; v + W <= c; v += W) step(Yes{}, v, W);
    if (v == c) continue;
    if (!add && c > W)
      step(Yes{}, c - W, W);  // once more the same numbers for some channels: cheaper than a mask
    else
      step(No{}, v, c - v);
  }
}

template <bool is_max>
void pool_grad(const KernelArgs& args, const PoolGrad& q) {
  const auto p = params_of<Pool2dParams>(args);
  const int64_t row_floats = p.w * p.c, image_floats = p.h * row_floats;
  if (!tiles_image(p)) {
    for (int64_t task = args.begin; task < args.end; ++task) {  // one image
      float* dx = q.dx + task * image_floats;
      memset(dx, 0, image_floats * sizeof(float));
      for (int64_t oy = 0; oy < p.oh; ++oy)
        spread_row<is_max, true>(p, q, (task * p.oh + oy) * p.ow * p.c, rows_of(p, oy), q.x + task * image_floats, dx);
    }
    return;
  }
  for (int64_t task = args.begin; task < args.end; ++task) {  // one row of windows, and what lies below the last one
    const int64_t image = task / p.oh, oy = task % p.oh;
    const Range rows = rows_of(p, oy);
    float* dx = q.dx + image * image_floats;
    spread_row<is_max, false>(p, q, task * p.ow * p.c, rows, q.x + image * image_floats, dx);
    const int64_t covered = columns_of(p, p.ow - 1).end * p.c;
    if (covered < row_floats)
      for (int64_t r = rows.begin; r < rows.end; ++r)
        memset(dx + r * row_floats + covered, 0, (row_floats - covered) * sizeof(float));
    if (oy == p.oh - 1) memset(dx + rows.end * row_floats, 0, (p.h - rows.end) * row_floats * sizeof(float));
  }
}

void plan_pool_grad(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Pool2dParams>(args);
  plan.tasks[0] = tiles_image(p) ? p.n * p.oh : p.n;
  const double vectors = static_cast<double>(p.n * p.oh * p.ow) * (1 + p.pool_w * p.pool_h) * ceil_div(p.c, W);
  plan.nanoseconds[0] = vectors + 4.0 * (args.in[0].size * args.n_in + args.out[0].size) / kBytesPerNanosecond;
}

}  // namespace

void max_pool2d_plan(const KernelArgs& args, KernelPlan& plan) { plan_pool(args, plan); }
void max_pool2d(const KernelArgs& args) { pool<Largest, false>(args); }

void average_pool2d_plan(const KernelArgs& args, KernelPlan& plan) { plan_pool(args, plan); }
void average_pool2d(const KernelArgs& args) { pool<Total, true>(args); }

void max_pool2d_grad_plan(const KernelArgs& args, KernelPlan& plan) { plan_pool_grad(args, plan); }
void max_pool2d_grad(const KernelArgs& args) {
  pool_grad<true>(args, {args.input<float>(0), args.input<float>(1), args.input<float>(2), args.output<float>(0)});
}

void average_pool2d_grad_plan(const KernelArgs& args, KernelPlan& plan) { plan_pool_grad(args, plan); }
void average_pool2d_grad(const KernelArgs& args) {
  pool_grad<false>(args, {args.input<float>(0), nullptr, nullptr, args.output<float>(0)});
}

}  // namespace PYNN_ISA
}  // namespace pynn
