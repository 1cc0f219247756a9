#pragma once
// What a pooled convolution of one-channel images and its gradient agree on.
#include "kernels/conv2d_narrow.h"
#include "simd/lanes.h"

namespace pynn {
namespace PYNN_ISA {

/// Winners are 0, 1, 2 or 3, by rows of the window of 2 x 2, or this (a NaN, or a pixel that only fills a vector).
constexpr float kNoWinner = -1;

/// Winners are [n][poh][filters][stride], vectors of pixels for each filter; whole vectors on every instruction set.
static inline int64_t winners_stride(const PooledConv2dParams& p) { return round_up(p.pow, 16); }

/// The convolution by itself.
static inline ConvShape shape_under_pooling(const PooledConv2dParams& p) {
  Conv2dParams c{};
  c.n = p.n;
  c.h = p.h;
  c.w = p.w;
  c.c = p.c;
  c.kh = p.kh;
  c.kw = p.kw;
  c.oh = p.oh;
  c.ow = p.ow;
  c.filters = p.filters;
  c.top = p.top;
  c.left = p.left;
  c.stride_h = c.stride_w = c.dilation_h = c.dilation_w = c.groups = 1;
  return conv_shape(c);
}

}  // namespace PYNN_ISA
}  // namespace pynn
