// What a native runtime implements in C++; runner.cc makes the C interface of samara_runner.h from it.
#ifndef SAMARA_NATIVE_RUNNER_H
#define SAMARA_NATIVE_RUNNER_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace samara {

using Dims = std::vector<int64_t>;

// The runtime cannot run the model, or a setting is not available.
struct UnsupportedError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The bytes are no model.
struct FormatError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Number of values of a shape; throws FormatError on dimensions that are not positive or too large to hold.
size_t count_of(const Dims &dims);

// A loaded model. Methods may throw.
class Session {
 public:
  virtual ~Session() = default;
  const Dims &input_shape() const { return input_shape_; }
  const Dims &output_shape() const { return output_shape_; }
  // Values in NCHW order, as many as the shapes have.
  virtual void set_input(const float *values) = 0;
  virtual void run() = 0;
  virtual void output(float *values) = 0;

 protected:
  Dims input_shape_;
  Dims output_shape_;
};

using Settings = std::map<std::string, std::string>;

// Value of a setting that must be there.
const std::string &setting(const Settings &settings, const std::string &name);

// Each runtime defines these two.
std::string runtime_version();
std::unique_ptr<Session> load_session(const uint8_t *model, size_t size, const Settings &settings, int threads);

}  // namespace samara

#endif
