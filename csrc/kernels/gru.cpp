// The recurrent part of a GRU over whole sequences, with the reset gate after the product (Keras's reset_after=True),
// and its gradient.  The input's part of the gates comes ready in x[n][steps][3 * units], in Keras's order: update gate
// z, reset gate r, candidate c.
//
//   z, r = sigmoid(x + h R + b);  inner = h R_c + b_c;  c = tanh(x_c + r * inner);  h = z * h + (1 - z) * c
//
// Positions are as in lstm.cpp.  At a masked step h stays.  Its gates are kept as z = 1, r = c = 0, from which the
// gradient's formula gives zeros for x and hands h's gradient on as it is: the gradient needs no mask.
#include "kernels/recurrent.h"
#include "simd/vmath.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kGates = 3;

struct Forward {
  RecurrentParams p;
  const float *x, *packed, *bias, *h0;
  const float* mask;  // null without
  float *sequence, *last, *before, *gates, *inner;
};

/// One step of W units of one row.
PYNN_INLINE Vec gru_cell(const float* sums, const float* x, const float* bias, float* gates, float* inner,
                         int64_t units, Vec h, int64_t lanes) {
  const Vec z = vsigmoid(load(sums) + load_lanes(bias, lanes) + load_lanes(x, lanes));
  const Vec r = vsigmoid(load(sums + W) + load_lanes(bias + units, lanes) + load_lanes(x + units, lanes));
  const Vec n = load(sums + 2 * W) + load_lanes(bias + 2 * units, lanes);
  const Vec c = vtanh(load_lanes(x + 2 * units, lanes) + r * n);
  store_lanes(gates, z, lanes);
  store_lanes(gates + units, r, lanes);
  store_lanes(gates + 2 * units, c, lanes);
  store_lanes(inner, n, lanes);
  return z * h + (1.f - z) * c;
}

/// A masked step of W units of one row: the gates say that h stays.
PYNN_INLINE void gru_cell_masked(float* gates, float* inner, int64_t units, int64_t lanes) {
  const Vec zero = broadcast(0.f);
  store_lanes(gates, broadcast(1.f), lanes);
  store_lanes(gates + units, zero, lanes);
  store_lanes(gates + 2 * units, zero, lanes);
  store_lanes(inner, zero, lanes);
}

/// All steps of rows [first, first + rows).
void run_block(const Forward& q, int64_t first, int64_t rows, float* scratch) {
  const int64_t units = q.p.units, steps = q.p.steps, ld = block_stride(units);
  float *h = scratch, *h_new = h + kBlockRows * ld, *sums = h_new + kBlockRows * ld;
  copy_rows(q.h0 + first * units, units, h, ld, rows, units);
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t at = q.p.backwards ? steps - 1 - step : step;
    const int64_t ahead = step + 1 == steps ? 0 : (q.p.backwards ? -1 : 1) * kGates * units;
    copy_rows(h, ld, q.before + (first * steps + at) * units, steps * units, rows, units);
    for (int64_t block = 0; block < unit_blocks(units); ++block) {
      const int64_t j = block * W, lanes = smaller<int64_t>(W, units - j);
      for_each_tile(rows, [&](int64_t r0, int64_t count) {
        unit_products(h + r0 * ld, ld, count, units, kGates, q.packed + block * packed_block(units, kGates), sums);
        for (int64_t r = 0; r < count; ++r) {
          const int64_t row = (first + r0 + r) * steps + at, gates_at = row * kGates * units + j;
          prefetch_gates(q.x + gates_at + ahead, units, kGates);
          const int64_t state_at = (r0 + r) * ld + j;
          float* inner = q.inner + row * units + j;
          const Vec before = load(h + state_at);
          if (q.mask && q.mask[row] == 0.f) {
            gru_cell_masked(q.gates + gates_at, inner, units, lanes);
            store(h_new + state_at, before);
          } else {
            store(h_new + state_at, gru_cell(sums + r * kGates * W, q.x + gates_at, q.bias + j, q.gates + gates_at,
                                             inner, units, before, lanes));
          }
        }
      });
    }
    float* swap = h;
    h = h_new;
    h_new = swap;
    copy_rows(h, ld, q.sequence + (first * steps + step) * units, steps * units, rows, units);
  }
  copy_rows(h, ld, q.last + first * units, units, rows, units);
}

struct Backward {
  RecurrentParams p;
  const float *gates, *inner, *before, *packed;
  const float *g_sequence, *g_last;  // null where no gradient arrives
  float *dx, *dr, *dh0;              // dr: of h R + b
};

/// Gradients of W units of one row, of x (`dx`) and of h R + b (`dr`); returns what goes straight to the h before.
PYNN_INLINE Vec gru_cell_grad(const float* gates, Vec inner, Vec before, int64_t units, Vec dh, float* dx, float* dr,
                              int64_t lanes) {
  const Vec z = load_lanes(gates, lanes), r = load_lanes(gates + units, lanes);
  const Vec c = load_lanes(gates + 2 * units, lanes);
  const Vec dc = dh * (1.f - z) * (1.f - c * c);
  const Vec dz = dh * (before - c) * z * (1.f - z), dreset = dc * inner * r * (1.f - r);
  store_lanes(dx, dz, lanes);
  store_lanes(dx + units, dreset, lanes);
  store_lanes(dx + 2 * units, dc, lanes);
  store_lanes(dr, dz, lanes);
  store_lanes(dr + units, dreset, lanes);
  store_lanes(dr + 2 * units, dc * r, lanes);
  return dh * z;
}

/// All steps of rows [first, first + rows), the last one first.
void run_block_back(const Backward& q, int64_t first, int64_t rows, float* scratch) {
  const int64_t units = q.p.units, steps = q.p.steps, width = kGates * units;
  const int64_t ld = block_stride(units), ldd = block_stride(width);
  float *dh = scratch, *d = dh + kBlockRows * ld;
  memset(dh, 0, kBlockRows * ld * sizeof(float));
  if (q.g_last) copy_rows(q.g_last + first * units, units, dh, ld, rows, units);
  for (int64_t step = steps - 1; step >= 0; --step) {
    const int64_t at = q.p.backwards ? steps - 1 - step : step;
    const int64_t ahead = step ? (q.p.backwards ? 1 : -1) * width : 0;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t row = (first + r) * steps + at;
      const float *gates = q.gates + row * width, *inner = q.inner + row * units, *before = q.before + row * units;
      const float* g = q.g_sequence ? q.g_sequence + ((first + r) * steps + step) * units : nullptr;
      for_each_vector(units, [&](int64_t j, int64_t lanes) {
        prefetch_gates(gates + ahead + j, units, kGates);
        float* to = dh + r * ld + j;
        Vec incoming = load(to);
        if (g) incoming += load_lanes(g + j, lanes);
        store(to, gru_cell_grad(gates + j, load_lanes(inner + j, lanes), load_lanes(before + j, lanes), units, incoming,
                                q.dx + row * width + j, d + r * ldd + j, lanes));
      });
    }
    copy_rows(d, ldd, q.dr + (first * steps + at) * width, steps * width, rows, width);
    transposed_products(d, ldd, rows, units, width, q.packed, dh, ld, kAccumulate);
  }
  copy_rows(dh, ld, q.dh0 + first * units, units, rows, units);
}

}  // namespace

void gru_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_forward(params_of<RecurrentParams>(args), kGates, 2, plan);
}

void gru(const KernelArgs& args) {
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
                     args.output<float>(4)};
  for_each_block(args.begin, args.end, [&](int64_t first, int64_t rows) {
    run_block(q, first, rows, reinterpret_cast<float*>(args.scratch));
  });
}

void gru_grad_plan(const KernelArgs& args, KernelPlan& plan) {
  plan_backward(params_of<RecurrentParams>(args), kGates, 1, plan);
}

void gru_grad(const KernelArgs& args) {
  const auto p = params_of<RecurrentParams>(args);
  if (packs_transposed(args, p, kGates, args.input<float>(3))) return;
  int next = 4;
  Backward q = {};
  q.p = p;
  q.gates = args.input<float>(0);
  q.inner = args.input<float>(1);
  q.before = args.input<float>(2);
  q.packed = reinterpret_cast<const float*>(args.shared);
  if (p.g_sequence) q.g_sequence = args.input<float>(next++);
  if (p.g_last_h) q.g_last = args.input<float>(next++);
  q.dx = args.output<float>(0);
  q.dr = args.output<float>(1);
  q.dh0 = args.output<float>(2);
  for_each_block(args.begin, args.end, [&](int64_t first, int64_t rows) {
    run_block_back(q, first, rows, reinterpret_cast<float*>(args.scratch));
  });
}

}  // namespace PYNN_ISA
}  // namespace pynn
