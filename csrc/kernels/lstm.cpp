// The recurrent part of an LSTM over whole sequences, and its gradient.  The input's part of the gates comes ready in
// z[n][steps][4 * units], in Keras's order: input gate i, forget gate f, candidate g, output gate o.
//
//   i, f, o = sigmoid(z + h R), g = tanh(z + h R);  c = f * c + i * g;  h = o * tanh(c)
//
// Step s is at position s of the sequence, or at the same distance from its end if it runs backwards.  All that is kept
// for the gradient lies at its position; only `sequence`, the result, is in the order of the steps.
//
// At a masked step h and c stay.  Its gates are kept as f = 1, i = g = o = 0, from which the gradient's formula gives
// zeros for z and hands c's gradient on as it is; only h's has to be told.
#include "kernels/recurrent.h"
#include "simd/vmath.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kGates = 4;

struct Forward {
  RecurrentParams p;
  const float *z, *packed, *h0, *c0;
  const float* mask;  // null without
  float *sequence, *last_h, *last_c, *before, *cells, *gates;
};

/// One step of W units of one row: from sums (h R) and z to the gates, the cell and the new h.
PYNN_INLINE Vec lstm_cell(const float* sums, const float* z, float* gates, int64_t units, float* c, int64_t lanes) {
  const Vec i = vsigmoid(load(sums) + load_lanes(z, lanes));
  const Vec f = vsigmoid(load(sums + W) + load_lanes(z + units, lanes));
  const Vec g = vtanh(load(sums + 2 * W) + load_lanes(z + 2 * units, lanes));
  const Vec o = vsigmoid(load(sums + 3 * W) + load_lanes(z + 3 * units, lanes));
  const Vec cell = f * load(c) + i * g;
  store(c, cell);
  store_lanes(gates, i, lanes);
  store_lanes(gates + units, f, lanes);
  store_lanes(gates + 2 * units, g, lanes);
  store_lanes(gates + 3 * units, o, lanes);
  return o * vtanh(cell);
}

/// A masked step of W units of one row: the cell stays, and the gates say so.
PYNN_INLINE void lstm_cell_masked(float* gates, int64_t units, int64_t lanes) {
  const Vec zero = broadcast(0.f);
  store_lanes(gates, zero, lanes);
  store_lanes(gates + units, broadcast(1.f), lanes);
  store_lanes(gates + 2 * units, zero, lanes);
  store_lanes(gates + 3 * units, zero, lanes);
}

/// All steps of rows [first, first + rows).
void run_block(const Forward& q, int64_t first, int64_t rows, float* scratch) {
  const int64_t units = q.p.units, steps = q.p.steps, ld = block_stride(units);
  float *h = scratch, *h_new = h + kBlockRows * ld, *c = h_new + kBlockRows * ld, *sums = c + kBlockRows * ld;
  copy_rows(q.h0 + first * units, units, h, ld, rows, units);
  copy_rows(q.c0 + first * units, units, c, ld, rows, units);
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t at = q.p.backwards ? steps - 1 - step : step;
    const int64_t ahead = step + 1 == steps ? 0 : (q.p.backwards ? -1 : 1) * kGates * units;
    copy_rows(h, ld, q.before + (first * steps + at) * units, steps * units, rows, units);
    for (int64_t block = 0; block < unit_blocks(units); ++block) {
      const int64_t j = block * W, lanes = smaller<int64_t>(W, units - j);
      for_each_tile(rows, [&](int64_t r0, int64_t count) {
        unit_products(h + r0 * ld, ld, count, units, kGates, q.packed + block * packed_block(units, kGates), sums);
        for (int64_t r = 0; r < count; ++r) {
          const int64_t row = (first + r0 + r) * steps + at;  // of z and of all that is kept
          float* cell = c + (r0 + r) * ld + j;
          const int64_t gates_at = row * kGates * units + j;
          prefetch_gates(q.z + gates_at + ahead, units, kGates);
          const int64_t state_at = (r0 + r) * ld + j;
          if (q.mask && q.mask[row] == 0.f) {
            lstm_cell_masked(q.gates + gates_at, units, lanes);
            store(h_new + state_at, load(h + state_at));
          } else {
            store(h_new + state_at,
                  lstm_cell(sums + r * kGates * W, q.z + gates_at, q.gates + gates_at, units, cell, lanes));
          }
          store_lanes(q.cells + row * units + j, load(cell), lanes);
        }
      });
    }
    float* swap = h;
    h = h_new;
    h_new = swap;
    copy_rows(h, ld, q.sequence + (first * steps + step) * units, steps * units, rows, units);
  }
  copy_rows(h, ld, q.last_h + first * units, units, rows, units);
  copy_rows(c, ld, q.last_c + first * units, units, rows, units);
}

struct Backward {
  RecurrentParams p;
  const float *gates, *cells, *c0, *packed;
  const float* mask;                              // null without
  const float *g_sequence, *g_last_h, *g_last_c;  // null where no gradient arrives
  float *dz, *dh0, *dc0;
};

/// The gates' gradients of W units of one row; `dc` goes to the step before.
PYNN_INLINE void lstm_cell_grad(const float* gates, int64_t units, Vec cell, Vec cell_before, Vec dh, float* dc,
                                float* d, int64_t lanes) {
  const Vec i = load_lanes(gates, lanes), f = load_lanes(gates + units, lanes);
  const Vec g = load_lanes(gates + 2 * units, lanes), o = load_lanes(gates + 3 * units, lanes);
  const Vec t = vtanh(cell);
  const Vec dcell = load(dc) + dh * o * (1.f - t * t);
  store_lanes(d, dcell * g * i * (1.f - i), lanes);
  store_lanes(d + units, dcell * cell_before * f * (1.f - f), lanes);
  store_lanes(d + 2 * units, dcell * i * (1.f - g * g), lanes);
  store_lanes(d + 3 * units, dh * t * o * (1.f - o), lanes);
  store(dc, dcell * f);
}

/// All steps of rows [first, first + rows), the last one first.
void run_block_back(const Backward& q, int64_t first, int64_t rows, float* scratch) {
  const int64_t units = q.p.units, steps = q.p.steps, width = kGates * units;
  const int64_t ld = block_stride(units), ldd = block_stride(width);
  float *dh = scratch, *dc = dh + kBlockRows * ld, *d = dc + kBlockRows * ld;
  memset(dh, 0, 2 * kBlockRows * ld * sizeof(float));
  if (q.g_last_h) copy_rows(q.g_last_h + first * units, units, dh, ld, rows, units);
  if (q.g_last_c) copy_rows(q.g_last_c + first * units, units, dc, ld, rows, units);
  for (int64_t step = steps - 1; step >= 0; --step) {
    const int64_t at = q.p.backwards ? steps - 1 - step : step, at_before = q.p.backwards ? at + 1 : at - 1;
    const int64_t ahead = step ? (at_before - at) * width : 0;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t row = (first + r) * steps;
      const float* gates = q.gates + (row + at) * width;
      const float* cells = q.cells + (row + at) * units;
      const float* before = step ? q.cells + (row + at_before) * units : q.c0 + (first + r) * units;
      const float* g = q.g_sequence ? q.g_sequence + (row + step) * units : nullptr;
      const bool masked = q.mask && q.mask[row + at] == 0.f;
      for_each_vector(units, [&](int64_t j, int64_t lanes) {
        prefetch_gates(gates + ahead + j, units, kGates);
        Vec incoming = load(dh + r * ld + j);
        if (g) incoming += load_lanes(g + j, lanes);
        lstm_cell_grad(gates + j, units, load_lanes(cells + j, lanes), load_lanes(before + j, lanes), incoming,
                       dc + r * ld + j, d + r * ldd + j, lanes);
        if (q.mask) store(dh + r * ld + j, masked ? incoming : broadcast(0.f));
      });
    }
    copy_rows(d, ldd, q.dz + (first * steps + at) * width, steps * width, rows, width);
    transposed_products(d, ldd, rows, units, width, q.packed, dh, ld, q.mask ? kAccumulate : 0);
  }
  copy_rows(dh, ld, q.dh0 + first * units, units, rows, units);
  copy_rows(dc, ld, q.dc0 + first * units, units, rows, units);
}

}  // namespace

void lstm_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_forward(params_of<RecurrentParams>(args), kGates, 3, plan);
}

void lstm(const KernelArgs& args) {
  const auto p = params_of<RecurrentParams>(args);
  if (packs_units(args, p, kGates, args.input<float>(1))) return;
  const Forward q = {p,
                     args.input<float>(0),
                     reinterpret_cast<const float*>(args.shared),
                     args.input<float>(2),
                     args.input<float>(3),
                     p.masked ? args.input<float>(4) : nullptr,
                     args.output<float>(0),
                     args.output<float>(1),
                     args.output<float>(2),
                     args.output<float>(3),
                     args.output<float>(4),
                     args.output<float>(5)};
  for_each_block(args.begin, args.end, [&](int64_t first, int64_t rows) {
    run_block(q, first, rows, reinterpret_cast<float*>(args.scratch));
  });
}

void lstm_grad_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_backward(params_of<RecurrentParams>(args), kGates, 2, plan);
}

void lstm_grad(const KernelArgs& args) {
  const auto p = params_of<RecurrentParams>(args);
  if (packs_transposed(args, p, kGates, args.input<float>(3))) return;
  int next = 4;
  Backward q = {};
  q.p = p;
  q.gates = args.input<float>(0);
  q.cells = args.input<float>(1);
  q.c0 = args.input<float>(2);
  q.packed = reinterpret_cast<const float*>(args.shared);
  if (p.masked) q.mask = args.input<float>(next++);
  if (p.g_sequence) q.g_sequence = args.input<float>(next++);
  if (p.g_last_h) q.g_last_h = args.input<float>(next++);
  if (p.g_last_c) q.g_last_c = args.input<float>(next++);
  q.dz = args.output<float>(0);
  q.dh0 = args.output<float>(1);
  q.dc0 = args.output<float>(2);
  for_each_block(args.begin, args.end, [&](int64_t first, int64_t rows) {
    run_block_back(q, first, rows, reinterpret_cast<float*>(args.scratch));
  });
}

}  // namespace PYNN_ISA
}  // namespace pynn
