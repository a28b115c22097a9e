// Reads little-endian 32-bit words, as src/platform/word-writer.ts writes them; trusts nothing in them.
#ifndef SAMARA_WORD_READER_H
#define SAMARA_WORD_READER_H

#include <cstdint>
#include <string>

#include "runner.h"

namespace samara {

class WordReader {
 public:
  WordReader(const uint8_t *bytes, size_t size) : at_(bytes), left_(size) {}

  // Throws FormatError when fewer bytes are left.
  const uint8_t *take(size_t size) {
    if (size > left_) throw FormatError("the bytes end too early");
    const uint8_t *start = at_;
    at_ += size;
    left_ -= size;
    return start;
  }

  uint32_t word() {
    const uint8_t *b = take(4);
    return uint32_t{b[0]} | uint32_t{b[1]} << 8 | uint32_t{b[2]} << 16 | uint32_t{b[3]} << 24;
  }

  // Its length in bytes, and UTF-8 padded to words.
  std::string text() {
    const size_t length = word();
    const uint8_t *start = take((length + 3) / 4 * 4);
    return std::string(reinterpret_cast<const char *>(start), length);
  }

  // Rank and dimensions; no dimension is 0.
  Dims shape() {
    constexpr uint32_t max_rank = 8;
    const uint32_t rank = word();
    if (rank > max_rank) throw FormatError("a tensor has more than 8 dimensions");
    Dims dims;
    for (uint32_t i = 0; i < rank; i++) dims.push_back(word());
    count_of(dims);
    return dims;
  }

  size_t left() const { return left_; }

 private:
  const uint8_t *at_;
  size_t left_;
};

// Throws UnsupportedError when a network's output has not the shape that it must have.
inline void check_output_shape(const Dims &made, const Dims &expected) {
  if (made == expected) return;
  const auto text = [](const Dims &dims) {
    std::string joined;
    for (const int64_t dim : dims) joined += (joined.empty() ? "" : "x") + std::to_string(dim);
    return joined;
  };
  throw UnsupportedError("the output is " + text(made) + ", which must be " + text(expected));
}

}  // namespace samara

#endif
