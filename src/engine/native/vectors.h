// How loops over a tensor are compiled and cut.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define BEST_OF_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BEST_OF_CPU
#endif
#define INLINED inline __attribute__((always_inline))

namespace {

// Elements that are worked on at once: they stay in the first-level cache while several passes go over them.
constexpr int64_t kBlock = 1024;
// Below this a second thread costs more than it saves.
constexpr int64_t kSmall = 16384;

// Eight neighbouring channels; where a processor has shorter registers, compilers take several.
typedef float Eight __attribute__((vector_size(32)));
constexpr int kEight = 8;

// Eight numbers, or one float.
template <typename Values = Eight>
INLINED Values load(const float* from) {
  Values values;
  std::memcpy(&values, from, sizeof values);
  return values;
}
INLINED void store(float* to, const Eight& values) { std::memcpy(to, &values, sizeof values); }

}  // namespace
