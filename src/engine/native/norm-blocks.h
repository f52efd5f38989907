// Batch normalization over the last axis, on some of a tensor's rows of channels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "vectors.h"

namespace {

// Numbers of rows that are summed up in float32 before they join float64's: they stay in the first-level cache while
// channels pass over them.
constexpr int64_t kChunk = 4096;

// Two sums of each channel.
struct ChannelSums {
  std::vector<double> first, second;
  explicit ChannelSums(int64_t channels) : first(channels), second(channels) {}
  void add(int64_t channel, float one, float other) {
    first[channel] += one;
    second[channel] += other;
  }
};

// Adds up the pair of numbers that `of` gives for each place of rows of channels: of eight neighbouring ones (Eight) or of one
// (float). Every second row has sums of its own, which a processor works on side by side.
template <typename Of>
INLINED void addPairs(int64_t rows, int64_t channels, int64_t most, ChannelSums& sums, const Of& of) {
  for (int64_t row = 0; row < rows; row += most) {
    const int64_t end = std::min(rows, row + most);
    int64_t channel = 0;
    for (; channel + kEight <= channels; channel += kEight) {
      Eight first = {}, second = {}, firstOdd = {}, secondOdd = {};
      int64_t at = row;
      for (; at + 2 <= end; at += 2) {
        of(at * channels + channel, channel, first, second);
        of((at + 1) * channels + channel, channel, firstOdd, secondOdd);
      }
      if (at < end) of(at * channels + channel, channel, first, second);
      first += firstOdd;
      second += secondOdd;
      for (int lane = 0; lane < kEight; lane++) sums.add(channel + lane, first[lane], second[lane]);
    }
    for (; channel < channels; channel++) {
      float first = 0, second = 0;
      for (int64_t at = row; at < end; at++) of(at * channels + channel, channel, first, second);
      sums.add(channel, first, second);
    }
  }
}

// Sums of x - pivot and of its square.
BEST_OF_CPU void addMoments(const float* x, const float* pivot, int64_t rows, int64_t channels, ChannelSums& sums) {
  addPairs(rows, channels, std::max<int64_t>(1, kChunk / channels), sums,
           [&](int64_t place, int64_t channel, auto& sum, auto& square) __attribute__((always_inline)) {
             using Values = std::decay_t<decltype(sum)>;
             const Values value = load<Values>(x + place) - load<Values>(pivot + channel);
             sum += value;
             square += value * value;
           });
}

// Sums of g and of g·(x - mean).
BEST_OF_CPU void addProducts(const float* g, const float* x, const float* mean, int64_t rows, int64_t channels,
                             ChannelSums& sums) {
  addPairs(rows, channels, std::max<int64_t>(1, kChunk / (2 * channels)), sums,
           [&](int64_t place, int64_t channel, auto& sum, auto& product) __attribute__((always_inline)) {
             using Values = std::decay_t<decltype(sum)>;
             const Values gradient = load<Values>(g + place);
             sum += gradient;
             product += gradient * (load<Values>(x + place) - load<Values>(mean + channel));
           });
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
