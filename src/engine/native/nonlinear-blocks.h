// Functions of each element by itself, and their slopes, in one pass each (src/engine/nonlinearity.ts). What exponentials
// they need is of float32's own precision, in a form that compilers vectorize.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "vectors.h"

namespace {

// A number of a nonlinearity's own, as a slope below 0; what they mean stands beside the table below.
struct Numbers {
  float first, second;
};

// e^x, to two units in the last place; x beyond what float32 holds is taken to its end.
INLINED float exponential(float x) {
  const float held = std::min(88.0f, std::max(-87.0f, x));
  const float power = std::nearbyint(held * 1.44269504f);
  const float rest = (held - power * 0.693359375f) + power * 2.12194440e-4f;
  // The series of e^r for |r| <= ln(2)/2.
  float sum = 1.0f / 5040;
  sum = sum * rest + 1.0f / 720;
  sum = sum * rest + 1.0f / 120;
  sum = sum * rest + 1.0f / 24;
  sum = sum * rest + 1.0f / 6;
  sum = sum * rest + 0.5f;
  sum = sum * rest + 1.0f;
  sum = sum * rest + 1.0f;
  const int32_t bits = (static_cast<int32_t>(power) + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return sum * scale;
}

// Near 0 the series itself: e^x - 1 would lose what is left of it.
INLINED float exponentialLessOne(float x) {
  float sum = 1.0f / 720;
  sum = sum * x + 1.0f / 120;
  sum = sum * x + 1.0f / 24;
  sum = sum * x + 1.0f / 6;
  sum = sum * x + 0.5f;
  sum = sum * x + 1.0f;
  return std::fabs(x) < 0.2f ? sum * x : exponential(x) - 1;
}

INLINED float sigmoid(float x) { return 1 / (1 + exponential(-x)); }

INLINED float tangent(float x) {
  const float less = exponentialLessOne(-2 * std::fabs(x));
  return std::copysign(-less / (less + 2), x);
}

// log(1 + e^x): what is over x or 0 is log(1 + u) with u at most 1, by the series of atanh.
INLINED float softplus(float x) {
  const float u = exponential(-std::fabs(x));
  const float z = u / (2 + u), square = z * z;
  float sum = 1.0f / 13;
  sum = sum * square + 1.0f / 11;
  sum = sum * square + 1.0f / 9;
  sum = sum * square + 1.0f / 7;
  sum = sum * square + 1.0f / 5;
  sum = sum * square + 1.0f / 3;
  sum = sum * square + 1.0f;
  return std::max(x, 0.0f) + 2 * z * sum;
}

// x·P(x²)/Q(x²), fitted to erf by least squares of relative errors on [0, 3.92]: within 4e-7.
INLINED float errorFunction(float x) {
  const float held = std::min(3.92f, std::max(-3.92f, x));
  const float u = held * held;
  float p = 2.0622517e-06f;
  p = p * u + 0.00028402463f;
  p = p * u + 0.0037162858f;
  p = p * u + 0.05259616f;
  p = p * u + 0.18922272f;
  p = p * u + 1.1283791f;
  float q = 3.8173388e-05f;
  q = q * u + 0.0011510691f;
  q = q * u + 0.014869796f;
  q = q * u + 0.11362351f;
  q = q * u + 0.5010272f;
  q = q * u + 1.0f;
  return std::min(1.0f, std::max(-1.0f, held * p / q));
}

INLINED float clipped(float x, float low, float high) { return std::min(high, std::max(low, x)); }
INLINED float within(float x, float low, float high) { return x > low && x < high ? 1.0f : 0.0f; }
INLINED float normal(float x) { return 0.5f + 0.5f * errorFunction(x * 0.70710678f); }

// GELU's approximation by tanh: sqrt(2/pi), and its cubic term.
constexpr float kFactor = 0.79788456f, kCubic = 0.044715f;
INLINED float geluTangent(float x) { return tangent(kFactor * x * (1 + kCubic * x * x)); }

// What is no number stays none: clipping would hide it, and with it that a training diverges.
#define NONLINEARITY(NAME, VALUE, SLOPE)                                                                             \
  BEST_OF_CPU void NAME##Values(const float* __restrict from, float* __restrict to, int64_t n, const Numbers& own) { \
    const float first = own.first, second = own.second;                                                              \
    (void)first, (void)second;                                                                                       \
    for (int64_t i = 0; i < n; i++) {                                                                                \
      const float x = from[i];                                                                                       \
      to[i] = x == x ? (VALUE) : x;                                                                                    \
    }                                                                                                                \
  }                                                                                                                  \
  BEST_OF_CPU void NAME##Gradients(const float* __restrict from, const float* __restrict gradient,                   \
                                   float* __restrict to, int64_t n, const Numbers& own) {                            \
    const float first = own.first, second = own.second;                                                              \
    (void)first, (void)second;                                                                                       \
    for (int64_t i = 0; i < n; i++) {                                                                                \
      const float x = from[i];                                                                                       \
      to[i] = gradient[i] * (x == x ? (SLOPE) : x);                                                                    \
    }                                                                                                                \
  }

INLINED float sigmoidSlope(float s) { return s * (1 - s); }
INLINED float tangentSlope(float t) { return 1 - t * t; }
INLINED float siluSlope(float x, float s) { return s + x * sigmoidSlope(s); }
INLINED float mishSlope(float x, float t) { return t + x * tangentSlope(t) * sigmoid(x); }
INLINED float geluSlope(float x) { return normal(x) + x * 0.39894228f * exponential(-0.5f * x * x); }
INLINED float geluTanhSlope(float x, float t) {
  return 0.5f * (1 + t) + 0.5f * x * tangentSlope(t) * kFactor * (1 + 3 * kCubic * x * x);
}

NONLINEARITY(sigmoid, sigmoid(x), sigmoidSlope(sigmoid(x)))
NONLINEARITY(tanh, tangent(x), tangentSlope(tangent(x)))
NONLINEARITY(softplus, softplus(x), sigmoid(x))
NONLINEARITY(silu, x* sigmoid(x), siluSlope(x, sigmoid(x)))
NONLINEARITY(mish, x* tangent(softplus(x)), mishSlope(x, tangent(softplus(x))))
NONLINEARITY(hardSwish, x* clipped(x / 6 + 0.5f, 0, 1), clipped(x / 6 + 0.5f, 0, 1) + x / 6 * within(x, -3, 3))
NONLINEARITY(gelu, x* normal(x), geluSlope(x))
NONLINEARITY(geluTanh, x * (0.5f + 0.5f * geluTangent(x)), geluTanhSlope(x, geluTangent(x)))
NONLINEARITY(hardSigmoid, clipped(first* x + second, 0, 1), first* within(first* x + second, 0, 1))
NONLINEARITY(leakyRelu, x < 0 ? first * x : x, x > 0 ? 1.0f : first)
NONLINEARITY(elu, x < 0 ? first * exponentialLessOne(x) : x, x > 0 ? 1.0f : first * exponential(x))

struct NonlinearLoops {
  void (*values)(const float*, float*, int64_t, const Numbers&);
  void (*gradients)(const float*, const float*, float*, int64_t, const Numbers&);
};

// In the order of src/engine/native/fused-nonlinear.ts.
constexpr NonlinearLoops kNonlinear[] = {
    {&sigmoidValues, &sigmoidGradients},
    {&tanhValues, &tanhGradients},
    {&softplusValues, &softplusGradients},
    {&siluValues, &siluGradients},
    {&mishValues, &mishGradients},
    {&hardSwishValues, &hardSwishGradients},
    {&geluValues, &geluGradients},
    {&geluTanhValues, &geluTanhGradients},
    {&hardSigmoidValues, &hardSigmoidGradients},  // slope, offset
    {&leakyReluValues, &leakyReluGradients},      // slope
    {&eluValues, &eluGradients},                  // scale
};

}  // namespace
