// Gradient of a convolution with respect to its kernel: dw[k][filters] = sum over pixels of cols[q][k] g[q][filters].
//
// The block that im2col writes is read K-major by the micro-kernel, so nothing is transposed.  The pixels fall into a
// number of splits that depends on the shape only; each split has its own sum, and phase 1 adds them up in order.
//
// Few filters would leave most lanes of a vector of filters empty.  Then the transpose of dw is summed up, with the
// roles of `cols` and g exchanged, and phase 1 transposes it: for LeNet's first layer (25 x 6) half the instructions.
#include "kernels/add_splits.h"
#include "kernels/im2col.h"
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kReduceChunk = 4096;

/// Sum up dw transposed, [filters][k]: vectors of windows instead of vectors of filters.
bool sums_transposed(const ConvShape& s) {
  return !reads_x_in_place(s) && 4 * s.group_filters * ceil_div(s.k, W) < 3 * s.k * ceil_div(s.group_filters, W);
}

struct Split {
  int64_t splits;  // of the pixels
  int64_t chunks;  // of the kernel's rows
  int64_t kernel_rows;
};

/// Partial sums of all splits stay below a few MB; large kernels have parallelism in their rows instead.
Split split_of(const ConvShape& s) {
  constexpr int64_t kPartialFloats = 2 * 1024 * 1024, kMostSplits = 16, kPixelsWorthASplit = 256;
  const int64_t numbers = s.k * s.p.filters;
  Split split;
  split.splits =
      larger<int64_t>(1, smaller(kMostSplits, smaller(kPartialFloats / numbers, s.pixels / kPixelsWorthASplit)));
  split.chunks = split.splits < kMostSplits && s.k > 4 * kTileRows ? s.p.kh : 1;
  split.kernel_rows = s.p.kh / split.chunks;
  return split;
}

/// Phase 0 finishes the result.
bool writes_output(const ConvShape& s, const Split& split) { return split.splits == 1 && !sums_transposed(s); }

/// Pixels that the micro-kernel sums up in registers before it touches dw: `cols` in L1 if that leaves enough of them,
/// in L2 otherwise.
int64_t block_pixels(int64_t width) {
  constexpr int64_t kL1Floats = 8 * 1024, kL2Floats = 96 * 1024;
  const int64_t ld = cols_stride(width);
  return larger(kL1Floats / ld, larger<int64_t>(64, smaller<int64_t>(128, kL2Floats / ld)));
}

/// The sum over one block of pixels of cols[pixels][width] and g[pixels][filters], to `target` [width][ld].
void add_block(const float* cols, int64_t lda, int64_t width, const Operand& gradient, int64_t start, int64_t filters,
               int64_t group_filters, int64_t pixels, int flags, float* target, float* panel) {
  const int64_t tiles = ceil_div(width, kTileRows);
  for (int64_t j = 0; j < group_filters; j += kTileCols) {
    const int64_t n = smaller<int64_t>(kTileCols, group_filters - j), vectors = vectors_for(n);
    const float* b = static_cast<const float*>(gradient.data) + start + j;
    int64_t ldb = filters;
    // Lanes beyond n hold other filters' numbers, and their results are thrown away.  Reading them must stay inside
    // the operand, and a panel that many tiles read is worth a copy.
    if (tiles > 4 || start + j + (pixels - 1) * filters + vectors * W > gradient.size) {
      pack_b_panel(b, filters, pixels, n, panel);
      b = panel;
      ldb = vectors * W;
    }
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t i0 = part_start(width, tiles, t), i1 = part_start(width, tiles, t + 1);
      pick_micro_kernel<kCols>(i1 - i0, vectors)(pixels, cols + i0, lda, b, ldb, target + i0 * filters + j, filters,
                                                 flags, nullptr, n);
    }
  }
}

/// The same sum to `target` [group_filters][k].
void add_block_transposed(const float* cols, int64_t lda, int64_t width, const float* g, int64_t filters,
                          int64_t group_filters, int64_t pixels, int flags, float* target, int64_t k) {
  const int64_t tiles = ceil_div(group_filters, kTileRows);
  for (int64_t j = 0; j < width; j += kTileCols) {
    const int64_t n = smaller<int64_t>(kTileCols, width - j), vectors = vectors_for(n);
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t i0 = part_start(group_filters, tiles, t), i1 = part_start(group_filters, tiles, t + 1);
      pick_micro_kernel<kCols>(i1 - i0, vectors)(pixels, g + i0, filters, cols + j, lda, target + i0 * k + j, k, flags,
                                                 nullptr, n);
    }
  }
}

/// One split's sum for kernel rows [r0, r1) of one group, to `dw`.
void sum_pixels(const ConvShape& s, const float* x, const Operand& gradient, int64_t q0, int64_t q1, int64_t r0,
                int64_t r1, int64_t group, float* dw, float* scratch) {
  const bool in_place = reads_x_in_place(s);
  const int64_t filters = s.p.filters, width = (r1 - r0) * s.p.kw * s.group_c;
  const int64_t lda = in_place ? s.p.c : cols_stride(width), block = block_pixels(width);
  const int64_t first_filter = group * s.group_filters, first_k = r0 * s.p.kw * s.group_c;
  float* panel = scratch;
  float* cols = panel + block * kTileCols;
  float* band = cols + (in_place ? 0 : block * lda);
  for (int64_t q = q0; q < q1; q += block) {
    const int64_t pixels = smaller(block, q1 - q), start = q * filters + first_filter;
    const int flags = q == q0 ? 0 : kAccumulate;
    if (!in_place) im2col(s, x, q, q + pixels, r0, r1, group, cols, lda, band);
    if (sums_transposed(s))
      add_block_transposed(cols, lda, width, static_cast<const float*>(gradient.data) + start, filters, s.group_filters,
                           pixels, flags, dw + first_filter * s.k + first_k, s.k);
    else
      add_block(in_place ? x + q * lda + group * s.group_c : cols, lda, width, gradient, start, filters,
                s.group_filters, pixels, flags, dw + first_k * filters + first_filter, panel);
  }
}

/// dw from the splits' partial sums [filters][k], for one filter.
void add_transposed_splits(const float* partial, int64_t splits, int64_t k, int64_t filters, int64_t filter,
                           float* dw) {
  for (int64_t i = 0; i < k; i += W) {
    const int64_t lanes = smaller<int64_t>(W, k - i);
    Vec sum{};
    for (int64_t split = 0; split < splits; ++split)
      sum += load_first(partial + (split * filters + filter) * k + i, lanes);
    for (int64_t j = 0; j < lanes; ++j) dw[(i + j) * filters + filter] = sum[j];
  }
}

}  // namespace

void conv2d_grad_kernel_plan(const KernelArgs& args, KernelPlan& plan) {
  const ConvShape s = conv_shape(params_of<Conv2dParams>(args));
  const Split split = split_of(s);
  const int64_t width = split.kernel_rows * s.p.kw * s.group_c, block = block_pixels(width);
  const double padded_filters = static_cast<double>(s.p.groups * round_up(s.group_filters, W));
  plan.tasks[0] = split.splits * s.p.groups * split.chunks;
  plan.nanoseconds[0] = static_cast<double>(s.pixels * s.k) *
                        (2.0 * padded_filters / kFlopsPerNanosecond / 2 + 4.0 * s.p.groups / kBytesPerNanosecond);
  plan.thread_bytes = block * kTileCols * sizeof(float);
  if (!reads_x_in_place(s)) plan.thread_bytes += (block * cols_stride(width) + band_floats(s, block)) * sizeof(float);
  if (writes_output(s, split)) return;
  const int64_t numbers = s.k * s.p.filters;
  plan.phases = 2;
  plan.shared_bytes = split.splits * numbers * sizeof(float);
  plan.tasks[1] = sums_transposed(s) ? s.p.filters : ceil_div(numbers, kReduceChunk);
  plan.nanoseconds[1] = plan.shared_bytes / kBytesPerNanosecond;
}

void conv2d_grad_kernel(const KernelArgs& args) {
  const ConvShape s = conv_shape(params_of<Conv2dParams>(args));
  const Split split = split_of(s);
  const int64_t numbers = s.k * s.p.filters;
  float* dw = args.output<float>(0);
  float* partial = writes_output(s, split) ? dw : reinterpret_cast<float*>(args.shared);
  if (args.phase == 1) {
    for (int64_t task = args.begin; task < args.end; ++task)
      if (sums_transposed(s))
        add_transposed_splits(partial, split.splits, s.k, s.p.filters, task, dw);
      else
        add_splits(partial, split.splits, numbers, task * kReduceChunk, smaller(numbers, (task + 1) * kReduceChunk),
                   dw);
    return;
  }
  for (int64_t task = args.begin; task < args.end; ++task) {
    const int64_t part = task / (s.p.groups * split.chunks), group = task / split.chunks % s.p.groups;
    const int64_t r0 = task % split.chunks * split.kernel_rows;
    sum_pixels(s, args.input<float>(0), args.in[1], part_start(s.pixels, split.splits, part),
               part_start(s.pixels, split.splits, part + 1), r0, r0 + split.kernel_rows, group,
               partial + part * numbers, reinterpret_cast<float*>(args.scratch));
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
