// A whole chain of element-wise steps, tile by tile: a tile's intermediate values never leave the L1 cache, so a
// chain costs the memory traffic of its inputs and outputs however many steps it has.
#include "kernels/kernel.h"
#include "simd/vmath.h"

namespace pynn {
namespace PYNN_ISA {
namespace {

constexpr int64_t kTile = 512;    // floats; 32 live registers of 2 KB would just fill L1, real chains keep 2 to 5
constexpr int64_t kChunk = 8192;  // positions per task
constexpr int kMaxRegisters = kMaxChainInputs + kMaxChainSteps;

enum Code : int32_t {
#define PYNN_ELEMENTWISE(name, operands, expression) kCode_##name,
#include "pynn/elementwise.def"
#undef PYNN_ELEMENTWISE
};

// Number of operands by code.
constexpr int kOperands[] = {
#define PYNN_ELEMENTWISE(name, operands, expression) operands,
#include "pynn/elementwise.def"
#undef PYNN_ELEMENTWISE
};

// One function per line of elementwise.def: y[0..n) from a, b, c, which may be y itself.
#define PYNN_ELEMENTWISE(name, operands, expression)                                                           \
  void tile_##name(const float* pa, const float* pb, const float* pc, float constant, float* y, int64_t n) {   \
    const Vec s = broadcast(constant);                                                                         \
    (void)s;                                                                                                   \
    const auto f = [s](Vec a, Vec b, Vec c) -> Vec {                                                           \
      (void)s, (void)a, (void)b, (void)c;                                                                      \
      return expression;                                                                                       \
    };                                                                                                         \
    int64_t i = 0;                                                                                             \
    for (; i + W <= n; i += W)                                                                                 \
      store(y + i, f(load(pa + i), operands > 1 ? load(pb + i) : Vec{}, operands > 2 ? load(pc + i) : Vec{})); \
    if (i < n) {                                                                                               \
      const int64_t rest = n - i;                                                                              \
      store_first(y + i,                                                                                       \
                  f(load_first(pa + i, rest), operands > 1 ? load_first(pb + i, rest) : Vec{},                 \
                    operands > 2 ? load_first(pc + i, rest) : Vec{}),                                          \
                  rest);                                                                                       \
    }                                                                                                          \
  }
#include "pynn/elementwise.def"
#undef PYNN_ELEMENTWISE

typedef void (*TileFunction)(const float*, const float*, const float*, float, float*, int64_t);
const TileFunction kTileFunctions[] = {
#define PYNN_ELEMENTWISE(name, operands, expression) &tile_##name,
#include "pynn/elementwise.def"
#undef PYNN_ELEMENTWISE
};

/// How an input is read.
enum class Reading {
  kFull,     ///< in place
  kScalar,   ///< one number: a tile filled once per call
  kRow,      ///< a short row: written out once per call so often that a tile can start anywhere in it
  kLongRow,  ///< a long row: in place, except for the tile in which it starts again
  kColumn,   ///< each number several times in a row: written out for each tile
};

Reading reading_of(const ElementwiseChainParams& p, int j) {
  if (p.repeat[j] == 1 && p.period[j] == p.size) return Reading::kFull;
  if (p.period[j] == 1) return Reading::kScalar;
  if (p.repeat[j] > 1) return Reading::kColumn;
  return p.period[j] <= kTile ? Reading::kRow : Reading::kLongRow;
}

/// Where a register's tile lies: in an operand (it advances with the position) or in a scratch buffer.
struct Register {
  float* base;
  bool moves;
};

/// The tile [first, first + n) of a broadcast input, written out.
void expand(const float* x, int64_t repeat, int64_t period, int64_t first, int64_t n, float* tile) {
  if (repeat == 1) {  // a vector again and again
    int64_t at = first % period;
    for (int64_t i = 0; i < n;) {
      const int64_t run = smaller(n - i, period - at);
      memcpy(tile + i, x + at, run * sizeof(float));
      i += run;
      at = 0;
    }
    return;
  }
  int64_t element = first / repeat % period, left = repeat - first % repeat;
  for (int64_t i = 0; i < n;) {
    const int64_t run = smaller(n - i, left);
    const float value = x[element];
    for (int64_t j = 0; j < run; ++j) tile[i + j] = value;
    i += run;
    element = element + 1 == period ? 0 : element + 1;
    left = repeat;
  }
}

}  // namespace

void elementwise_chain_plan(const KernelArgs& args, KernelPlan& plan) {
  const auto p = params_of<ElementwiseChainParams>(args);
  plan.tasks[0] = ceil_div(p.size, kChunk);
  // Each register has a buffer of its own, an input room for a row and a tile: only those in use are touched.
  plan.thread_bytes = (2 * args.n_in + p.n_steps) * kTile * static_cast<int64_t>(sizeof(float));
  const double bytes = 4.0 * p.size * (args.n_in + args.n_out);
  plan.nanoseconds[0] = bytes / kBytesPerNanosecond + p.size * 0.08 * p.n_steps + 50;
}

void elementwise_chain(const KernelArgs& args) {
  const auto p = params_of<ElementwiseChainParams>(args);
  const int n_in = args.n_in;
  float* const scratch = reinterpret_cast<float*>(args.scratch);
  Register registers[kMaxRegisters];
  Reading reading[kMaxChainInputs];
  for (int j = 0; j < n_in; ++j) {
    float* const own = scratch + 2 * j * kTile;
    reading[j] = reading_of(p, j);
    registers[j] = {own, false};
    if (reading[j] == Reading::kFull) registers[j] = {static_cast<float*>(args.in[j].data), true};
    if (reading[j] == Reading::kScalar) expand(args.input<float>(j), kTile, 1, 0, kTile, own);
    if (reading[j] == Reading::kRow) expand(args.input<float>(j), 1, p.period[j], 0, kTile + p.period[j], own);
  }
  for (int s = 0; s < p.n_steps; ++s) registers[n_in + s] = {scratch + (2 * n_in + s) * kTile, false};
  for (int o = 0; o < args.n_out; ++o) registers[p.output[o]] = {args.output<float>(o), true};

  const int64_t last = smaller(p.size, args.end * kChunk);
  for (int64_t first = args.begin * kChunk; first < last; first += kTile) {
    const int64_t n = smaller(kTile, last - first);
    for (int j = 0; j < n_in; ++j) {
      float* const own = scratch + 2 * j * kTile;
      const int64_t start = first % p.period[j];
      if (reading[j] == Reading::kRow) registers[j].base = own + start;
      if (reading[j] == Reading::kColumn) expand(args.input<float>(j), p.repeat[j], p.period[j], first, n, own);
      if (reading[j] == Reading::kLongRow) {
        const bool starts_again = start + n > p.period[j];
        if (starts_again) expand(args.input<float>(j), 1, p.period[j], first, n, own);
        registers[j].base = starts_again ? own : static_cast<float*>(args.in[j].data) + start;
      }
    }
    const auto at = [&](int r) { return registers[r].base + (registers[r].moves ? first : 0); };
    for (int s = 0; s < p.n_steps; ++s) {
      const int operands = kOperands[p.code[s]];
      const float* a = at(p.a[s]);
      kTileFunctions[p.code[s]](a, operands > 1 ? at(p.b[s]) : a, operands > 2 ? at(p.c[s]) : a, p.immediate[s],
                                at(n_in + s), n);
    }
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
