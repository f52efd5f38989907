// Nonlinearities and their gradients (src/engine/composed-nonlinearity.ts).
#pragma once

#include "kernel-call.h"
#include "nonlinear-blocks.h"

namespace {

// As the host passes it: [which nonlinearity, its numbers].
struct Nonlinear {
  const NonlinearLoops& loops;
  Numbers numbers;

  explicit Nonlinear(const float* values)
      : loops(kNonlinear[static_cast<int>(values[0])]), numbers{values[1], values[2]} {}
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

}  // namespace
