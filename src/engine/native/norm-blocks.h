// Batch normalization over the last axis, on some of a tensor's rows of channels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "vectors.h"

namespace {

// Numbers of rows that are summed up in float32 before they join float64's: they stay in the first-level cache while
// channels pass over them.
constexpr int64_t kChunk = 4096;

// Two sums of each channel.
struct Sums2 {
  std::vector<double> first, second;
  explicit Sums2(int64_t channels) : first(channels), second(channels) {}
  void add(int64_t channel, float one, float other) {
    first[channel] += one;
    second[channel] += other;
  }
};

// Sums of x - pivot and of its square.
BEST_OF_CPU void addMoments(const float* x, const float* pivot, int64_t rows, int64_t channels, Sums2& sums) {
  const int64_t most = std::max<int64_t>(1, kChunk / channels);
  for (int64_t row = 0; row < rows; row += most, x += most * channels) {
    const int64_t count = std::min(most, rows - row);
    int64_t channel = 0;
    for (; channel + kEight <= channels; channel += kEight) {
      const Eight about = load(pivot + channel);
      Eight sum = {}, square = {}, sumOdd = {}, squareOdd = {};
      const float* from = x + channel;
      int64_t i = 0;
      for (; i + 2 <= count; i += 2, from += 2 * channels) {
        const Eight even = load(from) - about, odd = load(from + channels) - about;
        sum += even;
        square += even * even;
        sumOdd += odd;
        squareOdd += odd * odd;
      }
      if (i < count) {
        const Eight even = load(from) - about;
        sum += even;
        square += even * even;
      }
      sum += sumOdd;
      square += squareOdd;
      for (int lane = 0; lane < kEight; lane++) sums.add(channel + lane, sum[lane], square[lane]);
    }
    for (; channel < channels; channel++) {
      float sum = 0, square = 0;
      for (int64_t i = 0; i < count; i++) {
        const float value = x[i * channels + channel] - pivot[channel];
        sum += value;
        square += value * value;
      }
      sums.add(channel, sum, square);
    }
  }
}

// Sums of g and of g·(x - mean).
BEST_OF_CPU void addProducts(const float* g, const float* x, const float* mean, int64_t rows, int64_t channels, Sums2& sums) {
  const int64_t most = std::max<int64_t>(1, kChunk / (2 * channels));
  for (int64_t row = 0; row < rows; row += most, x += most * channels, g += most * channels) {
    const int64_t count = std::min(most, rows - row);
    int64_t channel = 0;
    for (; channel + kEight <= channels; channel += kEight) {
      const Eight about = load(mean + channel);
      Eight sum = {}, product = {}, sumOdd = {}, productOdd = {};
      const float *from = x + channel, *by = g + channel;
      int64_t i = 0;
      for (; i + 2 <= count; i += 2, from += 2 * channels, by += 2 * channels) {
        const Eight even = load(by), odd = load(by + channels);
        sum += even;
        product += even * (load(from) - about);
        sumOdd += odd;
        productOdd += odd * (load(from + channels) - about);
      }
      if (i < count) {
        const Eight even = load(by);
        sum += even;
        product += even * (load(from) - about);
      }
      sum += sumOdd;
      product += productOdd;
      for (int lane = 0; lane < kEight; lane++) sums.add(channel + lane, sum[lane], product[lane]);
    }
    for (; channel < channels; channel++) {
      float sum = 0, product = 0;
      for (int64_t i = 0; i < count; i++) {
        const float by = g[i * channels + channel];
        sum += by;
        product += by * (x[i * channels + channel] - mean[channel]);
      }
      sums.add(channel, sum, product);
    }
  }
}

// (x - mean)·factor + shift.
BEST_OF_CPU void normalizeRows(const float* __restrict x, float* __restrict y, int64_t rows, int64_t channels,
                               const float* __restrict mean, const float* __restrict factor, const float* __restrict shift) {
  for (int64_t row = 0; row < rows; row++, x += channels, y += channels)
    for (int64_t channel = 0; channel < channels; channel++)
      y[channel] = (x[channel] - mean[channel]) * factor[channel] + shift[channel];
}

// g·ofG + (x - mean)·ofX + constant.
BEST_OF_CPU void gradientRows(const float* __restrict g, const float* __restrict x, float* __restrict gx, int64_t rows,
                              int64_t channels, const float* __restrict mean, const float* __restrict ofG,
                              const float* __restrict ofX, const float* __restrict constant) {
  for (int64_t row = 0; row < rows; row++, g += channels, x += channels, gx += channels)
    for (int64_t channel = 0; channel < channels; channel++)
      gx[channel] = g[channel] * ofG[channel] + (x[channel] - mean[channel]) * ofX[channel] + constant[channel];
}

}  // namespace
