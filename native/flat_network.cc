// Reads the networks that src/platform/flat-network.ts writes; trusts nothing in them.
#include "flat_network.h"

#include <cstring>

#include "word_reader.h"

namespace samara {

namespace {

[[noreturn]] void fail(const std::string &problem) { throw FormatError("the network " + problem); }

class Reader : public WordReader {
 public:
  using WordReader::WordReader;

  // A number of things that take at least `bytes_each`.
  size_t count(size_t bytes_each) {
    const size_t n = word();
    if (n > left() / bytes_each) fail("ends too early");
    return n;
  }

  float number() {
    const uint32_t bits = word();
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  std::vector<float> numbers(size_t n) {
    if (n > left() / 4) fail("ends too early");
    std::vector<float> values(n);
    for (float &value : values) value = number();
    return values;
  }
};

FlatTensor read_tensor(Reader &reader) {
  FlatTensor tensor;
  const uint32_t kind = reader.word();
  if (kind > 2) fail("has a tensor of unknown kind");
  tensor.kind = static_cast<FlatTensor::Kind>(kind);
  tensor.dims = reader.shape();
  if (tensor.kind == FlatTensor::Kind::constant) tensor.values = reader.numbers(count_of(tensor.dims));
  return tensor;
}

int read_tensor_number(Reader &reader, size_t n_tensors) {
  const uint32_t number = reader.word();
  if (number >= n_tensors) fail("names a tensor that is not there");
  return static_cast<int>(number);
}

FlatStep read_step(Reader &reader, size_t n_tensors) {
  FlatStep step;
  step.type = reader.text();
  step.name = reader.text();
  step.inputs.resize(reader.count(4));
  for (int &input : step.inputs) input = read_tensor_number(reader, n_tensors);
  step.output = read_tensor_number(reader, n_tensors);
  step.integers.resize(reader.count(4));
  for (int32_t &value : step.integers) value = static_cast<int32_t>(reader.word());
  step.floats = reader.numbers(reader.count(4));
  return step;
}

// What an operator type must come with.
struct Form {
  const char *type;
  size_t min_inputs, max_inputs, n_integers, n_floats;
};

constexpr size_t as_rank = SIZE_MAX;
constexpr Form forms[] = {
    {"Conv", 2, 3, 11, 0},        {"AveragePool", 1, 1, 11, 0},        {"MaxPool", 1, 1, 10, 0},
    {"GlobalAveragePool", 1, 1, 0, 0}, {"BatchNormalization", 5, 5, 0, 1}, {"Gemm", 2, 3, 0, 0},
    {"Relu", 1, 1, 0, 0},         {"Identity", 1, 1, 0, 0},            {"Clip", 1, 1, 0, 2},
    {"HardSigmoid", 1, 1, 0, 2},  {"Add", 2, 2, 0, 0},                 {"Mul", 2, 2, 0, 0},
    {"Reshape", 1, 1, 0, 0},      {"Transpose", 1, 1, as_rank, 0},
};

const Form &form_of(const FlatStep &step) {
  for (const Form &form : forms) {
    if (step.type == form.type) return form;
  }
  unsupported(step, "native runtimes have no such operator");
}

[[noreturn]] void misfit(const FlatStep &step) {
  fail("has operands that do not fit operator \"" + step.name + "\" (" + step.type + ")");
}

void check(bool fits, const FlatStep &step) {
  if (!fits) misfit(step);
}

void check_constant(const FlatNetwork &network, const FlatStep &step, size_t i, const Dims &dims) {
  const FlatTensor &tensor = network.input_of(step, i);
  check(tensor.kind == FlatTensor::Kind::constant && tensor.dims == dims, step);
}

void check_window(const FlatStep &step, const Dims &x, const Dims &y) {
  check(x.size() == 4 && y.size() == 4, step);
  const Window window = window_of(step);
  for (int i = 0; i < 2; i++) {
    check(window.kernel[i] >= 1 && window.strides[i] >= 1 && window.dilations[i] >= 1, step);
    check(window.pads_begin[i] >= 0 && window.pads_end[i] >= 0, step);
    const int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1;
    const int64_t room = x[2 + i] + window.pads_begin[i] + window.pads_end[i] - extent;
    check(room >= 0 && y[2 + i] == room / window.strides[i] + 1, step);
  }
}

void check_conv(const FlatNetwork &network, const FlatStep &step, const Dims &x, const Dims &y) {
  check_window(step, x, y);
  const int64_t groups = step.integers[10];
  check(groups >= 1 && x[1] % groups == 0 && y[1] % groups == 0 && y[0] == x[0], step);
  const Window window = window_of(step);
  check_constant(network, step, 1, {y[1], x[1] / groups, window.kernel[0], window.kernel[1]});
  if (step.inputs.size() == 3) check_constant(network, step, 2, {y[1]});
}

void check_broadcast(const FlatNetwork &network, const FlatStep &step, const Dims &y) {
  for (size_t i = 0; i < 2; i++) check(network.input_of(step, i).dims.size() == y.size(), step);
  const Dims &a = network.input_of(step, 0).dims;
  const Dims &b = network.input_of(step, 1).dims;
  for (size_t i = 0; i < y.size(); i++) {
    check((a[i] == y[i] || a[i] == 1) && (b[i] == y[i] || b[i] == 1), step);
    check(a[i] == y[i] || b[i] == y[i], step);
  }
}

void check_permutation(const FlatStep &step, const Dims &x, const Dims &y) {
  std::vector<bool> seen(x.size());
  for (size_t i = 0; i < x.size(); i++) {
    const int32_t from = step.integers[i];
    check(from >= 0 && static_cast<size_t>(from) < x.size() && !seen[from] && y[i] == x[from], step);
    seen[from] = true;
  }
}

void check_step(const FlatNetwork &network, const FlatStep &step) {
  const Form &form = form_of(step);
  check(step.inputs.size() >= form.min_inputs && step.inputs.size() <= form.max_inputs, step);
  const Dims &x = network.input_of(step, 0).dims;
  const Dims &y = network.output_of(step).dims;
  check(step.integers.size() == (form.n_integers == as_rank ? x.size() : form.n_integers), step);
  check(step.floats.size() == form.n_floats, step);
  const std::string &type = step.type;
  if (type == "Conv") {
    check_conv(network, step, x, y);
  } else if (type == "AveragePool" || type == "MaxPool") {
    check_window(step, x, y);
    check(x[0] == y[0] && x[1] == y[1], step);
  } else if (type == "GlobalAveragePool") {
    check(x.size() == 4 && y == Dims({x[0], x[1], 1, 1}), step);
  } else if (type == "BatchNormalization") {
    check(x.size() >= 2 && x == y, step);
    for (size_t i = 1; i < 5; i++) check_constant(network, step, i, {x[1]});
  } else if (type == "Gemm") {
    check(x.size() == 2 && y.size() == 2 && x[0] == y[0], step);
    check_constant(network, step, 1, {y[1], x[1]});
    if (step.inputs.size() == 3) check_constant(network, step, 2, {y[1]});
  } else if (type == "Add" || type == "Mul") {
    check_broadcast(network, step, y);
  } else if (type == "Reshape") {
    check(count_of(x) == count_of(y), step);
  } else if (type == "Transpose") {
    check(x.size() == y.size(), step);
    check_permutation(step, x, y);
  } else {
    check(x == y, step);
  }
}

// Every tensor is written once, before it is read.
void check_order(const FlatNetwork &network) {
  std::vector<bool> known;
  for (const FlatTensor &tensor : network.tensors) known.push_back(tensor.kind != FlatTensor::Kind::computed);
  for (const FlatStep &step : network.steps) {
    for (const int input : step.inputs) {
      if (!known[input]) fail("reads a tensor before it is computed");
    }
    if (known[step.output]) fail("computes a tensor twice");
    known[step.output] = true;
  }
  if (!known[network.output]) fail("never computes its output");
}

}  // namespace

FlatNetwork parse_flat_network(const uint8_t *bytes, size_t size) {
  Reader reader(bytes, size);
  if (size < 4 || std::memcmp(reader.take(4), "SFN1", 4) != 0) fail("is no flat network of version 1");
  FlatNetwork network;
  network.tensors.resize(reader.count(8));
  for (FlatTensor &tensor : network.tensors) tensor = read_tensor(reader);
  network.steps.resize(reader.count(24));
  for (FlatStep &step : network.steps) step = read_step(reader, network.tensors.size());
  network.input = read_tensor_number(reader, network.tensors.size());
  network.output = read_tensor_number(reader, network.tensors.size());
  if (reader.left() > 0) fail("goes on after its end");

  size_t n_inputs = 0;
  for (const FlatTensor &tensor : network.tensors) n_inputs += tensor.kind == FlatTensor::Kind::input;
  if (n_inputs != 1 || network.tensors[network.input].kind != FlatTensor::Kind::input) fail("must have one input");
  if (network.tensors[network.output].kind != FlatTensor::Kind::computed) fail("must compute its output");
  check_order(network);
  for (const FlatStep &step : network.steps) check_step(network, step);
  return network;
}

Window window_of(const FlatStep &step) {
  const std::vector<int32_t> &v = step.integers;
  return {{v.at(0), v.at(1)}, {v.at(2), v.at(3)}, {v.at(4), v.at(5)}, {v.at(6), v.at(7)}, {v.at(8), v.at(9)}};
}

void unsupported(const FlatStep &step, const std::string &problem) {
  throw UnsupportedError("operator \"" + step.name + "\" (" + step.type + "): " + problem);
}

}  // namespace samara
