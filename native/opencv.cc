// OpenCV's DNN module on the CPU: its own kernels (DNN_BACKEND_OPENCV), its own graph optimiser (fusion, on by default).
//
// OpenCV does not tell the shape that an input was declared with, so the bytes are, in little-endian 32-bit words:
//   "SOCV", version 1
//   shapes of input and output: rank, dimensions
//   an ONNX file, to the end
// What OpenCV's importer cannot read as it stands is rewritten before by src/platform/opencv-model.ts.
#include <algorithm>
#include <limits>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

#include "runner.h"
#include "word_reader.h"

namespace samara {

namespace {

constexpr uint32_t magic = 0x56434f53;  // "SOCV"
constexpr uint32_t container_version = 1;

// The thread count is the process's, and setting it makes TBB's arena anew even where nothing changes.
void use_threads(int threads) {
  static int threads_now = 0;
  if (threads == threads_now) return;
  cv::setNumThreads(threads);
  threads_now = threads;
}

// What went wrong without the place in OpenCV's sources, on one line.
std::string message_of(const cv::Exception &error) {
  std::string text = error.err;
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

cv::dnn::Net read_network(WordReader &reader) {
  const size_t size = reader.left();
  if (size == 0 || size > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw FormatError("an ONNX file has 1 byte to 2 GiB, got " + std::to_string(size) + " bytes");
  }
  try {
    return cv::dnn::readNetFromONNX(reinterpret_cast<const char *>(reader.take(size)), size);
  } catch (const cv::Exception &error) {
    const std::string message = message_of(error);
    // What it says when protobuf cannot parse the bytes.
    if (message.find("Failed to parse onnx model") != std::string::npos) throw FormatError(message);
    throw UnsupportedError(message);
  }
}

class OpencvSession : public Session {
 public:
  OpencvSession(WordReader &reader, int threads) : threads_(threads) {
    input_shape_ = reader.shape();
    output_shape_ = reader.shape();
    dims_.assign(input_shape_.begin(), input_shape_.end());
    use_threads(threads_);
    net_ = read_network(reader);
    net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
    const std::vector<cv::String> outputs = net_.getUnconnectedOutLayersNames();
    if (outputs.size() != 1) {
      throw UnsupportedError("a network must have one output, got " + std::to_string(outputs.size()));
    }
    output_name_ = outputs[0];
    try {
      net_.setInput(cv::Mat(dims_, CV_32F, cv::Scalar(0)));
      // The first run lays out memory and fuses layers.
      output_ = net_.forward(output_name_);
    } catch (const cv::Exception &error) {
      throw UnsupportedError(message_of(error));
    }
    if (output_.type() != CV_32F) throw UnsupportedError("the output is not float32");
    check_output_shape(Dims(output_.size.p, output_.size.p + output_.dims), output_shape_);
  }

  void set_input(const float *values) override {
    cv::Mat input(dims_, CV_32F);
    std::copy_n(values, input.total(), input.ptr<float>());
    net_.setInput(input);
  }

  void run() override {
    use_threads(threads_);
    // A header of the network's own memory: nothing is copied.
    output_ = net_.forward(output_name_);
  }

  void output(float *values) override {
    const cv::Mat result = output_.isContinuous() ? output_ : output_.clone();
    std::copy_n(result.ptr<float>(), result.total(), values);
  }

 private:
  cv::dnn::Net net_;
  cv::String output_name_;
  std::vector<int> dims_;
  cv::Mat output_;
  int threads_;
};

}  // namespace

std::string runtime_version() { return cv::getVersionString(); }

std::unique_ptr<Session> load_session(const uint8_t *model, size_t size, const Settings &, int threads) {
  // Errors come as exceptions; the log would write them to the terminal a second time.
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  WordReader reader(model, size);
  if (reader.word() != magic) throw FormatError("the bytes are no container of an ONNX file");
  if (reader.word() != container_version) throw FormatError("the container is of another version");
  return std::make_unique<OpencvSession>(reader, threads);
}

}  // namespace samara
