// The gated quantizer, nonlinearities, depthwise convolution and batch normalization as TensorFlow kernels for CPUs: one pass over the tensor each, where the operations
// that they are otherwise composed of need up to forty. Semantics: src/engine/composed-quantizer.ts and
// src/engine/composed-nonlinearity.ts, which run everywhere.

#include <tensorflow/c/ops.h>
#include <tensorflow/c/tf_tensor.h>

#include <pthread.h>
#include <signal.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "depthwise-blocks.h"
#include "nonlinear-blocks.h"
#include "norm-blocks.h"
#include "quantizer-blocks.h"
#include "thread-pool.h"

// Of tensorflow/c/kernels.h, which includes headers of TensorFlow's core that its wheel's C interface does without.
extern "C" {
struct TF_KernelBuilder;
struct TF_OpKernelConstruction;
struct TF_OpKernelContext;
TF_KernelBuilder* TF_NewKernelBuilder(const char* op, const char* device, void* (*create)(TF_OpKernelConstruction*),
                                      void (*compute)(void*, TF_OpKernelContext*), void (*destroy)(void*));
void TF_RegisterKernelBuilder(const char* name, TF_KernelBuilder* builder, TF_Status* status);
void TF_GetInput(TF_OpKernelContext* context, int index, TF_Tensor** tensor, TF_Status* status);
TF_Tensor* TF_AllocateOutput(TF_OpKernelContext* context, int index, TF_DataType type, const int64_t* shape, int axes,
                             size_t bytes, TF_Status* status);
}

namespace {

// Tensors of one call, freed at its end.
struct Call {
  TF_OpKernelContext* context;
  TF_Status* status = TF_NewStatus();
  std::vector<TF_Tensor*> tensors;

  explicit Call(TF_OpKernelContext* context) : context(context) {}
  ~Call() {
    for (TF_Tensor* tensor : tensors) TF_DeleteTensor(tensor);
    TF_DeleteStatus(status);
  }
  TF_Tensor* input(int index) {
    TF_Tensor* tensor = nullptr;
    TF_GetInput(context, index, &tensor, status);
    tensors.push_back(tensor);
    return tensor;
  }
  float* output(int index, const std::vector<int64_t>& shape, int64_t elements) {
    TF_Tensor* tensor = TF_AllocateOutput(context, index, TF_FLOAT, shape.data(), static_cast<int>(shape.size()),
                                          elements * sizeof(float), status);
    tensors.push_back(tensor);
    return static_cast<float*>(TF_TensorData(tensor));
  }
};

std::vector<int64_t> shapeOf(const TF_Tensor* tensor) {
  std::vector<int64_t> shape(TF_NumDims(tensor));
  for (size_t axis = 0; axis < shape.size(); axis++) shape[axis] = TF_Dim(tensor, static_cast<int>(axis));
  return shape;
}

const float* data(TF_Tensor* tensor) { return static_cast<const float*>(TF_TensorData(tensor)); }
Gates gatesOf(TF_Tensor* tensor) { return {data(tensor), TF_TensorElementCount(tensor)}; }
Rows rowsOf(TF_Tensor* tensor, const Grid& grid) { return {data(tensor), TF_TensorElementCount(tensor) / kLevels, grid}; }
int partsFor(int64_t size) { return size < kSmall ? 1 : Pool::get().parts(); }

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

// As the host passes it: [which nonlinearity, its numbers].
struct Nonlinear {
  const NonlinearLoops& loops;
  Numbers numbers;

  explicit Nonlinear(const float* values) : loops(kNonlinear[static_cast<int>(values[0])]), numbers{values[1], values[2]} {}
};

void computeNonlinear(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* x = call.input(0);
  const Nonlinear of(data(call.input(1)));
  const int64_t size = TF_TensorElementCount(x);
  float* y = call.output(0, shapeOf(x), size);
  share(size, partsFor(size), [&](int, int64_t begin, int64_t end) {
    of.loops.values(data(x) + begin, y + begin, end - begin, of.numbers);
  });
}

void computeNonlinearGradient(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *x = call.input(0), *g = call.input(1);
  const Nonlinear of(data(call.input(2)));
  const int64_t size = TF_TensorElementCount(x);
  float* gx = call.output(0, shapeOf(x), size);
  share(size, partsFor(size), [&](int, int64_t begin, int64_t end) {
    of.loops.gradients(data(x) + begin, data(g) + begin, gx + begin, end - begin, of.numbers);
  });
}

// As the host passes it: [strides, dilations, zeros above and on the left, rows and columns of the output].
struct Windows {
  Side down, across;

  Windows(const float* values, const std::vector<int64_t>& image, const std::vector<int64_t>& weight, int64_t rows, int64_t columns)
      : down{image[1], rows, weight[0], whole(values[0]), whole(values[2]), whole(values[4])},
        across{image[2], columns, weight[1], whole(values[1]), whole(values[3]), whole(values[5])} {}

  static int64_t whole(float value) { return static_cast<int64_t>(value); }
};

// Rows of all images, one after the other, shared among threads where there is enough to do.
template <typename Body>
void shareRows(int64_t images, int64_t rows, int64_t work, const Body& body) {
  const int parts = partsFor(work);
  const auto part = [&](int index) {
    for (int64_t row = images * rows * index / parts; row < images * rows * (index + 1) / parts; row++)
      body(index, row / rows, row % rows);
  };
  if (parts == 1) part(0);
  else Pool::get().run(part);
}

void computeDepthwise(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *x = call.input(0), *weight = call.input(1), *geometry = call.input(2);
  const std::vector<int64_t> image = shapeOf(x), kernel = shapeOf(weight);
  const float* values = data(geometry);
  const int64_t rows = Windows::whole(values[6]), columns = Windows::whole(values[7]), channels = image[3];
  const Windows windows(values, image, kernel, rows, columns);
  const Taps down(windows.down, false), across(windows.across, false);
  float* y = call.output(0, {image[0], rows, columns, channels}, image[0] * rows * columns * channels);
  const Pitch pitch = {image[2], channels, kernel[1]};
  shareRows(image[0], rows, image[0] * rows * columns * channels, [&](int, int64_t n, int64_t row) {
    gatherRow(data(x) + n * image[1] * image[2] * channels, data(weight), y + (n * rows + row) * columns * channels,
              down.begin(row), down.end(row), across, columns, pitch);
  });
}

void computeDepthwiseInputGradient(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *gradient = call.input(0), *weight = call.input(1), *geometry = call.input(2);
  const std::vector<int64_t> output = shapeOf(gradient), kernel = shapeOf(weight);
  const float* values = data(geometry);
  const int64_t rows = Windows::whole(values[6]), columns = Windows::whole(values[7]), channels = output[3];
  const Windows windows(values, {output[0], rows, columns, channels}, kernel, output[1], output[2]);
  const Taps down(windows.down, true), across(windows.across, true);
  float* byX = call.output(0, {output[0], rows, columns, channels}, output[0] * rows * columns * channels);
  const Pitch pitch = {output[2], channels, kernel[1]};
  shareRows(output[0], rows, output[0] * rows * columns * channels, [&](int, int64_t n, int64_t row) {
    gatherRow(data(gradient) + n * output[1] * output[2] * channels, data(weight),
              byX + (n * rows + row) * columns * channels, down.begin(row), down.end(row), across, columns, pitch);
  });
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

// Cuts rows of channels into as many parts as there are threads.
template <typename Body>
void shareEvenly(int64_t rows, int parts, const Body& body) {
  const auto part = [&](int index) { body(index, rows * index / parts, rows * (index + 1) / parts); };
  if (parts == 1) part(0);
  else Pool::get().run(part);
}

// What the parts have added up, in their order.
Sums2 together(const std::vector<Sums2>& parts, int64_t channels) {
  Sums2 all(channels);
  for (const Sums2& part : parts) {
    for (int64_t channel = 0; channel < channels; channel++) {
      all.first[channel] += part.first[channel];
      all.second[channel] += part.second[channel];
    }
  }
  return all;
}

// Mean and variance of each channel.
struct Statistics {
  std::vector<double> mean, variance;

  Statistics(const float* x, int64_t rows, int64_t channels, int parts) : mean(channels), variance(channels) {
    std::vector<Sums2> sums(parts, Sums2(channels));
    // Squares of what is far from 0 would cancel: one of the rows is taken off first.
    shareEvenly(rows, parts, [&](int part, int64_t begin, int64_t end) {
      addMoments(x + begin * channels, x, end - begin, channels, sums[part]);
    });
    const Sums2 all = together(sums, channels);
    for (int64_t channel = 0; channel < channels; channel++) {
      const double off = all.first[channel] / rows;
      mean[channel] = x[channel] + off;
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
  std::vector<Sums2> sums(parts, Sums2(channels));
  shareEvenly(rows, parts, [&](int part, int64_t begin, int64_t end) {
    addProducts(data(g) + begin * channels, data(x) + begin * channels, mean, end - begin, channels, sums[part]);
  });
  const Sums2 all = together(sums, channels);
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

void* create(TF_OpKernelConstruction*) { return nullptr; }
void destroy(void*) {}

void registerKernel(const char* name, std::initializer_list<const char*> inputs,
                    std::initializer_list<const char*> outputs, void (*compute)(void*, TF_OpKernelContext*)) {
  TF_Status* status = TF_NewStatus();
  TF_OpDefinitionBuilder* op = TF_NewOpDefinitionBuilder(name);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(op, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(op, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, &TF_ShapeInferenceContextSetUnknownShape);
  TF_RegisterOpDefinition(op, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", &create, compute, &destroy), status);
  }
  TF_DeleteStatus(status);
}

// Signals that meet TensorFlow's kernels corrupt the heap: seen with a storm of them, gone with this mask. Presumably
// kernels compiled at run time keep data where a signal's frame is written; that is not shown. So signals stay away from this thread, the one that calls TensorFlow, and from those that start from here; node's other
// threads hear them. Faults are still the thread's own.
[[gnu::constructor]] void keepSignalsAway() {
  sigset_t signals;
  sigfillset(&signals);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT}) sigdelset(&signals, fault);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

[[gnu::constructor]] void registerKernels() {
  registerKernel("BayesianBitsQuantize", {"x: float", "grid: float", "gates: float", "weights: float"}, {"y: float"}, &computeForward);
  registerKernel("BayesianBitsQuantizeGradient", {"x: float", "gradient: float", "grid: float", "gates: float", "weights: float"},
                 {"by_x: float", "sums: float", "channel_sums: float", "level_sums: float"}, &computeBackward);
  registerKernel("BayesianBitsNonlinear", {"x: float", "of: float"}, {"y: float"}, &computeNonlinear);
  registerKernel("BayesianBitsNonlinearGradient", {"x: float", "gradient: float", "of: float"}, {"by_x: float"},
                 &computeNonlinearGradient);
  registerKernel("BayesianBitsDepthwise", {"x: float", "weight: float", "geometry: float"}, {"y: float"}, &computeDepthwise);
  registerKernel("BayesianBitsDepthwiseInputGradient", {"gradient: float", "weight: float", "geometry: float"},
                 {"by_x: float"}, &computeDepthwiseInputGradient);
  registerKernel("BayesianBitsDepthwiseWeightGradient", {"x: float", "gradient: float", "geometry: float"},
                 {"by_weight: float"}, &computeDepthwiseWeightGradient);
  registerKernel("BayesianBitsBatchNorm", {"x: float", "scale: float", "shift: float", "epsilon: float"},
                 {"y: float", "mean: float", "variance: float"}, &computeBatchNorm);
  registerKernel("BayesianBitsBatchStatistics", {"x: float"}, {"mean: float", "variance: float"}, &computeBatchStatistics);
  registerKernel("BayesianBitsAffine", {"x: float", "scale: float", "shift: float"}, {"y: float"}, &computeAffine);
  registerKernel("BayesianBitsBatchNormGradient",
                 {"x: float", "gradient: float", "scale: float", "mean: float", "variance: float", "epsilon: float"},
                 {"by_x: float", "by_scale: float", "by_shift: float"}, &computeBatchNormGradient);
}

}  // namespace
