// Batch normalization, its gradient, and its statistics alone.
#pragma once

#include <cmath>

#include "kernel-call.h"
#include "norm-blocks.h"

namespace {

// What the parts have added up, in their order.
ChannelSums together(const std::vector<ChannelSums>& parts, int64_t channels) {
  ChannelSums all(channels);
  for (const ChannelSums& part : parts) {
    for (int64_t channel = 0; channel < channels; channel++) {
      all.first[channel] += part.first[channel];
      all.second[channel] += part.second[channel];
    }
  }
  return all;
}

// The mean of a few rows, from all over: taken off first, since squares of what is far from 0 would cancel. A single row will not
// do, as padding makes corners unlike the rest.
std::vector<float> meanOfSome(const float* x, int64_t rows, int64_t channels) {
  constexpr int64_t kSome = 16;
  std::vector<float> mean(channels);
  for (int64_t some = 0; some < kSome; some++) {
    const float* row = x + (2 * some + 1) * rows / (2 * kSome) * channels;
    for (int64_t channel = 0; channel < channels; channel++) mean[channel] += row[channel] / kSome;
  }
  return mean;
}

// Mean and variance of each channel.
struct Statistics {
  std::vector<double> mean, variance;

  Statistics(const float* x, int64_t rows, int64_t channels, int parts) : mean(channels), variance(channels) {
    std::vector<ChannelSums> sums(parts, ChannelSums(channels));
    const std::vector<float> pivot = meanOfSome(x, rows, channels);
    shareEvenly(rows, parts, [&](int part, int64_t begin, int64_t end) {
      addMoments(x + begin * channels, pivot.data(), end - begin, channels, sums[part]);
    });
    const ChannelSums all = together(sums, channels);
    for (int64_t channel = 0; channel < channels; channel++) {
      const double off = all.first[channel] / rows;
      mean[channel] = pivot[channel] + off;
      variance[channel] = std::max(0.0, all.second[channel] / rows - off * off);
    }
  }

  void give(Call& call, int index) const {
    const int64_t channels = static_cast<int64_t>(mean.size());
    std::copy(mean.begin(), mean.end(), call.output(index, {channels}, channels));
    std::copy(variance.begin(), variance.end(), call.output(index + 1, {channels}, channels));
  }
};

void computeBatchStatistics(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* x = call.input(0);
  const int64_t size = TF_TensorElementCount(x), channels = shapeOf(x).back();
  Statistics(data(x), size / channels, channels, partsFor(size)).give(call, 0);
}

// (x - mean)·factor + shift of all rows.
void normalize(Call& call, TF_Tensor* x, const float* mean, const float* factor, const float* shift) {
  const std::vector<int64_t> shape = shapeOf(x);
  const int64_t size = TF_TensorElementCount(x), channels = shape.back();
  float* y = call.output(0, shape, size);
  shareEvenly(size / channels, partsFor(size), [&](int, int64_t begin, int64_t end) {
    const int64_t from = begin * channels;
    normalizeRows(data(x) + from, y + from, end - begin, channels, mean, factor, shift);
  });
}

void computeBatchNorm(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* x = call.input(0);
  const float *scale = data(call.input(1)), *shift = data(call.input(2));
  const double epsilon = data(call.input(3))[0];
  const int64_t size = TF_TensorElementCount(x), channels = shapeOf(x).back();
  const Statistics statistics(data(x), size / channels, channels, partsFor(size));
  std::vector<float> mean(statistics.mean.begin(), statistics.mean.end()), factor(channels);
  for (int64_t channel = 0; channel < channels; channel++)
    factor[channel] = static_cast<float>(scale[channel] / std::sqrt(statistics.variance[channel] + epsilon));
  normalize(call, x, mean.data(), factor.data(), shift);
  statistics.give(call, 1);
}

void computeAffine(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* x = call.input(0);
  const float *scale = data(call.input(1)), *shift = data(call.input(2));
  const std::vector<float> zeros(shapeOf(x).back());
  normalize(call, x, zeros.data(), scale, shift);
}

void computeBatchNormGradient(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *x = call.input(0), *g = call.input(1);
  const float *scale = data(call.input(2)), *mean = data(call.input(3)), *variance = data(call.input(4));
  const double epsilon = data(call.input(5))[0];
  const std::vector<int64_t> shape = shapeOf(x);
  const int64_t size = TF_TensorElementCount(x), channels = shape.back(), rows = size / channels;
  const int parts = partsFor(size);
  std::vector<ChannelSums> sums(parts, ChannelSums(channels));
  shareEvenly(rows, parts, [&](int part, int64_t begin, int64_t end) {
    addProducts(data(g) + begin * channels, data(x) + begin * channels, mean, end - begin, channels, sums[part]);
  });
  const ChannelSums all = together(sums, channels);
  float* gx = call.output(0, shape, size);
  float *byScale = call.output(1, {channels}, channels), *byShift = call.output(2, {channels}, channels);
  std::vector<float> ofG(channels), ofX(channels), constant(channels);
  for (int64_t channel = 0; channel < channels; channel++) {
    const double inverse = 1 / std::sqrt(variance[channel] + epsilon);
    const double factor = scale[channel] * inverse;
    byScale[channel] = static_cast<float>(all.second[channel] * inverse);
    byShift[channel] = static_cast<float>(all.first[channel]);
    ofG[channel] = static_cast<float>(factor);
    ofX[channel] = static_cast<float>(-factor * inverse * inverse * all.second[channel] / rows);
    constant[channel] = static_cast<float>(-factor * all.first[channel] / rows);
  }
  shareEvenly(rows, parts, [&](int, int64_t begin, int64_t end) {
    const int64_t from = begin * channels;
    gradientRows(data(g) + from, data(x) + from, gx + from, end - begin, channels, mean, ofG.data(), ofX.data(),
                 constant.data());
  });
}

}  // namespace
