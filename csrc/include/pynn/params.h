#pragma once
// Attributes of each kernel, as plain data.  Python fills them as NumPy records of the same layout.
#include <stdint.h>

namespace pynn {

/// What a GEMM-like kernel does to a tile of its result before storing it.
enum Activation : int32_t {
  kLinear = 0,
  kRelu = 1,
  kSigmoid = 2,
  kTanh = 3,
  kRelu6 = 4,
};

/// C[m][n] = activation(op(A) op(B) + bias + residual), row-major.  A is stored [k][m] if transpose_a, B [n][k] if
/// transpose_b.
struct GemmParams {
  int64_t m, n, k;
  int32_t transpose_a, transpose_b;
  int32_t packed;      ///< 1: B is what gemm_pack_b made of it
  int32_t bias;        ///< 1: an input [n] after A and B is added to each row
  int32_t residual;    ///< 1: the last input [m][n] is added
  int32_t activation;  ///< enum Activation
};

/// B[k][n] -> panels [ceil(n / kPackedCols)][k][kPackedCols], zeros beyond column n.
struct GemmPackBParams {
  int64_t n, k;
};

/// C[b][m][n] = op(A[b]) op(B[b]) for each b of `batch`; storage as in GemmParams.
struct BatchedGemmParams {
  int64_t batch, m, n, k;
  int32_t transpose_a, transpose_b;
};

/// Attention of q[batch][queries][heads][dim], k[batch][keys][heads][dim], v[batch][keys][heads][value_dim].
struct AttentionParams {
  int64_t batch, heads, queries, keys, dim, value_dim;
  float scale;     ///< of the scores
  int32_t causal;  ///< 1: query i sees the keys 0..i only
  int32_t masked;  ///< 1: the last input is added to the scores: key j of query i at b * mask_batch + ... + j
  int64_t mask_batch, mask_head, mask_query;
};

struct CopyParams {
  int64_t nbytes;
};

/// Softmax, its gradients and the cross-entropies: each of `rows` has `columns` classes.
struct SoftmaxParams {
  int64_t rows, columns;
};

/// x[rows][channels], statistics per channel.
struct BatchNormParams {
  int64_t rows, channels;
  float epsilon;
  int32_t activation;  ///< enum Activation: linear, ReLU or ReLU6
  int32_t residual;    ///< 1: an array like x is added before the activation
};

/// x[rows][columns]: each row is normalized by itself.
struct LayerNormParams {
  int64_t rows, columns;
  float epsilon;
};

/// Random words below `threshold` (0..2^32) drop their element; the others are multiplied by `scale`.
struct DropoutParams {
  int64_t threshold;
  int64_t stream;  ///< which random op of the program
  float scale;
};

struct RandomUniformParams {
  float low, span;
  int64_t stream;
};

struct RandomNormalParams {
  float mean, stddev;
  int64_t stream;
};

struct NextSeedParams {
  int64_t steps;
};

struct SgdStepParams {
  int64_t count;  ///< parameters of the model
  float momentum;
  int32_t nesterov;
  float weight_decay, dampening;
};

struct AdamStepParams {
  int64_t count;
  double beta_1, beta_2, epsilon, weight_decay;
  int64_t amsgrad;
};

struct NadamStepParams {
  int64_t count;
  double beta_1, beta_2, epsilon, weight_decay;
};

struct AdamaxStepParams {
  int64_t count;
  double beta_1, beta_2, epsilon, weight_decay;
};

struct RmspropStepParams {
  int64_t count;
  double rho, momentum, epsilon, weight_decay;
  int64_t centered;
};

struct AdagradStepParams {
  int64_t count;
  double epsilon, weight_decay;
};

struct AdadeltaStepParams {
  int64_t count;
  double rho, epsilon, weight_decay;
};

struct LionStepParams {
  int64_t count;
  double beta_1, beta_2, weight_decay;
};

struct IncrementParams {
  int64_t by;
};

/// Limits of the machine: `tasks` times `rounds` times 12 vector products and sums.
struct PeakFmaParams {
  int64_t tasks, rounds;
};

enum PeakTraffic : int32_t { kPeakRead = 0, kPeakCopy = 1, kPeakTriad = 2 };

/// `tasks` parts of the operands, each moved `repeats` times; nontemporal: past the caches.
struct PeakMemoryParams {
  int64_t tasks, repeats;
  int32_t kind;  ///< enum PeakTraffic
  int32_t nontemporal;
};

constexpr int kMaxChainSteps = 32;
constexpr int kMaxChainInputs = 16;
constexpr int kMaxChainOutputs = 8;

/// A chain of element-wise steps over `size` positions.  Registers 0..n_in-1 are the inputs, step s defines register
/// n_in + s.  Input j at position i reads its element (i / repeat[j]) % period[j]: a full array has repeat 1 and
/// period `size`, a scalar period 1, a row vector its length as period, a column its inner size as repeat.
struct ElementwiseChainParams {
  int64_t size;
  int32_t n_steps;
  int32_t code[kMaxChainSteps];  ///< place in elementwise.def
  int32_t a[kMaxChainSteps], b[kMaxChainSteps], c[kMaxChainSteps];
  float immediate[kMaxChainSteps];
  int32_t output[kMaxChainOutputs];  ///< register of each output, all defined by steps
  int64_t repeat[kMaxChainInputs], period[kMaxChainInputs];
};

/// y[i_0]..[i_r-1] = x[sum of i_k * strides[k]], 4-byte elements.
struct StridedCopyParams {
  int32_t rank;
  int64_t sizes[8], strides[8];
};

/// y[i] = x[i - before] along each axis where that lies inside x, else 0; `before` may be negative.  4-byte elements.
struct PadParams {
  int32_t rank;
  int64_t sizes[8], padded[8], before[8];
};

/// Rows of all inputs, one after the other: y[outer][sum of their lengths].  4-byte elements.
struct ConcatenateParams {
  int64_t outer;
};

/// Element types: 0 float32, 1 int32, 2 int64, 3 uint8, 4 uint32.
struct CastParams {
  int32_t source, target;
};

/// Rows of a table [rows][inner] by their numbers.
struct TakeRowsParams {
  int64_t rows, inner;
};

/// A recurrent layer over n sequences of `steps` steps; g_...: which gradients arrive (gradient kernels only).
/// With `masked` the last input (before the gradients) is mask[n][steps]: where it is 0 the states stay as they are.
struct RecurrentParams {
  int64_t n, steps, units;
  int32_t backwards;  ///< 1: the first step is the last position
  int32_t g_sequence, g_last_h, g_last_c;
  int32_t masked;
};

/// x[outer][count][inner] and its `count` parts [outer][inner].
struct StepsParams {
  int64_t outer, count, inner;
};

struct OneHotParams {
  int64_t depth;
};

/// x[outer][reduced][inner] -> y[outer][inner]; kind 0 sum, 1 max, 2 min.
struct ReduceParams {
  int32_t kind;
  int64_t outer, reduced, inner;
};

struct ArgmaxParams {
  int64_t columns;
};

/// A 2D convolution or one of its gradients: x[n][h][w][c], w[kh][kw][c / groups][filters], y[n][oh][ow][filters].
/// Window (i, j) starts at row i * stride_h - top and column j * stride_w - left; outside the image x is zero.
struct Conv2dParams {
  int64_t n, h, w, c;
  int64_t kh, kw;
  int64_t oh, ow, filters;
  int64_t stride_h, stride_w, dilation_h, dilation_w, top, left;
  int64_t groups;
  int32_t packed;      ///< 1: w is what gemm_pack_b made of [kh * kw * c][filters]; the direct convolution only
  int32_t bias;        ///< 1: an input [filters] after x and w is added to each pixel
  int32_t residual;    ///< 1: the last input [n][oh][ow][filters] is added
  int32_t activation;  ///< enum Activation
};

/// A 3 x 3 convolution of x[n][h][w][c] by Winograd's algorithm, with tiles of tile x tile results (2 or 4); padding as
/// in Conv2dParams.  c and filters are multiples of 16.
struct Conv2dWinogradParams {
  int64_t n, h, w, c;
  int64_t oh, ow, filters;
  int64_t top, left;  ///< may be negative: the input's gradient crops what padding added
  int32_t tile;
  int32_t rotate;  ///< 1: the kernel lies as [3][3][filters][c] and is read backwards along its first two dimensions
  int32_t packed;  ///< 1: w is what conv2d_winograd_pack made
  int32_t bias, residual;  ///< as in Conv2dParams
  int32_t activation;      ///< enum Activation
};

/// w[3][3][c][filters] -> U[ceil(filters / kPackedCols)][(tile + 2)^2][c][kPackedCols] of Winograd's algorithm.
struct Conv2dWinogradPackParams {
  int64_t c, filters;
  int32_t tile;
};

/// Pooling of x[n][h][w][c] to y[n][oh][ow][c]; windows lie as in Conv2dParams, what is outside does not take part.
struct Pool2dParams {
  int64_t n, h, w, c;
  int64_t oh, ow;
  int64_t pool_h, pool_w, stride_h, stride_w, top, left;
};

/// A convolution (x[n][h][w][c] to y[n][oh][ow][filters], stride 1) and a max-pooling of y to [n][poh][pow][filters],
/// or a gradient of both.  `bias` and `activation` are of the convolution; gradients do not look at them.
struct PooledConv2dParams {
  int64_t n, h, w, c;
  int64_t kh, kw, oh, ow, filters, top, left;
  int64_t poh, pow, pool_h, pool_w, pool_stride_h, pool_stride_w, pool_top, pool_left;
  int32_t bias, activation;
};

}  // namespace pynn

// Each struct once more, with its fields, so that Python can see them.
#define PYNN_ALL_PARAMS(X)                                                                                            \
  X(GemmParams, m, n, k, transpose_a, transpose_b, packed, bias, residual, activation)                                \
  X(GemmPackBParams, n, k)                                                                                            \
  X(CopyParams, nbytes)                                                                                               \
  X(SoftmaxParams, rows, columns)                                                                                     \
  X(BatchNormParams, rows, channels, epsilon, activation, residual)                                                   \
  X(LayerNormParams, rows, columns, epsilon)                                                                          \
  X(BatchedGemmParams, batch, m, n, k, transpose_a, transpose_b)                                                      \
  X(AttentionParams, batch, heads, queries, keys, dim, value_dim, scale, causal, masked, mask_batch, mask_head,       \
    mask_query)                                                                                                       \
  X(DropoutParams, threshold, stream, scale)                                                                          \
  X(RandomUniformParams, low, span, stream)                                                                           \
  X(RandomNormalParams, mean, stddev, stream)                                                                         \
  X(NextSeedParams, steps)                                                                                            \
  X(SgdStepParams, count, momentum, nesterov, weight_decay, dampening)                                                \
  X(AdamStepParams, count, beta_1, beta_2, epsilon, weight_decay, amsgrad)                                            \
  X(NadamStepParams, count, beta_1, beta_2, epsilon, weight_decay)                                                    \
  X(AdamaxStepParams, count, beta_1, beta_2, epsilon, weight_decay)                                                   \
  X(RmspropStepParams, count, rho, momentum, epsilon, weight_decay, centered)                                         \
  X(AdagradStepParams, count, epsilon, weight_decay)                                                                  \
  X(AdadeltaStepParams, count, rho, epsilon, weight_decay)                                                            \
  X(LionStepParams, count, beta_1, beta_2, weight_decay)                                                              \
  X(IncrementParams, by)                                                                                              \
  X(PeakFmaParams, tasks, rounds)                                                                                     \
  X(PeakMemoryParams, tasks, repeats, kind, nontemporal)                                                              \
  X(ElementwiseChainParams, size, n_steps, code, a, b, c, immediate, output, repeat, period)                          \
  X(StridedCopyParams, rank, sizes, strides)                                                                          \
  X(PadParams, rank, sizes, padded, before)                                                                           \
  X(ConcatenateParams, outer)                                                                                         \
  X(CastParams, source, target)                                                                                       \
  X(TakeRowsParams, rows, inner)                                                                                      \
  X(RecurrentParams, n, steps, units, backwards, g_sequence, g_last_h, g_last_c, masked)                              \
  X(StepsParams, outer, count, inner)                                                                                 \
  X(OneHotParams, depth)                                                                                              \
  X(ReduceParams, kind, outer, reduced, inner)                                                                        \
  X(ArgmaxParams, columns)                                                                                            \
  X(Conv2dParams, n, h, w, c, kh, kw, oh, ow, filters, stride_h, stride_w, dilation_h, dilation_w, top, left, groups, \
    packed, bias, residual, activation)                                                                               \
  X(Conv2dWinogradPackParams, c, filters, tile)                                                                       \
  X(PooledConv2dParams, n, h, w, c, kh, kw, oh, ow, filters, top, left, poh, pow, pool_h, pool_w, pool_stride_h,      \
    pool_stride_w, pool_top, pool_left, bias, activation)                                                             \
  X(Pool2dParams, n, h, w, c, oh, ow, pool_h, pool_w, stride_h, stride_w, top, left)                                  \
  X(Conv2dWinogradParams, n, h, w, c, oh, ow, filters, top, left, tile, rotate, packed, bias, residual, activation)
