// The gated quantizer and the nonlinearities as TensorFlow kernels for CPUs: one pass over the tensor each, where the operations
// that they are otherwise composed of need up to forty. Semantics: src/engine/composed-quantizer.ts and
// src/engine/composed-nonlinearity.ts, which run everywhere.

#include <tensorflow/c/ops.h>
#include <tensorflow/c/tf_tensor.h>

#include <pthread.h>
#include <signal.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "nonlinear-blocks.h"
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
}

}  // namespace
