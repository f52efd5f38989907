// The gated quantizer on one part of a tensor, block by block (docs/method.md): what its two kernels compute.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "vectors.h"

namespace {

constexpr int kLevels = 5;
constexpr int kBits[kLevels] = {2, 4, 8, 16, 32};
constexpr int kLanes = 16;

// As the host passes it: [xMax, signed, weights of the 5 levels, and for gradients which levels are wanted].
struct Grid {
  float low, high;           // what clipping leaves alone
  float insideLow, insideHigh;  // what counts as inside the range
  float step[kLevels], code[kLevels], lowest[kLevels], weight[kLevels];
  bool wanted[kLevels];

  Grid(const float* values, bool gradient) {
    const float xMax = values[0];
    const bool isSigned = values[1] != 0;
    high = xMax * (1 - 1e-7);
    low = isSigned ? -high : 0;
    insideHigh = xMax * (1 - 3e-7);
    insideLow = isSigned ? -insideHigh : 0;
    for (int level = 0; level < kLevels; level++) {
      const double codes = std::ldexp(1.0, kBits[level]) - 1;
      // s_2b = s_b/(2^b + 1), in float32 as the authors' code has it: where a value ties, the last bit decides.
      step[level] = level == 0 ? (isSigned ? 2 * xMax : xMax) / 3 : step[level - 1] / (std::ldexp(1.0f, kBits[level - 1]) + 1);
      code[level] = isSigned ? (codes - 1) / 2 : codes;
      lowest[level] = isSigned ? -code[level] : 0;
      weight[level] = values[2 + level];
      wanted[level] = gradient && values[2 + kLevels + level] != 0;
    }
  }
};

// One number per channel, the last axis, by which x_q is multiplied: z_2. Of no channels where there are none.
struct Gates {
  const float* values;
  int64_t channels;

  explicit operator bool() const { return channels > 0; }
};

// Weights of the levels of each channel, the last axis, where they differ: [levels, channels]. Of no channels where they do
// not. Where each channel has a single level of weight 1, all gates being open or closed, the numbers of its grid.
struct Rows {
  const float* weights;
  int64_t channels;
  bool single;
  // 0 where a channel is clipped alone, at 32 bits.
  std::vector<float> step, lowest, highest;

  Rows(const float* values, int64_t count, const Grid& grid) : weights(values), channels(count), single(count > 0) {
    for (int64_t channel = 0; channel < channels && single; channel++) {
      int level = 0;
      while (level < kLevels && of(level)[channel] == 0) level++;
      single = level < kLevels && of(level)[channel] == 1;
      if (!single) break;
      step.push_back(kBits[level] == 32 ? 0 : grid.step[level]);
      lowest.push_back(grid.lowest[level]);
      highest.push_back(grid.code[level]);
    }
  }

  const float* of(int level) const { return weights + level * channels; }
  explicit operator bool() const { return channels > 0; }
};

// Calls body(offset of a run of neighbouring channels in the block, its first channel, its length).
template <typename Body>
inline __attribute__((always_inline)) void forRuns(int64_t n, int64_t first, int64_t channels, const Body& body) {
  int64_t channel = first % channels;
  for (int64_t i = 0; i < n; channel = 0) {
    const int64_t run = std::min(n - i, channels - channel);
    body(i, channel, run);
    i += run;
  }
}

// X_b of a block.
BEST_OF_CPU void quantizeBlock(const float* __restrict x, float* __restrict out, int64_t n, const Grid& grid, int level) {
  const float low = grid.low, high = grid.high;
  if (kBits[level] == 32) {
    for (int64_t i = 0; i < n; i++) out[i] = std::min(high, std::max(low, x[i]));
    return;
  }
  const float step = grid.step[level], lowest = grid.lowest[level], highest = grid.code[level];
  for (int64_t i = 0; i < n; i++) {
    const float clipped = std::min(high, std::max(low, x[i]));
    out[i] = std::min(highest, std::max(lowest, std::nearbyint(clipped / step))) * step;
  }
}

BEST_OF_CPU void scaleBlock(const float* __restrict term, float* __restrict out, int64_t n, float weight) {
  for (int64_t i = 0; i < n; i++) out[i] = weight * term[i];
}

BEST_OF_CPU void addBlock(const float* __restrict term, float* __restrict sum, int64_t n, float weight) {
  for (int64_t i = 0; i < n; i++) sum[i] += weight * term[i];
}

// out = x·z_2; `first` is the index of x[0] in its tensor.
BEST_OF_CPU void gateBlock(const float* x, float* out, int64_t n, int64_t first, const Gates& gates) {
  forRuns(n, first, gates.channels, [&](int64_t i, int64_t channel, int64_t run) {
    for (int64_t j = 0; j < run; j++) out[i + j] = x[i + j] * gates.values[channel + j];
  });
}

// Adds the products of each channel to its sum.
BEST_OF_CPU void dotPerChannel(const float* __restrict a, const float* __restrict b, double* __restrict sums, int64_t n,
                               int64_t first, int64_t channels) {
  forRuns(n, first, channels, [&](int64_t i, int64_t channel, int64_t run) {
    for (int64_t j = 0; j < run; j++) sums[channel + j] += static_cast<double>(a[i + j] * b[i + j]);
  });
}

// X_b of a block where each channel has a b of its own.
BEST_OF_CPU void quantizeRows(const float* __restrict x, float* __restrict out, int64_t n, int64_t first, const Grid& grid,
                              const Rows& rows) {
  const float low = grid.low, high = grid.high;
  forRuns(n, first, rows.channels, [&](int64_t i, int64_t channel, int64_t run) {
    const float *step = rows.step.data() + channel, *lowest = rows.lowest.data() + channel;
    const float* highest = rows.highest.data() + channel;
    for (int64_t j = 0; j < run; j++) {
      const float clipped = std::min(high, std::max(low, x[i + j]));
      const float code = std::min(highest[j], std::max(lowest[j], std::nearbyint(clipped / step[j])));
      out[i + j] = step[j] == 0 ? clipped : code * step[j];
    }
  });
}

// sum += term · the weight of the channel.
BEST_OF_CPU void addRows(const float* __restrict term, float* __restrict sum, int64_t n, int64_t first,
                         const float* weights, int64_t channels) {
  forRuns(n, first, channels, [&](int64_t i, int64_t channel, int64_t run) {
    for (int64_t j = 0; j < run; j++) sum[i + j] += weights[channel + j] * term[i + j];
  });
}

BEST_OF_CPU double dotBlock(const float* __restrict a, const float* __restrict b, int64_t n) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int lane = 0; lane < kLanes; lane++) lanes[lane] += a[i + lane] * b[i + lane];
  double sum = 0;
  for (; i < n; i++) sum += static_cast<double>(a[i]) * b[i];
  for (float lane : lanes) sum += lane;
  return sum;
}

// `values` where x is inside the range, else 0. Compilers vectorize it in this form.
BEST_OF_CPU void maskBlock(const float* x, const float* values, float* __restrict out, int64_t n,
                           const Grid& grid) {
  const float low = grid.insideLow, high = grid.insideHigh;
  for (int64_t i = 0; i < n; i++) out[i] = x[i] > low && x[i] < high ? values[i] : 0.0f;
}

BEST_OF_CPU void subtractBlock(const float* __restrict from, float* __restrict out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = from[i] - out[i];
}

// x_q of a block: mostly a single term with weight 1. `inner`, where there is one, gets <g, X_b> of the wanted levels.
void quantizeTerms(const float* x, const float* g, float* quantized, int64_t n, const Grid& grid, double* inner) {
  float term[kBlock];
  bool empty = true;
  for (int level = 0; level < kLevels; level++) {
    const float weight = grid.weight[level];
    if (weight == 0 && !grid.wanted[level]) continue;
    float* out = weight == 1 ? quantized : term;
    quantizeBlock(x, out, n, grid, level);
    if (grid.wanted[level]) inner[level] += dotBlock(g, out, n);
    if (weight == 0 || weight == 1) continue;
    if (empty) scaleBlock(term, quantized, n, weight);
    else addBlock(term, quantized, n, weight);
    empty = false;
  }
}

// The same where channels have weights of their own; `inner` is [levels, channels].
void quantizeTermRows(const float* x, const float* g, float* quantized, int64_t n, int64_t first, const Grid& grid,
                      const Rows& rows, double* inner) {
  float term[kBlock];
  if (rows.single) quantizeRows(x, quantized, n, first, grid, rows);
  else std::fill(quantized, quantized + n, 0.0f);
  for (int level = 0; level < kLevels; level++) {
    const bool adds = !rows.single && grid.weight[level] != 0;
    if (!adds && !grid.wanted[level]) continue;
    quantizeBlock(x, term, n, grid, level);
    if (grid.wanted[level]) dotPerChannel(g, term, inner + level * rows.channels, n, first, rows.channels);
    if (adds) addRows(term, quantized, n, first, rows.of(level), rows.channels);
  }
}

void forward(const float* x, float* y, int64_t begin, int64_t end, const Grid& grid, const Gates& gates,
             const Rows& rows) {
  for (int64_t start = begin; start < end; start += kBlock) {
    const int64_t n = std::min(kBlock, end - start);
    if (rows) quantizeTermRows(x + start, nullptr, y + start, n, start, grid, rows, nullptr);
    else quantizeTerms(x + start, nullptr, y + start, n, grid, nullptr);
    if (gates) gateBlock(y + start, y + start, n, start, gates);
  }
}

// What a backward pass adds up, with g for the gradient by x_q, which is z_2 times that of the output.
struct Sums {
  double* whole;     // [<g, x_q> - <g_x, x>, <g, X_b> of the wanted levels]
  double* channels;  // <g, x_q> of each channel, where there are gates
  double* levels;    // <g, X_b> of the wanted levels in each channel, where channels have weights of their own
};

void backward(const float* x, const float* byOutput, float* gx, int64_t begin, int64_t end, const Grid& grid,
              const Gates& gates, const Rows& rows, const Sums& sums) {
  float quantized[kBlock], error[kBlock], gated[kBlock];
  for (int64_t start = begin; start < end; start += kBlock) {
    const int64_t n = std::min(kBlock, end - start);
    const float* g = byOutput + start;
    if (gates) {
      gateBlock(g, gated, n, start, gates);
      g = gated;
    }
    if (rows) quantizeTermRows(x + start, g, quantized, n, start, grid, rows, sums.levels);
    else quantizeTerms(x + start, g, quantized, n, grid, sums.whole + 1);
    if (gates) dotPerChannel(g, quantized, sums.channels, n, start, gates.channels);
    maskBlock(x + start, g, gx + start, n, grid);
    // Element by element: the two sums are nearly equal.
    maskBlock(x + start, x + start, error, n, grid);
    subtractBlock(quantized, error, n);
    sums.whole[0] += dotBlock(g, error, n);
  }
}

}  // namespace
