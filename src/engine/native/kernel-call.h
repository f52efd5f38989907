// One call of a kernel: its tensors, and how its work is shared.
#pragma once

#include <tensorflow/c/ops.h>
#include <tensorflow/c/tf_tensor.h>

#include <cstdint>
#include <vector>

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
int partsFor(int64_t size) { return size < kSmall ? 1 : Pool::get().parts(); }

}  // namespace
