// PyTorch's TorchScript interpreter on the CPU: a module's source and parameters, run as libtorch runs a traced or
// scripted module that was not frozen.
//
// The bytes are not ONNX: src/platform/torchscript/ translates a network. Little-endian 32-bit words throughout:
//   "SATS", version 1
//   the input's shape
//   source: `def forward(self, x: Tensor) -> Tensor: ...`
//   number of parameters; each: name, shape, float32 values
// where a shape is its rank and dimensions, and a text its length in bytes and UTF-8 padded to words.
//
// The executor settles with the third run: the first records types, the second compiles for them. Both happen here.
#include <cstring>
#include <utility>

#include <ATen/Parallel.h>
#include <torch/csrc/jit/runtime/jit_exception.h>
#include <torch/script.h>
#include <torch/version.h>

#include "runner.h"

// There where the libblas.so.3 of the system is OpenBLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));

namespace samara {

namespace {

constexpr uint32_t magic = 0x53544153;  // "SATS"
constexpr uint32_t container_version = 1;
constexpr uint32_t max_rank = 8;
constexpr int runs_until_settled = 2;

class Reader {
 public:
  Reader(const uint8_t *bytes, size_t size) : at_(bytes), left_(size) {}

  uint32_t word() {
    const uint8_t *b = take(4);
    return uint32_t{b[0]} | uint32_t{b[1]} << 8 | uint32_t{b[2]} << 16 | uint32_t{b[3]} << 24;
  }

  std::string text() {
    const size_t length = word();
    const uint8_t *start = take((length + 3) / 4 * 4);
    return std::string(reinterpret_cast<const char *>(start), length);
  }

  Dims shape() {
    const uint32_t rank = word();
    if (rank > max_rank) throw FormatError("a tensor has more than 8 dimensions");
    Dims dims;
    for (uint32_t i = 0; i < rank; i++) dims.push_back(word());
    count_of(dims);
    return dims;
  }

  // In memory of its own, aligned as PyTorch aligns it.
  at::Tensor values(const Dims &shape) {
    const size_t size = count_of(shape) * sizeof(float);
    const uint8_t *bytes = take(size);
    at::Tensor tensor = at::empty(shape, at::kFloat);
    std::memcpy(tensor.data_ptr<float>(), bytes, size);
    return tensor;
  }

  bool at_end() const { return left_ == 0; }

 private:
  const uint8_t *take(size_t size) {
    if (size > left_) throw FormatError("the bytes end too early");
    const uint8_t *start = at_;
    at_ += size;
    left_ -= size;
    return start;
  }

  const uint8_t *at_;
  size_t left_;
};

void use_threads(int threads) {
  static int threads_now = 0;
  if (threads == threads_now) return;
  // Once a process, and before there are any.
  if (threads_now == 0) at::set_num_interop_threads(1);
  at::set_num_threads(threads);
  // OpenBLAS may have threads of its own, as many as cores unless it is told.
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(threads);
  threads_now = threads;
}

// Convolutions of small images are products of matrices: which library multiplies changes latency tenfold.
void check_blas(const std::string &expected) {
  const bool is_openblas = openblas_set_num_threads != nullptr;
  if (is_openblas == (expected == "openblas")) return;
  throw UnsupportedError("setting \"blas\" is " + expected + ", but libblas.so.3 is " +
                         (is_openblas ? "OpenBLAS" : "another library"));
}

class TorchSession : public Session {
 public:
  TorchSession(Reader &reader, int threads) : module_("network"), threads_(threads) {
    input_shape_ = reader.shape();
    input_ = at::zeros(input_shape_, at::kFloat);
    inputs_ = {input_};
    const std::string source = reader.text();
    const uint32_t n_parameters = reader.word();
    for (uint32_t i = 0; i < n_parameters; i++) {
      const std::string name = reader.text();
      const Dims shape = reader.shape();
      module_.register_parameter(name, reader.values(shape), /*is_buffer=*/false);
    }
    if (!reader.at_end()) throw FormatError("bytes follow the last parameter");
    module_.define(source);
    module_.eval();
    for (int i = 0; i < runs_until_settled; i++) run();
    if (output_.scalar_type() != at::kFloat) throw UnsupportedError("the output is not float32");
    output_shape_ = output_.sizes().vec();
  }

  void set_input(const float *values) override {
    std::memcpy(input_.data_ptr<float>(), values, input_.numel() * sizeof(float));
  }

  void run() override {
    use_threads(threads_);
    const c10::InferenceMode without_gradients;
    output_ = module_.forward(inputs_).toTensor();
  }

  void output(float *values) override {
    const at::Tensor result = output_.contiguous();
    std::memcpy(values, result.data_ptr<float>(), result.numel() * sizeof(float));
  }

 private:
  torch::jit::Module module_;
  at::Tensor input_;
  std::vector<c10::IValue> inputs_;
  at::Tensor output_;
  int threads_;
};

}  // namespace

std::string runtime_version() { return TORCH_VERSION; }

std::unique_ptr<Session> load_session(const uint8_t *model, size_t size, const Settings &settings, int threads) {
  Reader reader(model, size);
  if (size < 8 || reader.word() != magic) throw FormatError("the bytes are no TorchScript container");
  if (reader.word() != container_version) throw FormatError("the container is of another version");
  check_blas(setting(settings, "blas"));
  try {
    return std::make_unique<TorchSession>(reader, threads);
  } catch (const c10::Error &error) {
    throw UnsupportedError(error.what_without_backtrace());
  } catch (const torch::jit::ErrorReport &error) {  // of the compiler
    throw UnsupportedError(error.what());
  } catch (const torch::jit::JITException &error) {  // of the interpreter
    throw UnsupportedError(error.what());
  }
}

}  // namespace samara
