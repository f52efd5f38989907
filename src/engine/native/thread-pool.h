// A loop over a tensor, cut into parts for the threads that share it.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "vectors.h"

namespace {

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

// Cuts [0, count) into as many parts as there are threads: the same cuts, and so the same sums, every time.
template <typename Body>
void shareEvenly(int64_t count, int parts, const Body& body) {
  const auto part = [&](int index) { body(index, count * index / parts, count * (index + 1) / parts); };
  if (parts == 1) part(0);
  else Pool::get().run(part);
}

// The same of elements, between whole blocks of them.
template <typename Body>
void share(int64_t size, int parts, const Body& body) {
  shareEvenly((size + kBlock - 1) / kBlock, parts, [&](int index, int64_t begin, int64_t end) {
    body(index, begin * kBlock, std::min(size, end * kBlock));
  });
}

}  // namespace
