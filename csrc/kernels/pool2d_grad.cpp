// Gradients of maximum and average pooling of NHWC images.
//
// Where a pixel has fewer channels than a vector has lanes, a vector is stored whole all the same: what it spills into
// the next pixel is overwritten when that pixel's turn comes.
#include "kernels/pool2d.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

// std::true_type without the standard library.
struct Yes {
  static constexpr bool value = true;
};
struct No {
  static constexpr bool value = false;
};

// ---- gradients: windows that tile the image ---------------------------------------------------------------------

/// How far ahead of each row of a window x is fetched, in floats.
constexpr int64_t kFetchAhead = 1024;

/// Each position gets the gradient of one window at most.
bool tiles_image(const Pool2dParams& p) { return p.stride_h == p.pool_h && p.stride_w == p.pool_w; }

struct PoolGrad {
  const float* g;
  const float* x;  // null for the average, as is y
  const float* y;
  float* dx;
  bool streamed;  // dx goes past the caches
};

template <bool whole>
PYNN_INLINE Vec load_lanes(const float* p, int64_t lanes) {
  return whole ? load(p) : load_first(p, lanes);
}

template <bool whole>
PYNN_INLINE void store_lanes(float* p, Vec v, int64_t lanes, bool streamed) {
  if (!whole)
    store_first(p, v, lanes);
  else if (streamed)
    store_streaming(p, v);
  else
    store(p, v);
}

/// Spreads the gradient of one window: channels [v, v + lanes) of the result at `at`.  K, if not 0, is the number of
/// rows and of columns.  `ahead` floats further x is fetched.
template <bool is_max, bool whole, int K>
PYNN_INLINE void spread(const PoolGrad& q, int64_t at, const float* x, float* dx, int64_t row_floats, int64_t c,
                        int64_t rows, int64_t columns, int64_t lanes, int64_t ahead) {
  if constexpr (K > 0) rows = columns = K;
  Vec g = load_lanes<whole>(q.g + at, lanes), y{};
  VecInt unmet = VecInt{} - 1;  // lanes whose maximum has not been met yet
  if constexpr (is_max)
    y = load_lanes<whole>(q.y + at, lanes);
  else
    g *= 1.f / static_cast<float>(rows * columns);
#pragma GCC unroll 2
  for (int64_t r = 0; r < rows; ++r)
#pragma GCC unroll 2
    for (int64_t s = 0; s < columns; ++s) {
      const int64_t i = r * row_floats + s * c;
      Vec part = g;
      if constexpr (is_max) {
        if (ahead) __builtin_prefetch(x + i + ahead);
        const VecInt hit = (load_lanes<whole>(x + i, lanes) == y) & unmet;
        unmet &= ~hit;
        part = (Vec)((VecInt)g & hit);
      }
      store_lanes<whole>(dx + i, part, lanes, q.streamed);
    }
}

/// All channels of the window whose results are at `at`; x and dx point at its corner.  `spills`: a vector may cover
/// the pixels behind, whose turn comes later.
template <bool is_max, int K>
PYNN_INLINE void spread_window(const PoolGrad& q, int64_t at, const float* x, float* dx, int64_t row_floats, int64_t c,
                               Range rows, Range columns, bool spills, int64_t ahead) {
  const auto step = [&](auto whole, int64_t v, int64_t lanes) {
    spread<is_max, decltype(whole)::value, K>(q, at + v, x + v, dx + v, row_floats, c, rows.size(), columns.size(),
                                              lanes, ahead);
  };
  if (spills) return step(Yes{}, 0, W);
  int64_t v = 0;
  for (; v + W <= c; v += W) step(Yes{}, v, W);
  if (v == c) return;
  if (c > W)
    step(Yes{}, c - W, W);  // once more the same numbers for some channels: cheaper than a mask
  else
    step(No{}, v, c - v);
}

/// One row of windows; x and dx point at the image.
template <bool is_max>
void spread_row(const Pool2dParams& p, const PoolGrad& q, int64_t at, Range rows, const float* x, float* dx) {
  const int64_t c = p.c, row_floats = p.w * c;
  const int64_t ahead = p.n * p.h * row_floats * 4 > kFetchBytes ? kFetchAhead : 0;
  for (int64_t ox = 0; ox < p.ow; ++ox) {
    const Range columns = columns_of(p, ox);
    const int64_t first = rows.begin * row_floats + columns.begin * c, result = at + ox * c;
    const bool spills = c < W && ox * c + W <= p.ow * c && (columns.end - 1) * c + W <= row_floats;
    if (rows.size() == 2 && columns.size() == 2)
      spread_window<is_max, 2>(q, result, x + first, dx + first, row_floats, c, rows, columns, spills, ahead);
    else
      spread_window<is_max, 0>(q, result, x + first, dx + first, row_floats, c, rows, columns, spills, ahead);
  }
}

/// One row of windows, and what lies below the last one.
template <bool is_max>
void tiled_grad_task(const Pool2dParams& p, const PoolGrad& q, int64_t task) {
  const int64_t row_floats = p.w * p.c, image = task / p.oh * p.h * row_floats, oy = task % p.oh;
  const Range rows = rows_of(p, oy);
  float* dx = q.dx + image;
  spread_row<is_max>(p, q, task * p.ow * p.c, rows, q.x + image, dx);
  const int64_t covered = columns_of(p, p.ow - 1).end * p.c;
  if (covered < row_floats)
    for (int64_t r = rows.begin; r < rows.end; ++r)
      memset(dx + r * row_floats + covered, 0, (row_floats - covered) * sizeof(float));
  if (oy == p.oh - 1) memset(dx + rows.end * row_floats, 0, (p.h - rows.end) * row_floats * sizeof(float));
}

// ---- gradients: all other windows -------------------------------------------------------------------------------
// Each position adds up what the windows that it lies in give it, so it is written once, and any rows of the image can
// be a task.  For the maximum a first pass finds the place of each window's maximum.

constexpr int64_t kTaskRows = 8;

/// The windows that meet any of the positions [begin, end).
Range windows_at(int64_t begin, int64_t end, int64_t stride, int64_t before, int64_t pool, int64_t windows) {
  return {larger<int64_t>(0, ceil_div(begin + before - pool + 1, stride)),
          smaller(windows, (end - 1 + before) / stride + 1)};
}

/// The window of columns `columns` and rows `rows` at x: where the first number is that equals `most`, r * pool_w + s
/// from the window's corner (r0, s0), or -1.  KH and KW, if not 0, are the numbers of rows and columns.
template <int KH, int KW, bool whole>
PYNN_INLINE VecInt find_place(const float* x, int64_t row_floats, int64_t c, Range rows, Range columns, int32_t first,
                              int32_t pool_w, Vec most, int64_t lanes) {
  const int64_t kh = KH ? KH : rows.size(), kw = KW ? KW : columns.size();
  VecInt place = VecInt{} - 1;
#pragma GCC unroll 3
  for (int64_t r = kh - 1; r >= 0; --r)  // from the last: the first one found overwrites the others
#pragma GCC unroll 3
    for (int64_t s = kw - 1; s >= 0; --s) {
      const VecInt here = VecInt{} + (first + static_cast<int32_t>(r) * pool_w + static_cast<int32_t>(s));
      place = load_lanes<whole>(x + r * row_floats + s * c, lanes) == most ? here : place;
    }
  return place;
}

/// places[ox][channel] of the windows of row oy.
template <bool whole>
void find_places(const Pool2dParams& p, const float* x, const float* y, int64_t oy, float* places) {
  const int64_t c = p.c, row_floats = p.w * c;
  const int64_t ahead = p.n * p.h * row_floats * 4 > kFetchBytes ? p.stride_h : 0;
  const Range rows = rows_of(p, oy);
  for (int64_t ox = 0; ox < p.ow; ++ox) {
    const Range columns = columns_of(p, ox);
    const float* corner = x + (rows.begin * p.w + columns.begin) * c;
    const int64_t first = (rows.begin - oy * p.stride_h + p.top) * p.pool_w + columns.begin - ox * p.stride_w + p.left;
    const auto find = [&](auto most_common) {
      constexpr int k = decltype(most_common)::value ? 3 : 0;
      for (int64_t at = 0; at < c; at += W) {
        const int64_t v = whole ? smaller(at, c - W) : at, lanes = smaller<int64_t>(W, c - v);
        for (int64_t r = rows.size(); r < rows.size() + ahead; ++r)  // what the next row of windows adds
          for (int64_t s = 0; s < p.stride_w; ++s) __builtin_prefetch(corner + r * row_floats + s * c + v);
        const VecInt place =
            find_place<k, k, whole>(corner + v, row_floats, c, rows, columns, static_cast<int32_t>(first),
                                    static_cast<int32_t>(p.pool_w), load_lanes<whole>(y + ox * c + v, lanes), lanes);
        store_lanes<whole>(places + ox * c + v, (Vec)place, lanes, false);
      }
    };
    if (rows.size() == 3 && columns.size() == 3)
      find(Yes{});
    else
      find(No{});
  }
}

/// What a window gives to a position that lies in it.
struct Share {
  int64_t at;    // of the window's numbers in g and places
  int32_t here;  // the position, as in `places`
  float scale;   // of the average
};

/// All channels of one position; N, if not 0, is the number of shares.
template <bool is_max, bool whole, int N>
void add_shares(const Share* shares, int64_t count, const float* g, const float* places, int64_t c, float* dx,
                bool streamed) {
  if constexpr (N > 0) count = N;
  for (int64_t at = 0; at < c; at += W) {
    const int64_t v = whole ? smaller(at, c - W) : at, lanes = smaller<int64_t>(W, c - v);
    Vec sum{};
#pragma GCC unroll 9
    for (int64_t k = 0; k < count; ++k) {
      const Vec part = load_lanes<whole>(g + shares[k].at + v, lanes);
      if constexpr (is_max)
        sum = (VecInt)load_lanes<whole>(places + shares[k].at + v, lanes) == shares[k].here ? sum + part : sum;
      else
        sum += part * shares[k].scale;
    }
    store_lanes<whole>(dx + v, sum, lanes, streamed);
  }
}

/// One row of the image; g and places point at the first row of windows in `met`.
template <bool is_max, bool whole>
void gather_row(const Pool2dParams& p, bool streamed, const float* g, const float* places, Range met, int64_t row,
                float* dx, Share* shares) {
  for (int64_t column = 0; column < p.w; ++column) {
    const Range across = windows_at(column, column + 1, p.stride_w, p.left, p.pool_w, p.ow);
    int64_t count = 0;
    for (int64_t oy = met.begin; oy < met.end; ++oy)
      for (int64_t ox = across.begin; ox < across.end; ++ox) {
        const int64_t r = row - (oy * p.stride_h - p.top), s = column - (ox * p.stride_w - p.left);
        const float scale = is_max ? 1.f : 1.f / static_cast<float>(rows_of(p, oy).size() * columns_of(p, ox).size());
        shares[count++] = {((oy - met.begin) * p.ow + ox) * p.c, static_cast<int32_t>(r * p.pool_w + s), scale};
      }
    float* to = dx + column * p.c;
    if (count == 1)
      add_shares<is_max, whole, 1>(shares, count, g, places, p.c, to, streamed);
    else if (count == 2)
      add_shares<is_max, whole, 2>(shares, count, g, places, p.c, to, streamed);
    else if (count == 4)
      add_shares<is_max, whole, 4>(shares, count, g, places, p.c, to, streamed);
    else if (count == 9)
      add_shares<is_max, whole, 9>(shares, count, g, places, p.c, to, streamed);
    else
      add_shares<is_max, whole, 0>(shares, count, g, places, p.c, to, streamed);
  }
}

/// How many windows a position can lie in.
int64_t most_shares(const Pool2dParams& p) { return ceil_div(p.pool_h, p.stride_h) * ceil_div(p.pool_w, p.stride_w); }

/// Some rows of one image.
template <bool is_max, bool whole>
void gather_grad_task(const Pool2dParams& p, const PoolGrad& q, int64_t task, char* scratch) {
  Share* shares = reinterpret_cast<Share*>(scratch);
  float* places = reinterpret_cast<float*>(scratch + round_up(most_shares(p) * sizeof(Share), 64));
  const int64_t per_image = ceil_div(p.h, kTaskRows), n = task / per_image, row_results = p.ow * p.c;
  const int64_t begin = task % per_image * kTaskRows, end = smaller(p.h, begin + kTaskRows);
  const Range windows = windows_at(begin, end, p.stride_h, p.top, p.pool_h, p.oh);
  if constexpr (is_max)
    for (int64_t oy = windows.begin; oy < windows.end; ++oy)
      find_places<whole>(p, q.x + n * p.h * p.w * p.c, q.y + (n * p.oh + oy) * row_results, oy,
                         places + (oy - windows.begin) * row_results);
  for (int64_t row = begin; row < end; ++row) {
    const Range met = windows_at(row, row + 1, p.stride_h, p.top, p.pool_h, p.oh);
    gather_row<is_max, whole>(p, q.streamed, q.g + (n * p.oh + met.begin) * row_results,
                              places + (met.begin - windows.begin) * row_results, met, row,
                              q.dx + (n * p.h + row) * p.w * p.c, shares);
  }
}

template <bool is_max>
void pool_grad(const KernelArgs& args, PoolGrad q) {
  const auto p = params_of<Pool2dParams>(args);
  q.streamed = args.out[0].size * 4 >= kStreamBytes && can_stream(q.dx, p.c);
  for (int64_t task = args.begin; task < args.end; ++task) {
    if (tiles_image(p)) {
      tiled_grad_task<is_max>(p, q, task);
    } else if (p.c >= W) {
      gather_grad_task<is_max, true>(p, q, task, args.scratch);
    } else {
      gather_grad_task<is_max, false>(p, q, task, args.scratch);
    }
  }
  if (q.streamed) finish_streaming();
}

void plan_pool_grad(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Pool2dParams>(args);
  double vectors = static_cast<double>(p.n * p.oh * p.ow) * (1 + p.pool_w * p.pool_h) * ceil_div(p.c, W);
  if (tiles_image(p)) {
    plan.tasks[0] = p.n * p.oh;
  } else {
    const int64_t window_rows = (kTaskRows + p.pool_h - 2) / p.stride_h + 1;
    plan.tasks[0] = p.n * ceil_div(p.h, kTaskRows);
    plan.thread_bytes = round_up(most_shares(p) * sizeof(Share), 64) + window_rows * p.ow * p.c * sizeof(float);
    vectors *= 2;
  }
  plan.nanoseconds[0] = vectors + 4.0 * (args.in[0].size * args.n_in + args.out[0].size) / kBytesPerNanosecond;
}

}  // namespace

void max_pool2d_grad_plan(const KernelArgs& args, KernelPlan& plan) { plan_pool_grad(args, plan); }
void max_pool2d_grad(const KernelArgs& args) {
  pool_grad<true>(args,
                  {args.input<float>(0), args.input<float>(1), args.input<float>(2), args.output<float>(0), false});
}

void average_pool2d_grad_plan(const KernelArgs& args, KernelPlan& plan) { plan_pool_grad(args, plan); }
void average_pool2d_grad(const KernelArgs& args) {
  pool_grad<false>(args, {args.input<float>(0), nullptr, nullptr, args.output<float>(0), false});
}

}  // namespace PYNN_ISA
}  // namespace pynn
