// Gradient of a convolution with respect to its kernel, without im2col: dw[r][kw * c][filters] is, for each kernel row
// r, the product of the transposed windows' rows, which the micro-kernel reads where they lie, and the gradient.
//
// The pixels fall into a number of splits that depends on the shape only, each with its own sum, which the last phase
// adds up in order.  Where the sums are large and splits are few, panels of filters make more tasks; then the images
// are copied with zeros around them by a phase of its own, otherwise each task copies the rows it needs.
#include "kernels/add_splits.h"
#include "kernels/conv2d_direct.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kReduceChunk = 4096;
/// Numbers of x that a block of pixels may have, to stay in L2.
constexpr int64_t kBlockFloats = 96 * 1024;

/// All windows lie the same distance apart.
bool is_one_row(const WindowGrid& g) { return g.in_place && g.n == 1 && g.h == 1; }

/// How the work is cut.  A unit is a row of results, or one pixel where all rows are joined to one.
struct Cut {
  int64_t unit_pixels, units;
  int64_t splits, chunks;
  int64_t block;  // units whose products are summed up in registers
  bool copies_ahead;
};

Cut cut_of(const WindowGrid& g) {
  constexpr int64_t kPartialFloats = 2 * 1024 * 1024, kMostSplits = 16, kPixelsWorthASplit = 128;
  constexpr int64_t kFewestPixels = 128, kMostPixels = 1024;
  const int64_t numbers = g.k * g.filters, pixels = g.n * g.h * g.w;
  Cut cut;
  cut.unit_pixels = is_one_row(g) ? 1 : g.w;
  cut.units = pixels / cut.unit_pixels;
  cut.splits = smaller(kMostSplits, smaller(kPartialFloats / numbers, pixels / kPixelsWorthASplit));
  cut.splits = larger<int64_t>(1, smaller(cut.splits, cut.units));
  cut.chunks = smaller(g.panels(), ceil_div(kMostSplits, cut.splits));
  cut.copies_ahead = !g.in_place && cut.chunks > 1;
  // x of a block in L2, but not so few pixels that adding to the sums is most of the work.
  const int64_t floats = g.stride_h * g.row_floats() * cut.unit_pixels / g.w;
  const int64_t fewest = ceil_div(kFewestPixels, cut.unit_pixels), most = ceil_div(kMostPixels, cut.unit_pixels);
  cut.block = larger(fewest, smaller(most, kBlockFloats / floats));
  return cut;
}

/// Images that a block of units can touch, and floats of the copies of their rows.
int64_t copied_floats(const WindowGrid& g, const Cut& cut) {
  const int64_t whole = window_floats(g, g.h), images = (cut.block + g.h - 2) / g.h + 1;
  // Rows of two images: kernel_rows - stride_h rows more, and each copy is rounded up.
  const int64_t of_two = window_floats(g, cut.block) + window_floats(g, 1) + 32;
  return cut.block <= g.h ? smaller(2 * whole, of_two) : images * whole;
}

int64_t copy_floats(const WindowGrid& g) { return window_floats(g, g.h); }

struct Problem {
  WindowGrid g;
  Cut cut;
  int64_t window_step;  // from window to window
  const float* x;
  const float* copies;  // of the images, if they were made ahead
  Operand gradient;
};

/// What a thread keeps in its scratch.
struct Scratch {
  int64_t* places;
  float *panel, *windows;
};

int64_t places_floats(const Cut& cut) { return round_up(2 * cut.block, 16); }

Scratch scratch_of(const Cut& cut, char* memory) {
  float* const start = reinterpret_cast<float*>(memory);
  float* const panel = start + places_floats(cut);
  return {reinterpret_cast<int64_t*>(start), panel, panel + cut.block * cut.unit_pixels * kTileCols};
}

/// Where the windows of units [u0, u1) lie, as the pieces of K of a tile; copies rows if need be.
void place_windows(const Problem& q, int64_t u0, int64_t u1, const Scratch& scratch, ConvTile& t) {
  const auto& g = q.g;
  const int64_t image_floats = g.image_h * g.image_w * g.channels, row_step = g.stride_h * g.row_floats();
  if (is_one_row(g)) {
    t.a = q.x + u0 * q.window_step;
    t.outer = 1;
    t.inner = u1 - u0;
    scratch.places[0] = 0;
    return;
  }
  const bool copy = !g.in_place && !q.cut.copies_ahead;
  t.a = copy ? scratch.windows : g.in_place ? q.x : q.copies;
  t.outer = u1 - u0;
  t.inner = g.w;
  int64_t used = 0;
  for (int64_t u = u0; u < u1;) {
    const int64_t n = u / g.h, oy = u % g.h, rows = smaller(g.h - oy, u1 - u);
    int64_t first = n * (g.in_place ? image_floats : copy_floats(g)) + oy * row_step;
    if (copy) {
      first = used;
      copy_window(q.x + n * image_floats, g.image_h, g.image_w, g.channels, g.y + oy * g.stride_h,
                  (rows - 1) * g.stride_h + g.kernel_rows, g.x, g.columns, scratch.windows + used);
      used += window_floats(g, rows);
    }
    for (int64_t i = 0; i < rows; ++i) scratch.places[u - u0 + i] = first + i * row_step;
    u += rows;
  }
}

/// The sum over one split's pixels for panels [j0, j1) of the filters, to dw[k][filters].
void sum_split(const Problem& q, int64_t split, int64_t j0, int64_t j1, const Scratch& scratch, float* dw) {
  const auto& g = q.g;
  const int64_t begin = part_start(q.cut.units, q.cut.splits, split);
  const int64_t count = part_start(q.cut.units, q.cut.splits, split + 1) - begin;
  const int64_t blocks = ceil_div(count, q.cut.block), width = g.k / g.kernel_rows;
  const int64_t tiles = ceil_div(width, kTileRows);
  ConvTile t;
  t.places = scratch.places;
  t.lda = q.window_step;
  t.a_step = 0;
  t.ldc = g.filters;
  t.bias = nullptr;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t u0 = begin + part_start(count, blocks, block), u1 = begin + part_start(count, blocks, block + 1);
    place_windows(q, u0, u1, scratch, t);
    const float* windows = t.a;
    const int64_t pixels = (u1 - u0) * q.cut.unit_pixels;
    t.flags = block ? kAccumulate : 0;
    // The micro-kernel jumps from row to row of a large x: fetch the next block in order while this one is computed.
    const float* next = windows + pixels * t.lda;
    const bool fetch = is_one_row(g) && block + 1 < blocks && pixels * t.lda <= kBlockFloats;
    const float* const next_end = fetch ? next + pixels * t.lda : next;
    for (int64_t panel = j0; panel < j1; ++panel) {
      const int64_t j = panel * kTileCols, start = u0 * q.cut.unit_pixels * g.filters + j;
      t.n = smaller<int64_t>(kTileCols, g.filters - j);
      const int64_t vectors = vectors_for(t.n);
      t.b = static_cast<const float*>(q.gradient.data) + start;
      t.ldb = g.filters;
      // As in conv2d_grad_kernel: lanes beyond n may hold other filters' numbers, but must lie inside the operand, and
      // a panel that many tiles read is worth a copy.
      if (tiles * g.kernel_rows > 4 || start + (pixels - 1) * g.filters + vectors * W > q.gradient.size) {
        pack_b_panel(t.b, g.filters, pixels, t.n, scratch.panel);
        t.b = scratch.panel;
        t.ldb = vectors * W;
      }
      for (int64_t r = 0; r < g.kernel_rows; ++r)
        for (int64_t i = 0; i < tiles; ++i) {
          const int64_t m0 = part_start(width, tiles, i), m1 = part_start(width, tiles, i + 1);
          t.a = windows + r * g.row_floats() + m0;
          t.c = dw + (r * width + m0) * g.filters + j;
          t.ahead = next;
          next += 16 * pixels;
          (t.ahead < next_end ? pick_conv_kernel<kColsAhead> : pick_conv_kernel<kCols>)(m1 - m0, vectors)(t);
        }
    }
  }
}

}  // namespace

void conv2d_direct_grad_kernel_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<Conv2dParams>(args);
  const WindowGrid g = grid_of_windows(p);
  const Cut cut = cut_of(g);
  const int64_t numbers = g.k * g.filters;
  const double copy_ns = g.in_place ? 0 : 8.0 * g.n * copy_floats(g) / kBytesPerNanosecond;
  int64_t shared = 0;
  int phase = 0;
  if (cut.copies_ahead) {
    plan.tasks[phase] = g.n;
    plan.nanoseconds[phase++] = copy_ns;
    shared = g.n * copy_floats(g);
  }
  plan.tasks[phase] = cut.splits * cut.chunks;
  plan.nanoseconds[phase++] =
      static_cast<double>(g.n * g.h * g.w * g.k) * round_up(g.filters, W) / kFlopsPerNanosecond +
      (cut.copies_ahead ? 0 : copy_ns);
  plan.thread_bytes = (places_floats(cut) + cut.block * cut.unit_pixels * kTileCols +
                       (g.in_place || cut.copies_ahead ? 0 : copied_floats(g, cut))) *
                      sizeof(float);
  if (cut.splits > 1) {
    plan.tasks[phase] = ceil_div(numbers, kReduceChunk);
    plan.nanoseconds[phase++] = 4.0 * cut.splits * numbers / kBytesPerNanosecond;
    shared += cut.splits * numbers;
  }
  plan.shared_bytes = shared * sizeof(float);
  plan.phases = phase;
}

void conv2d_direct_grad_kernel(const KernelArgs& args) {
  const auto p = params_of<Conv2dParams>(args);
  const WindowGrid g = grid_of_windows(p);
  const Cut cut = cut_of(g);
  const int64_t numbers = g.k * g.filters, phase = args.phase + (cut.copies_ahead ? 0 : 1);
  float* copies = reinterpret_cast<float*>(args.shared);
  float* partial = copies + (cut.copies_ahead ? g.n * copy_floats(g) : 0);
  float* dw = args.output<float>(0);
  const Problem q{g, cut, p.stride_w * g.channels, args.input<float>(0), copies, args.in[1]};
  for (int64_t task = args.begin; task < args.end; ++task) {
    if (phase == 0) {
      copy_window(q.x + task * g.image_h * g.image_w * g.channels, g.image_h, g.image_w, g.channels, g.y, g.rows, g.x,
                  g.columns, copies + task * copy_floats(g));
    } else if (phase == 1) {
      const int64_t split = task / cut.chunks, chunk = task % cut.chunks;
      sum_split(q, split, part_start(g.panels(), cut.chunks, chunk), part_start(g.panels(), cut.chunks, chunk + 1),
                scratch_of(cut, args.scratch), cut.splits > 1 ? partial + split * numbers : dw);
    } else {
      add_splits(partial, cut.splits, numbers, task * kReduceChunk, smaller(numbers, (task + 1) * kReduceChunk), dw);
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
