// TensorFlow kernels for CPUs: one pass over a tensor, where the operations that they are otherwise composed of need up to
// forty, or fewer passes than TensorFlow's own.

#include <pthread.h>
#include <signal.h>

#include <initializer_list>

#include "depthwise-kernels.h"
#include "nonlinear-kernels.h"
#include "norm-kernels.h"
#include "quantizer-kernels.h"

namespace {

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
