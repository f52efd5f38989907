// Depthwise convolution and its gradients.
#pragma once

#include "depthwise-blocks.h"
#include "kernel-call.h"

namespace {

// As the host passes it: [strides, dilations, zeros above and on the left, rows and columns of the output].
struct Windows {
  Side down, across;

  Windows(const float* values, const std::vector<int64_t>& image, const std::vector<int64_t>& weight, int64_t rows,
          int64_t columns)
      : down{image[1], rows, weight[0], whole(values[0]), whole(values[2]), whole(values[4])},
        across{image[2], columns, weight[1], whole(values[1]), whole(values[3]), whole(values[5])} {}

  static int64_t whole(float value) { return static_cast<int64_t>(value); }
};

// Rows of all images, one after the other, shared among threads where there is enough to do.
template <typename Body>
void shareRows(int64_t images, int64_t rows, int64_t work, const Body& body) {
  shareEvenly(images * rows, partsFor(work), [&](int index, int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) body(index, row / rows, row % rows);
  });
}

// Gives every place the sum over its taps: of the image that its window reads, or, backward, of the windows that have read it.
void gather(Call& call, bool backward) {
  TF_Tensor *source = call.input(0), *weight = call.input(1), *geometry = call.input(2);
  const std::vector<int64_t> from = shapeOf(source), kernel = shapeOf(weight);
  const float* values = data(geometry);
  const int64_t rows = Windows::whole(values[6]), columns = Windows::whole(values[7]), channels = from[3];
  const std::vector<int64_t> to = {from[0], rows, columns, channels};
  const Windows windows =
      backward ? Windows(values, to, kernel, from[1], from[2]) : Windows(values, from, kernel, rows, columns);
  const Taps down(windows.down, backward), across(windows.across, backward);
  const int64_t size = from[0] * rows * columns * channels;
  float* sums = call.output(0, to, size);
  const Pitch pitch = {from[2], channels, kernel[1]};
  shareRows(from[0], rows, size, [&](int, int64_t n, int64_t row) {
    gatherRow(data(source) + n * from[1] * from[2] * channels, data(weight), sums + (n * rows + row) * columns * channels,
              down.begin(row), down.end(row), across, columns, pitch);
  });
}

void computeDepthwise(void*, TF_OpKernelContext* context) {
  Call call(context);
  gather(call, false);
}

void computeDepthwiseInputGradient(void*, TF_OpKernelContext* context) {
  Call call(context);
  gather(call, true);
}

void computeDepthwiseWeightGradient(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *x = call.input(0), *gradient = call.input(1), *geometry = call.input(2);
  const std::vector<int64_t> image = shapeOf(x), output = shapeOf(gradient);
  const float* values = data(geometry);
  const std::vector<int64_t> kernel = {Windows::whole(values[6]), Windows::whole(values[7]), 1, image[3]};
  const Windows windows(values, image, kernel, output[1], output[2]);
  const Taps down(windows.down, false);
  const int64_t row = kernel[1] * kernel[3], size = kernel[0] * row;
  const int64_t work = TF_TensorElementCount(gradient);
  std::vector<std::vector<float>> sums(partsFor(work), std::vector<float>(size));
  shareRows(output[0], output[1], work, [&](int part, int64_t n, int64_t window) {
    const float* by = data(gradient) + (n * output[1] + window) * output[2] * output[3];
    for (const Tap* tap = down.begin(window); tap != down.end(window); tap++)
      addTapGradients(data(x) + (n * image[1] + tap->place) * image[2] * image[3], by, sums[part].data() + tap->tap * row,
                      windows.across, image[3]);
  });
  float* byWeight = call.output(0, kernel, size);
  for (int64_t i = 0; i < size; i++) {
    float total = 0;
    for (const auto& part : sums) total += part[i];
    byWeight[i] = total;
  }
}

}  // namespace
