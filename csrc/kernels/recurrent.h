#pragma once
// What the recurrent kernels share: the state h[rows][units] times the recurrent kernel, step after step.
//
// A recurrent kernel has two phases.  The first packs the recurrent kernel, once for all steps.  In the second a task
// is one row of the batch, which goes through all steps by itself: rows know nothing of each other, so there is no
// barrier between steps.  A call takes its rows in blocks that share what they read of the packed kernel; how they are
// grouped changes no bit, because each result is one chain of multiply-adds in the order of k.
#include "kernels/microkernel.h"

namespace pynn {
namespace PYNN_ISA {

/// Rows that go through the steps together: the packed kernel is read from L2 once for all of them.
constexpr int64_t kBlockRows = 4 * kTileRows;

/// Leading dimension of a block's scratch with rows of `width` numbers: no multiple of 4 KB.
static inline int64_t block_stride(int64_t width) {
  const int64_t ld = round_up(width, 16) + 16;
  return ld % 1024 == 0 ? ld + 16 : ld;
}

/// Calls f(first row, rows) for the blocks of rows [begin, end).
template <class F>
PYNN_INLINE void for_each_block(int64_t begin, int64_t end, const F& f) {
  const int64_t blocks = ceil_div(end - begin, kBlockRows);
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t first = begin + part_start(end - begin, blocks, b);
    f(first, begin + part_start(end - begin, blocks, b + 1) - first);
  }
}

/// Calls f(first row, rows) for the tiles of a block.
template <class F>
PYNN_INLINE void for_each_tile(int64_t rows, const F& f) {
  const int64_t tiles = ceil_div(rows, kTileRows);
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t first = part_start(rows, tiles, t);
    f(first, part_start(rows, tiles, t + 1) - first);
  }
}

PYNN_INLINE Vec load_lanes(const float* p, int64_t lanes) { return lanes == W ? load(p) : load_first(p, lanes); }
PYNN_INLINE void store_lanes(float* p, Vec v, int64_t lanes) {
  if (lanes == W)
    store(p, v);
  else
    store_first(p, v, lanes);
}

/// Fetches a vector of each gate.  Rows of a sequence lie far apart, which no hardware prefetcher follows.
PYNN_INLINE void prefetch_gates(const float* z, int64_t units, int64_t gates) {
  for (int64_t gate = 0; gate < gates; ++gate) __builtin_prefetch(z + gate * units);
}

/// Calls f(column, lanes) for the vectors of a row.
template <class F>
PYNN_INLINE void for_each_vector(int64_t units, const F& f) {
  int64_t j = 0;
  for (; j + W <= units; j += W) f(j, static_cast<int64_t>(W));
  if (j < units) f(j, units - j);
}

static inline void copy_rows(const float* from, int64_t from_step, float* to, int64_t to_step, int64_t rows,
                             int64_t width) {
  for (int64_t i = 0; i < rows; ++i) memcpy(to + i * to_step, from + i * from_step, width * sizeof(float));
}

// ---- forward: W units at a time, all their gates together ------------------------------------------------------

static inline int64_t unit_blocks(int64_t units) { return ceil_div(units, W); }
/// Floats of one packed block of units; `gates` is the number of gates.
static inline int64_t packed_block(int64_t units, int64_t gates) { return units * gates * W; }

/// Columns of unit block `block`, from all gates of R[units][gates * units], to panels of two gates (the last of one,
/// if their number is odd), so that one tile has all a unit needs.
static inline void pack_units(const float* recurrent, int64_t units, int64_t gates, int64_t block, float* packed) {
  const int64_t lanes = smaller<int64_t>(W, units - block * W);
  for (int64_t gate = 0; gate < gates; gate += kTileVectors) {
    const int64_t vectors = smaller<int64_t>(kTileVectors, gates - gate);
    for (int64_t k = 0; k < units; ++k)
      for (int64_t v = 0; v < vectors; ++v, packed += W)
        store(packed, load_lanes(recurrent + (k * gates + gate + v) * units + block * W, lanes));
  }
}

/// sums[rows][gates * W] = h[rows][units] times one packed block of units.
static inline void unit_products(const float* h, int64_t ld, int64_t rows, int64_t units, int64_t gates,
                                 const float* packed, float* sums) {
  for (int64_t gate = 0; gate < gates; gate += kTileVectors) {
    const int64_t vectors = smaller<int64_t>(kTileVectors, gates - gate), n = vectors * W;
    pick_micro_kernel<kRows>(rows, vectors)(units, h, ld, packed, n, sums + gate * W, gates * W, 0, nullptr, n);
    packed += units * n;
  }
}

// ---- backward: the gates' gradients times the transposed kernel ------------------------------------------------

static inline int64_t column_panels(int64_t units) { return ceil_div(units, kTileCols); }

/// Panel `panel` of the transposed R[units][width]: `width` rows of kTileCols units.
static inline void pack_transposed(const float* recurrent, int64_t units, int64_t width, int64_t panel, float* packed) {
  const int64_t j = panel * kTileCols;
  pack_b_panel_transposed(recurrent + j * width, width, width, smaller<int64_t>(kTileCols, units - j),
                          packed + panel * width * kTileCols);
}

/// dh[rows][units] = d[rows][width] times the packed transposed kernel, added to what is there if `flags` say so.
static inline void transposed_products(const float* d, int64_t ldd, int64_t rows, int64_t units, int64_t width,
                                       const float* packed, float* dh, int64_t ldh, int flags) {
  for (int64_t panel = 0; panel < column_panels(units); ++panel) {
    const int64_t j = panel * kTileCols, n = smaller<int64_t>(kTileCols, units - j), vectors = vectors_for(n);
    for_each_tile(rows, [&](int64_t first, int64_t count) {
      pick_micro_kernel<kRows>(count, vectors)(width, d + first * ldd, ldd, packed + panel * width * kTileCols,
                                               vectors * W, dh + first * ldh + j, ldh, flags, nullptr, n);
    });
  }
}

// ---- plans and phases ------------------------------------------------------------------------------------------

static inline void plan_phases(const RecurrentParams& p, int64_t gates, int64_t packing_tasks, int64_t packed_floats,
                               int64_t block_floats, KernelPlan& plan) {
  plan.phases = 2;
  plan.tasks[0] = packing_tasks;
  plan.nanoseconds[0] = 8.0 * p.units * p.units * gates / kBytesPerNanosecond;
  plan.tasks[1] = p.n;
  plan.coarse = true;
  plan.nanoseconds[1] = 1.0 * p.n * p.steps * p.units * gates * (2.0 * p.units / kFlopsPerNanosecond / 2 + 2.0) + 100;
  plan.shared_bytes = packed_floats * sizeof(float);
  plan.thread_bytes = block_floats * sizeof(float);
}

/// The plan of a forward kernel whose blocks of rows keep `states` arrays of the width of a state.
static inline void plan_forward(const RecurrentParams& p, int64_t gates, int64_t states, KernelPlan& plan) {
  const int64_t blocks = unit_blocks(p.units);
  plan_phases(p, gates, blocks, blocks * packed_block(p.units, gates),
              states * kBlockRows * block_stride(p.units) + kTileRows * gates * W, plan);
}

/// The plan of a backward kernel, whose blocks keep gradients of `states` states and of the gates.
static inline void plan_backward(const RecurrentParams& p, int64_t gates, int64_t states, KernelPlan& plan) {
  const int64_t panels = column_panels(p.units);
  plan_phases(p, gates, panels, panels * kTileCols * gates * p.units,
              kBlockRows * (states * block_stride(p.units) + block_stride(gates * p.units)), plan);
}

/// The tasks of a forward kernel's first phase; false in the second.
static inline bool packs_units(const KernelArgs& args, const RecurrentParams& p, int64_t gates,
                               const float* recurrent) {
  if (args.phase != 0) return false;
  float* packed = reinterpret_cast<float*>(args.shared);
  for (int64_t block = args.begin; block < args.end; ++block)
    pack_units(recurrent, p.units, gates, block, packed + block * packed_block(p.units, gates));
  return true;
}

/// The tasks of a backward kernel's first phase; false in the second.
static inline bool packs_transposed(const KernelArgs& args, const RecurrentParams& p, int64_t gates,
                                    const float* recurrent) {
  if (args.phase != 0) return false;
  for (int64_t panel = args.begin; panel < args.end; ++panel)
    pack_transposed(recurrent, p.units, gates * p.units, panel, reinterpret_cast<float*>(args.shared));
  return true;
}

}  // namespace PYNN_ISA
}  // namespace pynn
