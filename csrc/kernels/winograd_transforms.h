#pragma once
// Winograd convolution F(m x m, 3 x 3): m x m results of a 3 x 3 window from (m + 2)^2 products instead of 9 m^2.
//
//   y = A^T [ (G w G^T) * (B^T x B) ] A      (* is taken point by point and summed over the channels)
//
// The polynomials behind the matrices are evaluated at 0, 1, -1, infinity (m = 2), and 2, -2 besides (m = 4).
// Every transform runs along the columns of a small square, then along its rows, on one vector of channels per element.
// Derivation and errors: docs/kernels/winograd.md.
#include "kernels/kernel.h"
#include "simd/vec.h"

namespace pynn {
namespace PYNN_ISA {

/// The matrices of F(m, 3), each as a function from the elements of a vector to those of the product.
template <int m>
struct Winograd;

template <>
struct Winograd<2> {
  static constexpr int kSize = 4;  // m + 2 elements along a transformed tile
  /// B^T: 4 -> 4.
  static __attribute__((always_inline)) void input(const Vec* x, Vec* v) {
    v[0] = x[0] - x[2];
    v[1] = x[1] + x[2];
    v[2] = x[2] - x[1];
    v[3] = x[1] - x[3];
  }
  /// G: 3 -> 4.
  static __attribute__((always_inline)) void kernel(const Vec* w, Vec* u) {
    const Vec even = (w[0] + w[2]) * 0.5f, odd = w[1] * 0.5f;
    u[0] = w[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = w[2];
  }
  /// A^T: 4 -> 2.
  static __attribute__((always_inline)) void output(const Vec* p, Vec* y) {
    y[0] = p[0] + p[1] + p[2];
    y[1] = p[1] - p[2] - p[3];
  }
  /// A, the transpose of `output`: 2 -> 4.
  static __attribute__((always_inline)) void output_gradient(const Vec* g, Vec* p) {
    p[0] = g[0];
    p[1] = g[0] + g[1];
    p[2] = g[0] - g[1];
    p[3] = -g[1];
  }
  /// G^T, the transpose of `kernel`: 4 -> 3.
  static __attribute__((always_inline)) void kernel_gradient(const Vec* u, Vec* w) {
    const Vec even = (u[1] + u[2]) * 0.5f;
    w[0] = u[0] + even;
    w[1] = (u[1] - u[2]) * 0.5f;
    w[2] = even + u[3];
  }
};

template <>
struct Winograd<4> {
  static constexpr int kSize = 6;
  /// B^T: 6 -> 6.
  static __attribute__((always_inline)) void input(const Vec* x, Vec* v) {
    const Vec even = x[4] - x[2] * 4.f, odd = x[3] - x[1] * 4.f;
    const Vec even_two = x[4] - x[2], odd_two = x[3] - x[1];
    v[0] = x[0] * 4.f + (x[4] - x[2] * 5.f);
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = even_two + odd_two * 2.f;
    v[4] = even_two - odd_two * 2.f;
    v[5] = x[1] * 4.f + (x[5] - x[3] * 5.f);
  }
  /// G: 3 -> 6.
  static __attribute__((always_inline)) void kernel(const Vec* w, Vec* u) {
    const Vec even = (w[0] + w[2]) * (-1.f / 6), odd = w[1] * (-1.f / 6);
    const Vec even_two = w[0] * (1.f / 24) + w[2] * (1.f / 6), odd_two = w[1] * (1.f / 12);
    u[0] = w[0] * 0.25f;
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = even_two + odd_two;
    u[4] = even_two - odd_two;
    u[5] = w[2];
  }
  /// A^T: 6 -> 4.
  static __attribute__((always_inline)) void output(const Vec* p, Vec* y) {
    const Vec even = p[1] + p[2], odd = p[1] - p[2], even_two = p[3] + p[4], odd_two = p[3] - p[4];
    y[0] = p[0] + even + even_two;
    y[1] = odd + odd_two * 2.f;
    y[2] = even + even_two * 4.f;
    y[3] = odd + odd_two * 8.f + p[5];
  }
  /// A, the transpose of `output`: 4 -> 6.
  static __attribute__((always_inline)) void output_gradient(const Vec* g, Vec* p) {
    const Vec even = g[0] + g[2], odd = g[1] + g[3];
    const Vec even_two = g[0] + g[2] * 4.f, odd_two = g[1] + g[3] * 4.f;
    p[0] = g[0];
    p[1] = even + odd;
    p[2] = even - odd;
    p[3] = even_two + odd_two * 2.f;
    p[4] = even_two - odd_two * 2.f;
    p[5] = g[3];
  }
  /// G^T, the transpose of `kernel`: 6 -> 3.
  static __attribute__((always_inline)) void kernel_gradient(const Vec* u, Vec* w) {
    const Vec even = u[1] + u[2], odd = u[1] - u[2], even_two = u[3] + u[4], odd_two = u[3] - u[4];
    w[0] = u[0] * 0.25f - even * (1.f / 6) + even_two * (1.f / 24);
    w[1] = odd_two * (1.f / 12) - odd * (1.f / 6);
    w[2] = (even_two - even) * (1.f / 6) + u[5];
  }
};

#define PYNN_EACH(i, n) _Pragma("GCC unroll 8") for (int i = 0; i < n; ++i)

/// M X M^T for a square X of `from` x `from` and a matrix M of `to` x `from`, given as the function `multiply`.
template <int from, int to, class Multiply, class Read, class Write>
PYNN_INLINE void transform_square(Multiply multiply, Read read, Write write) {
  Vec half[to][from];
  PYNN_EACH(j, from) {
    Vec column[from], product[to];
    PYNN_EACH(i, from) column[i] = read(i, j);
    multiply(column, product);
    PYNN_EACH(i, to) half[i][j] = product[i];
  }
  PYNN_EACH(i, to) {
    Vec product[to];
    multiply(half[i], product);
    PYNN_EACH(j, to) write(i, j, product[j]);
  }
}

/// Sizes that follow from the attributes.
struct WinogradShape {
  Conv2dWinogradParams p;
  int64_t tiles_h, tiles_w;  // tiles of m x m results in one image
  int64_t tiles;             // in all images
  int64_t points;            // elements of a transformed tile
  int64_t panels;            // of filters, kTileCols wide but for the last
};

static inline WinogradShape winograd_shape(const Conv2dWinogradParams& p) {
  WinogradShape s;
  s.p = p;
  s.tiles_h = ceil_div(p.oh, p.tile);
  s.tiles_w = ceil_div(p.ow, p.tile);
  s.tiles = p.n * s.tiles_h * s.tiles_w;
  s.points = (p.tile + 2) * (p.tile + 2);
  s.panels = ceil_div(p.filters, kTileCols);
  return s;
}

/// Leading dimension of transformed tiles: with 4 KB or 2 KB the rows of a micro-tile would share one or two cache
/// sets.
static inline int64_t tile_stride(int64_t channels) { return channels < 512 ? channels : channels + 16; }

/// Numbers from one point to the next where `floats` (a multiple of 16) are kept for each: an odd number of cache
/// lines, so that the points of a tile, which are written and read together, spread over the cache's sets.
static inline int64_t point_step(int64_t floats) { return (floats / 16 | 1) * 16; }

static inline int64_t panel_width(const WinogradShape& s, int64_t panel) {
  return smaller<int64_t>(kTileCols, s.p.filters - panel * kTileCols);
}

/// Tiles one after the other; divisions for each would take as long as a vector's transform.
struct TileWalk {
  int64_t image, row, column;

  TileWalk(const WinogradShape& s, int64_t tile)
      : image(tile / (s.tiles_h * s.tiles_w)), row(tile / s.tiles_w % s.tiles_h), column(tile % s.tiles_w) {}

  void next(const WinogradShape& s) {
    if (++column < s.tiles_w) return;
    column = 0;
    if (++row < s.tiles_h) return;
    row = 0;
    ++image;
  }
};

/// Images [n][h][w][channels] that tiles are cut from.
template <class T>
struct Images {
  T* data;
  int64_t h, w, channels;

  T* pixel(int64_t image, int64_t y, int64_t x) const { return data + ((image * h + y) * w + x) * channels; }
};

/// A square of `size` x `size` pixels.  Most lie inside their image, where the place of a pixel is a sum; of the others
/// there is a table of places, which are `outside` for pixels beyond the image.
template <int size, class T>
struct Square {
  T* first;
  int64_t row_step, step;
  T* table[size * size];
  bool inside;

  /// The pixels from (y, x) on.
  void place(const Images<T>& in, int64_t image, int64_t y, int64_t x, T* outside) {
    inside = y >= 0 && x >= 0 && y + size <= in.h && x + size <= in.w;
    first = in.pixel(image, y, x);
    step = in.channels;
    row_step = in.w * in.channels;
    if (inside) return;
    for (int k = 0; k < size * size; ++k) table[k] = outside;
    const int64_t top = larger<int64_t>(0, -y), bottom = smaller<int64_t>(size, in.h - y);
    const int64_t left = larger<int64_t>(0, -x), right = smaller<int64_t>(size, in.w - x);
    for (int64_t i = top; i < bottom; ++i)
      for (int64_t j = left; j < right; ++j) table[i * size + j] = first + i * row_step + j * step;
  }
};

/// Calls `body` with a function from (i, j) to a pixel's place: two copies of the caller's loop, one for each case.
template <int size, class T, class Body>
PYNN_INLINE void visit(const Square<size, T>& square, Body body) {
  if (square.inside) {
    T* const first = square.first;
    const int64_t row_step = square.row_step, step = square.step;
    body([=](int i, int j) { return first + i * row_step + j * step; });
  } else {
    body([&](int i, int j) { return square.table[i * size + j]; });
  }
}

/// V = B^T x B of tiles [t0, t1), channels [c0, c1), to v[point][tile - t0][ld], `step` numbers from point to point.
template <int m>
static void transform_input(const WinogradShape& s, const float* x, int64_t t0, int64_t t1, int64_t c0, int64_t c1,
                            const float* zeros, float* v, int64_t ld, int64_t step) {
  constexpr int kSize = Winograd<m>::kSize;
  const Images<const float> images{x, s.p.h, s.p.w, s.p.c};
  Square<kSize, const float> pixels;
  TileWalk tile(s, t0);
  for (int64_t t = t0; t < t1; ++t, v += ld, tile.next(s)) {
    pixels.place(images, tile.image, tile.row * m - s.p.top, tile.column * m - s.p.left, zeros);
    visit(pixels, [&](auto pixel) __attribute__((always_inline)) {
      for (int64_t c = c0; c < c1; c += W)
        transform_square<kSize, kSize>([](const Vec* a, Vec* b) { Winograd<m>::input(a, b); },
                                       [&](int i, int j) { return load(pixel(i, j) + c); },
                                       [&](int i, int j, Vec a) { store(v + (i * kSize + j) * step + c - c0, a); });
    });
  }
}

}  // namespace PYNN_ISA
}  // namespace pynn
