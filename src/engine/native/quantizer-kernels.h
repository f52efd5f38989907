// The gated quantizer and its gradient (src/engine/composed-quantizer.ts).
#pragma once

#include "kernel-call.h"
#include "quantizer-blocks.h"

namespace {

Gates gatesOf(TF_Tensor* tensor) { return {data(tensor), TF_TensorElementCount(tensor)}; }
Rows rowsOf(TF_Tensor* tensor, const Grid& grid) { return {data(tensor), TF_TensorElementCount(tensor) / kLevels, grid}; }

void computeForward(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* x = call.input(0);
  const Grid grid(data(call.input(1)), false);
  const Gates gates = gatesOf(call.input(2));
  const Rows rows = rowsOf(call.input(3), grid);
  const int64_t size = TF_TensorElementCount(x);
  float* y = call.output(0, shapeOf(x), size);
  share(size, partsFor(size), [&](int, int64_t begin, int64_t end) { forward(data(x), y, begin, end, grid, gates, rows); });
}

void computeBackward(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *x = call.input(0), *g = call.input(1);
  const Grid grid(data(call.input(2)), true);
  const Gates gates = gatesOf(call.input(3));
  const Rows rows = rowsOf(call.input(4), grid);
  const int64_t size = TF_TensorElementCount(x);
  const int parts = partsFor(size);
  float* gx = call.output(0, shapeOf(x), size);
  // The sums of the whole, those of the channels, and those of the channels' levels.
  const int64_t counts[] = {1 + kLevels, gates.channels, kLevels * rows.channels};
  const int64_t width = counts[0] + counts[1] + counts[2];
  std::vector<std::vector<double>> sums(parts);
  share(size, parts, [&](int part, int64_t begin, int64_t end) {
    std::vector<double> own(width);
    backward(data(x), data(g), gx, begin, end, grid, gates, rows,
             {own.data(), own.data() + counts[0], own.data() + counts[0] + counts[1]});
    sums[part] = std::move(own);
  });
  int64_t sum = 0;
  for (int index = 0; index < 3; index++) {
    float* out = call.output(1 + index, {counts[index]}, counts[index]);
    for (int64_t i = 0; i < counts[index]; i++, sum++) {
      double total = 0;
      for (const auto& part : sums) total += part[sum];
      out[i] = static_cast<float>(total);
    }
  }
}

}  // namespace
