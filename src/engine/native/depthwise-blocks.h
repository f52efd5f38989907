// Depthwise convolution of images, [batch, rows, columns, channels]: each channel with a kernel of its own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "vectors.h"

namespace {

// Along one side: how windows stand.
struct Side {
  int64_t size, windows, taps, stride, dilation, before;

  // Where a tap of a window reads; outside of the image nowhere.
  int64_t place(int64_t window, int64_t tap) const { return window * stride + tap * dilation - before; }
};

// A tap of the kernel, and what it meets.
struct Tap {
  int64_t tap, place;
};

// The taps of every place along a side: those by which a window reads the image, or those by which windows have read a place.
class Taps {
 public:
  Taps(const Side& side, bool backward) {
    const int64_t places = backward ? side.size : side.windows;
    starts_.reserve(places + 1);
    for (int64_t at = 0; at < places; at++) {
      starts_.push_back(static_cast<int64_t>(all_.size()));
      for (int64_t tap = 0; tap < side.taps; tap++) {
        const int64_t place = backward ? at + side.before - tap * side.dilation : side.place(at, tap);
        if (!backward && place >= 0 && place < side.size) all_.push_back({tap, place});
        if (backward && place >= 0 && place % side.stride == 0 && place / side.stride < side.windows)
          all_.push_back({tap, place / side.stride});
      }
    }
    starts_.push_back(static_cast<int64_t>(all_.size()));
  }
  const Tap* begin(int64_t place) const { return all_.data() + starts_[place]; }
  const Tap* end(int64_t place) const { return all_.data() + starts_[place + 1]; }

 private:
  std::vector<Tap> all_;
  std::vector<int64_t> starts_;
};

// A row of images and kernels: how far apart neighbours are.
struct Pitch {
  int64_t columns, channels, kernelColumns;
};

// One row of what is gathered: of each place the sum over its taps, channel by channel.
BEST_OF_CPU void gatherRow(const float* image, const float* weight, float* to, const Tap* rows, const Tap* rowsEnd,
                           const Taps& across, int64_t places, const Pitch& pitch) {
  const int64_t channels = pitch.channels;
  for (int64_t at = 0; at < places; at++, to += channels) {
    const Tap *columns = across.begin(at), *columnsEnd = across.end(at);
    const auto over = [&](int64_t channel, const auto& body) __attribute__((always_inline)) {
      for (const Tap* row = rows; row != rowsEnd; row++) {
        const float* line = image + row->place * pitch.columns * channels + channel;
        const float* kernel = weight + row->tap * pitch.kernelColumns * channels + channel;
        for (const Tap* column = columns; column != columnsEnd; column++)
          body(line + column->place * channels, kernel + column->tap * channels);
      }
    };
    int64_t channel = 0;
    for (; channel + 4 * kEight <= channels; channel += 4 * kEight) {
      Eight a = {}, b = {}, c = {}, d = {};
      over(channel, [&](const float* x, const float* w) __attribute__((always_inline)) {
        a += load(x) * load(w);
        b += load(x + kEight) * load(w + kEight);
        c += load(x + 2 * kEight) * load(w + 2 * kEight);
        d += load(x + 3 * kEight) * load(w + 3 * kEight);
      });
      store(to + channel, a);
      store(to + channel + kEight, b);
      store(to + channel + 2 * kEight, c);
      store(to + channel + 3 * kEight, d);
    }
    for (; channel + kEight <= channels; channel += kEight) {
      Eight sum = {};
      over(channel, [&](const float* x, const float* w) __attribute__((always_inline)) { sum += load(x) * load(w); });
      store(to + channel, sum);
    }
    for (; channel < channels; channel++) {
      float sum = 0;
      over(channel, [&](const float* x, const float* w) __attribute__((always_inline)) { sum += *x * *w; });
      to[channel] = sum;
    }
  }
}

// Adds one row's share in the gradient of a row of the kernel: x·g over the windows that read it by each tap.
BEST_OF_CPU void addTapGradients(const float* x, const float* gradient, float* sums, const Side& across, int64_t channels) {
  for (int64_t tap = 0; tap < across.taps; tap++, sums += channels) {
    int64_t first = 0, end = across.windows;
    while (first < end && across.place(first, tap) < 0) first++;
    while (first < end && across.place(end - 1, tap) >= across.size) end--;
    const int64_t step = across.stride * channels;
    const float* from = x + across.place(first, tap) * channels;
    const float* by = gradient + first * channels;
    const int64_t count = end - first;
    int64_t channel = 0;
    for (; channel + 4 * kEight <= channels; channel += 4 * kEight) {
      Eight a = {}, b = {}, c = {}, d = {};
      const float *p = from + channel, *g = by + channel;
      for (int64_t window = 0; window < count; window++, p += step, g += channels) {
        a += load(p) * load(g);
        b += load(p + kEight) * load(g + kEight);
        c += load(p + 2 * kEight) * load(g + 2 * kEight);
        d += load(p + 3 * kEight) * load(g + 3 * kEight);
      }
      store(sums + channel, load(sums + channel) + a);
      store(sums + channel + kEight, load(sums + channel + kEight) + b);
      store(sums + channel + 2 * kEight, load(sums + channel + 2 * kEight) + c);
      store(sums + channel + 3 * kEight, load(sums + channel + 3 * kEight) + d);
    }
    for (; channel + kEight <= channels; channel += kEight) {
      Eight a = {};
      const float *p = from + channel, *g = by + channel;
      for (int64_t window = 0; window < count; window++, p += step, g += channels) a += load(p) * load(g);
      store(sums + channel, load(sums + channel) + a);
    }
    for (; channel < channels; channel++) {
      float sum = 0;
      const float *p = from + channel, *g = by + channel;
      for (int64_t window = 0; window < count; window++, p += step, g += channels) sum += *p * *g;
      sums[channel] += sum;
    }
  }
}

}  // namespace
