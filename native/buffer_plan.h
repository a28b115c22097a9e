// Buffers of a network's intermediate results, planned while it is loaded: a result that nobody reads any more gives
// its buffer to a later one, as allocators of inference software do. A run then touches as little memory as theirs.
#ifndef SAMARA_BUFFER_PLAN_H
#define SAMARA_BUFFER_PLAN_H

#include <cstdlib>
#include <map>
#include <memory>
#include <new>
#include <vector>

namespace samara {

// A buffer for as long as somebody in the plan holds it. The memory itself lives as long as the BufferPlan.
using Lease = std::shared_ptr<void>;

class BufferPlan {
 public:
  BufferPlan() = default;
  BufferPlan(const BufferPlan &) = delete;
  BufferPlan &operator=(const BufferPlan &) = delete;
  ~BufferPlan() {
    for (void *buffer : all_) std::free(buffer);
  }

  // The smallest buffer that is free and large enough, or a new one.
  Lease lease(size_t size) {
    auto found = free_.lower_bound(size);
    void *buffer = nullptr;
    if (found != free_.end()) {
      size = found->first;
      buffer = found->second;
      free_.erase(found);
    } else {
      // A multiple of the alignment, as aligned_alloc wants; never nothing.
      size = (size / alignment + 1) * alignment;
      buffer = std::aligned_alloc(alignment, size);
      if (buffer == nullptr) throw std::bad_alloc();
      all_.push_back(buffer);
    }
    return Lease(buffer, [this, size](void *returned) { free_.emplace(size, returned); });
  }

 private:
  // A cache line.
  static constexpr size_t alignment = 64;
  std::multimap<size_t, void *> free_;
  std::vector<void *> all_;
};

}  // namespace samara

#endif
