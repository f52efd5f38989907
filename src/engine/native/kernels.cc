// The gated quantizer as two TensorFlow kernels for CPUs: one pass over the tensor each, where the operations it is
// otherwise composed of need from five to forty. Semantics: src/engine/composed-quantizer.ts, which runs everywhere.

#include <tensorflow/c/ops.h>
#include <tensorflow/c/tf_tensor.h>

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

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

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define BEST_OF_CPU __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BEST_OF_CPU
#endif

constexpr int kLevels = 5;
constexpr int kBits[kLevels] = {2, 4, 8, 16, 32};
// Elements that are worked on at once: they stay in the first-level cache while each level passes over them.
constexpr int64_t kBlock = 1024;
constexpr int kLanes = 16;
// Below this a second thread costs more than it saves.
constexpr int64_t kSmall = 16384;

// As the host passes it: [xMax, signed, weights of the 5 levels, and for gradients which levels are wanted].
struct Grid {
  float low, high;           // what clipping leaves alone
  float insideLow, insideHigh;  // what counts as inside the range
  float step[kLevels], code[kLevels], lowest[kLevels], weight[kLevels];
  bool wanted[kLevels];

  Grid(const float* values, bool gradient) {
    const float xMax = values[0];
    const bool isSigned = values[1] != 0;
    high = xMax * (1 - 1e-7);
    low = isSigned ? -high : 0;
    insideHigh = xMax * (1 - 3e-7);
    insideLow = isSigned ? -insideHigh : 0;
    for (int level = 0; level < kLevels; level++) {
      const double codes = std::ldexp(1.0, kBits[level]) - 1;
      // s_2b = s_b/(2^b + 1), in float32 as the authors' code has it: where a value ties, the last bit decides.
      step[level] = level == 0 ? (isSigned ? 2 * xMax : xMax) / 3 : step[level - 1] / (std::ldexp(1.0f, kBits[level - 1]) + 1);
      code[level] = isSigned ? (codes - 1) / 2 : codes;
      lowest[level] = isSigned ? -code[level] : 0;
      weight[level] = values[2 + level];
      wanted[level] = gradient && values[2 + kLevels + level] != 0;
    }
  }
};

// Threads that share a loop with the one that calls; they sleep in between.
class Pool {
 public:
  static Pool& get() {
    static Pool* pool = new Pool();
    return *pool;
  }
  int parts() const { return 1 + static_cast<int>(threads_.size()); }

  void run(const std::function<void(int)>& part) {
    std::lock_guard<std::mutex> only(caller_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      part_ = &part;
      left_ = static_cast<int>(threads_.size());
      turn_++;
    }
    wake_.notify_all();
    part(0);
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [&] { return left_ == 0; });
  }

 private:
  Pool() {
    const char* asked = std::getenv("TF_NUM_INTRAOP_THREADS");
    const int count = asked ? std::atoi(asked) : static_cast<int>(std::thread::hardware_concurrency());
    for (int index = 1; index < count; index++) {
      threads_.emplace_back([this, index] { work(index); });
      threads_.back().detach();
    }
  }

  void work(int index) {
    int64_t seen = 0;
    for (;;) {
      const std::function<void(int)>* part;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return turn_ != seen; });
        seen = turn_;
        part = part_;
      }
      (*part)(index);
      std::lock_guard<std::mutex> lock(mutex_);
      if (--left_ == 0) done_.notify_one();
    }
  }

  std::mutex caller_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  const std::function<void(int)>* part_ = nullptr;
  int left_ = 0;
  int64_t turn_ = 0;
};

// Cuts [0, size) into as many parts as there are threads: the same cuts, and so the same sums, every time.
template <typename Body>
void share(int64_t size, int parts, const Body& body) {
  const int64_t blocks = (size + kBlock - 1) / kBlock;
  const auto part = [&](int index) {
    const int64_t begin = blocks * index / parts * kBlock;
    const int64_t end = std::min(size, blocks * (index + 1) / parts * kBlock);
    body(index, begin, end);
  };
  if (parts == 1) part(0);
  else Pool::get().run(part);
}

// One number per channel, the last axis, by which x_q is multiplied: z_2. Of no channels where there are none.
struct Gates {
  const float* values;
  int64_t channels;

  explicit operator bool() const { return channels > 0; }
};

// X_b of a block.
BEST_OF_CPU void quantizeBlock(const float* __restrict x, float* __restrict out, int64_t n, const Grid& grid, int level) {
  const float low = grid.low, high = grid.high;
  if (kBits[level] == 32) {
    for (int64_t i = 0; i < n; i++) out[i] = std::min(high, std::max(low, x[i]));
    return;
  }
  const float step = grid.step[level], lowest = grid.lowest[level], highest = grid.code[level];
  for (int64_t i = 0; i < n; i++) {
    const float clipped = std::min(high, std::max(low, x[i]));
    out[i] = std::min(highest, std::max(lowest, std::nearbyint(clipped / step))) * step;
  }
}

BEST_OF_CPU void scaleBlock(const float* __restrict term, float* __restrict out, int64_t n, float weight) {
  for (int64_t i = 0; i < n; i++) out[i] = weight * term[i];
}

BEST_OF_CPU void addBlock(const float* __restrict term, float* __restrict sum, int64_t n, float weight) {
  for (int64_t i = 0; i < n; i++) sum[i] += weight * term[i];
}

// out = x·z_2; `first` is the index of x[0] in its tensor.
BEST_OF_CPU void gateBlock(const float* x, float* out, int64_t n, int64_t first, const Gates& gates) {
  int64_t channel = first % gates.channels;
  for (int64_t i = 0; i < n; channel = 0) {
    const int64_t run = std::min(n - i, gates.channels - channel);
    for (int64_t j = 0; j < run; j++) out[i + j] = x[i + j] * gates.values[channel + j];
    i += run;
  }
}

// Adds the products of each channel to its sum.
BEST_OF_CPU void dotPerChannel(const float* __restrict a, const float* __restrict b, double* __restrict sums, int64_t n,
                               int64_t first, int64_t channels) {
  int64_t channel = first % channels;
  for (int64_t i = 0; i < n; channel = 0) {
    const int64_t run = std::min(n - i, channels - channel);
    for (int64_t j = 0; j < run; j++) sums[channel + j] += static_cast<double>(a[i + j] * b[i + j]);
    i += run;
  }
}

BEST_OF_CPU double dotBlock(const float* __restrict a, const float* __restrict b, int64_t n) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int lane = 0; lane < kLanes; lane++) lanes[lane] += a[i + lane] * b[i + lane];
  double sum = 0;
  for (; i < n; i++) sum += static_cast<double>(a[i]) * b[i];
  for (float lane : lanes) sum += lane;
  return sum;
}

// `values` where x is inside the range, else 0. Compilers vectorize it in this form.
BEST_OF_CPU void maskBlock(const float* x, const float* values, float* __restrict out, int64_t n,
                           const Grid& grid) {
  const float low = grid.insideLow, high = grid.insideHigh;
  for (int64_t i = 0; i < n; i++) out[i] = x[i] > low && x[i] < high ? values[i] : 0.0f;
}

BEST_OF_CPU void subtractBlock(const float* __restrict from, float* __restrict out, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = from[i] - out[i];
}

// x_q of a block: mostly a single term with weight 1. `inner`, where there is one, gets <g, X_b> of the wanted levels.
void quantizeTerms(const float* x, const float* g, float* quantized, int64_t n, const Grid& grid, double* inner) {
  float term[kBlock];
  bool empty = true;
  for (int level = 0; level < kLevels; level++) {
    const float weight = grid.weight[level];
    if (weight == 0 && !grid.wanted[level]) continue;
    float* out = weight == 1 ? quantized : term;
    quantizeBlock(x, out, n, grid, level);
    if (grid.wanted[level]) inner[level] += dotBlock(g, out, n);
    if (weight == 0 || weight == 1) continue;
    if (empty) scaleBlock(term, quantized, n, weight);
    else addBlock(term, quantized, n, weight);
    empty = false;
  }
}

void forward(const float* x, float* y, int64_t begin, int64_t end, const Grid& grid, const Gates& gates) {
  for (int64_t start = begin; start < end; start += kBlock) {
    const int64_t n = std::min(kBlock, end - start);
    quantizeTerms(x + start, nullptr, y + start, n, grid, nullptr);
    if (gates) gateBlock(y + start, y + start, n, start, gates);
  }
}

// With g for the gradient by x_q, which is z_2 times that of the output. sums: [<g, x_q> - <g_x, x>, <g, X_b> of the
// wanted levels]; channelSums: <g, x_q> of each channel, where there are gates.
void backward(const float* x, const float* byOutput, float* gx, int64_t begin, int64_t end, const Grid& grid,
              const Gates& gates, double* sums, double* channelSums) {
  float quantized[kBlock], error[kBlock], gated[kBlock];
  for (int64_t start = begin; start < end; start += kBlock) {
    const int64_t n = std::min(kBlock, end - start);
    const float* g = byOutput + start;
    if (gates) {
      gateBlock(g, gated, n, start, gates);
      g = gated;
    }
    quantizeTerms(x + start, g, quantized, n, grid, sums + 1);
    if (gates) dotPerChannel(g, quantized, channelSums, n, start, gates.channels);
    maskBlock(x + start, g, gx + start, n, grid);
    // Element by element: the two sums are nearly equal.
    maskBlock(x + start, x + start, error, n, grid);
    subtractBlock(quantized, error, n);
    sums[0] += dotBlock(g, error, n);
  }
}

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
int partsFor(int64_t size) { return size < kSmall ? 1 : Pool::get().parts(); }

void computeForward(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor* x = call.input(0);
  const Grid grid(data(call.input(1)), false);
  const Gates gates = gatesOf(call.input(2));
  const int64_t size = TF_TensorElementCount(x);
  float* y = call.output(0, shapeOf(x), size);
  share(size, partsFor(size), [&](int, int64_t begin, int64_t end) { forward(data(x), y, begin, end, grid, gates); });
}

void computeBackward(void*, TF_OpKernelContext* context) {
  Call call(context);
  TF_Tensor *x = call.input(0), *g = call.input(1);
  const Grid grid(data(call.input(2)), true);
  const Gates gates = gatesOf(call.input(3));
  const int64_t size = TF_TensorElementCount(x);
  const int parts = partsFor(size);
  float* gx = call.output(0, shapeOf(x), size);
  // The sums of the whole, then those of the channels.
  const int64_t counts[] = {1 + kLevels, gates.channels};
  const int64_t width = counts[0] + counts[1];
  std::vector<std::vector<double>> sums(parts);
  share(size, parts, [&](int part, int64_t begin, int64_t end) {
    std::vector<double> own(width);
    backward(data(x), data(g), gx, begin, end, grid, gates, own.data(), own.data() + counts[0]);
    sums[part] = std::move(own);
  });
  int64_t sum = 0;
  for (int index = 0; index < 2; index++) {
    float* out = call.output(1 + index, {counts[index]}, counts[index]);
    for (int64_t i = 0; i < counts[index]; i++, sum++) {
      double total = 0;
      for (const auto& part : sums) total += part[sum];
      out[i] = static_cast<float>(total);
    }
  }
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
  registerKernel("BayesianBitsQuantize", {"x: float", "grid: float", "gates: float"}, {"y: float"}, &computeForward);
  registerKernel("BayesianBitsQuantizeGradient", {"x: float", "gradient: float", "grid: float", "gates: float"},
                 {"by_x: float", "sums: float", "channel_sums: float"}, &computeBackward);
}

}  // namespace
