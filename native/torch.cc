// PyTorch's TorchScript interpreter on the CPU: a module's source and parameters, run as libtorch runs a traced or
// scripted module that was not frozen.
//
// The bytes are not ONNX: src/platform/torchscript/ translates a network. Little-endian 32-bit words throughout:
//   "SATS", version 1
//   shapes of input and output
//   source: `def forward(self, x: Tensor) -> Tensor: ...`
//   number of parameters; each: name, shape, float32 values
// where a shape is its rank and dimensions, and a text its length in bytes and UTF-8 padded to words.
//
// The executor settles with the third run: the first records types, the second compiles for them. Both happen here.
#include <cstring>
#include <utility>

#include <ATen/Parallel.h>
#include <torch/script.h>
#include <torch/version.h>

#include "runner.h"
#include "word_reader.h"

// There where the libblas.so.3 of the system is OpenBLAS.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));

namespace samara {

namespace {

constexpr uint32_t magic = 0x53544153;  // "SATS"
constexpr uint32_t container_version = 1;
constexpr int runs_until_settled = 2;

// In memory of its own, aligned as PyTorch aligns it.
at::Tensor read_values(WordReader &reader, const Dims &shape) {
  const size_t size = count_of(shape) * sizeof(float);
  const uint8_t *bytes = reader.take(size);
  at::Tensor tensor = at::empty(shape, at::kFloat);
  std::memcpy(tensor.data_ptr<float>(), bytes, size);
  return tensor;
}

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
  TorchSession(WordReader &reader, int threads) : module_("network"), threads_(threads) {
    input_shape_ = reader.shape();
    output_shape_ = reader.shape();
    input_ = at::zeros(input_shape_, at::kFloat);
    inputs_ = {input_};
    const std::string source = reader.text();
    const uint32_t n_parameters = reader.word();
    for (uint32_t i = 0; i < n_parameters; i++) {
      const std::string name = reader.text();
      const Dims shape = reader.shape();
      module_.register_parameter(name, read_values(reader, shape), /*is_buffer=*/false);
    }
    if (reader.left() > 0) throw FormatError("bytes follow the last parameter");
    module_.define(source);
    module_.eval();
    for (int i = 0; i < runs_until_settled; i++) run();
    if (output_.scalar_type() != at::kFloat) throw UnsupportedError("the output is not float32");
    check_output_shape(output_.sizes().vec(), output_shape_);
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
  WordReader reader(model, size);
  if (reader.word() != magic) throw FormatError("the bytes are no TorchScript container");
  if (reader.word() != container_version) throw FormatError("the container is of another version");
  check_blas(setting(settings, "blas"));
  try {
    return std::make_unique<TorchSession>(reader, threads);
  } catch (const FormatError &) {
    throw;
  } catch (const UnsupportedError &) {
    throw;
  } catch (const c10::Error &error) {  // of operators
    throw UnsupportedError(error.what_without_backtrace());
  } catch (const torch::jit::ErrorReport &error) {  // of the compiler
    throw UnsupportedError(error.what());
  } catch (const std::runtime_error &error) {  // of the interpreter
    throw UnsupportedError(error.what());
  }
}

}  // namespace samara
