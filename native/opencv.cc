// OpenCV's DNN module on the CPU: its own kernels (DNN_BACKEND_OPENCV), its own graph optimiser (fusion, on by default).
//
// The model is an ONNX file. OpenCV does not tell the shape that an input was declared with, so the setting `input`
// does: "1x3x32x32". What the importer cannot read as it stands is rewritten before by src/platform/opencv-model.ts.
#include <algorithm>
#include <cstdlib>
#include <limits>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

#include "runner.h"

namespace samara {

namespace {

constexpr size_t max_rank = 8;

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

// "1x3x32x32" as numbers.
std::vector<int> shape_of(const std::string &text) {
  std::vector<int> shape;
  for (const char *at = text.c_str(); *at != '\0';) {
    char *end = nullptr;
    const long dim = std::strtol(at, &end, 10);
    const bool is_dim = end != at && dim >= 1 && dim <= std::numeric_limits<int>::max();
    if (!is_dim || shape.size() == max_rank || (*end != 'x' && *end != '\0')) {
      throw UnsupportedError("setting \"input\" must be a shape like 1x3x32x32, got " + text);
    }
    shape.push_back(static_cast<int>(dim));
    at = *end == 'x' ? end + 1 : end;
  }
  return shape;
}

cv::dnn::Net read_network(const uint8_t *model, size_t size) {
  if (size == 0 || size > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw FormatError("an ONNX file has 1 byte to 2 GiB, got " + std::to_string(size) + " bytes");
  }
  try {
    return cv::dnn::readNetFromONNX(reinterpret_cast<const char *>(model), size);
  } catch (const cv::Exception &error) {
    const std::string message = message_of(error);
    // What it says when protobuf cannot parse the bytes.
    if (message.find("Failed to parse onnx model") != std::string::npos) throw FormatError(message);
    throw UnsupportedError(message);
  }
}

class OpencvSession : public Session {
 public:
  OpencvSession(const uint8_t *model, size_t size, std::vector<int> input_shape, int threads)
      : dims_(std::move(input_shape)), threads_(threads) {
    input_shape_.assign(dims_.begin(), dims_.end());
    count_of(input_shape_);
    use_threads(threads_);
    net_ = read_network(model, size);
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
    output_shape_.assign(output_.size.p, output_.size.p + output_.dims);
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

std::unique_ptr<Session> load_session(const uint8_t *model, size_t size, const Settings &settings, int threads) {
  // Errors come as exceptions; the log would write them to the terminal a second time.
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  return std::make_unique<OpencvSession>(model, size, shape_of(setting(settings, "input")), threads);
}

}  // namespace samara
