// oneDNN, one primitive for each operator of the network, in order: an eager runtime. Nothing is fused or left out.
//
// Convolutions choose the layouts of their operands (format_tag::any), other operators take them as they come, and
// reorders stand where layouts meet. All is created at load; a run only executes. An image of 8 channels or more comes in
// as convolutions would hand it on, so that an operator measured alone meets what it meets inside a network; copying
// into that layout is no part of a run.
#include <dnnl.h>
#include <omp.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <oneapi/dnnl/dnnl.hpp>

#include "buffer_plan.h"
#include "flat_network.h"

namespace samara {

namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using Desc = memory::desc;

constexpr auto f32 = memory::data_type::f32;
constexpr auto inference = prop_kind::forward_inference;

Desc any_desc(const Dims &dims) { return Desc(dims, f32, memory::format_tag::any); }

Desc plain_desc(const Dims &dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return Desc(dims, f32, strides);
}

Desc vector_desc(int64_t size) { return Desc({size}, f32, memory::format_tag::x); }

// Instruction sets and threads belong to the process: those of the first session hold.
struct ProcessSettings {
  std::string isa;
  int threads;
};

void apply_isa(const std::string &isa) {
  const std::map<std::string, dnnl_cpu_isa_t> known = {{"default", dnnl_cpu_isa_all},
                                                       {"avx512", dnnl_cpu_isa_avx512_core},
                                                       {"avx2", dnnl_cpu_isa_avx2},
                                                       {"sse41", dnnl_cpu_isa_sse41}};
  const auto found = known.find(isa);
  if (found == known.end()) throw UnsupportedError("there is no instruction set \"" + isa + "\"");
  if (dnnl_set_max_cpu_isa(found->second) != dnnl_success) {
    throw UnsupportedError("the instruction set can no longer be chosen in this process");
  }
  if (isa != "default" && dnnl_get_effective_cpu_isa() != found->second) {
    throw UnsupportedError("this processor has no " + isa);
  }
}

void apply_process_settings(const std::string &isa, int threads) {
  static std::unique_ptr<ProcessSettings> first;
  if (first == nullptr) {
    apply_isa(isa);
    first = std::make_unique<ProcessSettings>(ProcessSettings{isa, threads});
  }
  if (first->isa != isa || first->threads != threads) {
    throw UnsupportedError("this process runs oneDNN with " + first->isa + " and " + std::to_string(first->threads) +
                           " threads already");
  }
  omp_set_num_threads(threads);
}

// Layout of an image that nobody has laid out yet: that in which a 3x3 convolution would hand it on. Images of few
// channels are what a network gets from outside.
Desc image_desc(const Dims &dims, const dnnl::engine &engine) {
  if (dims.size() != 4 || dims[1] < 8) return plain_desc(dims);
  using Convolution = dnnl::convolution_forward;
  const Convolution::desc described(inference, algorithm::convolution_direct, any_desc(dims),
                                    any_desc({dims[1], dims[1], 3, 3}), any_desc(dims), {1, 1}, {1, 1}, {1, 1});
  return Convolution::primitive_desc(described, engine).dst_desc();
}

// A tensor as it is laid out at one point of the plan.
struct Value {
  memory data;
  Lease lease;
  bool is_constant = false;
  Desc desc() const { return data.get_desc(); }
};

using Arguments = std::vector<std::pair<int, memory>>;

// A primitive with its arguments as the C interface takes them: nothing is allocated in a run.
struct Execution {
  dnnl::primitive primitive;
  Arguments kept;
  std::vector<dnnl_exec_arg_t> arguments;
};

class OneDnnSession : public Session {
 public:
  explicit OneDnnSession(const FlatNetwork &network)
      : network_(network), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_), values_(network.tensors.size()) {
    find_last_uses();
    input_shape_ = network_.tensors[network_.input].dims;
    output_shape_ = network_.tensors[network_.output].dims;
    input_ = values_[network_.input] = allocate(image_desc(input_shape_, engine_));
    for (const FlatStep &step : network_.steps) add(step);
    output_ = values_[network_.output];
    // Both stay beyond the plan: nothing may be put over them.
    values_.clear();
    network_ = FlatNetwork();
  }

  void set_input(const float *values) override {
    memory given(plain_desc(input_shape_), engine_, const_cast<float *>(values));
    copy(given, input_.data);
  }

  void run() override {
    for (const Execution &execution : executions_) {
      const auto &arguments = execution.arguments;
      const dnnl_status_t status = dnnl_primitive_execute(execution.primitive.get(), stream_.get(),
                                                          static_cast<int>(arguments.size()), arguments.data());
      if (status != dnnl_success) throw std::runtime_error("a primitive cannot be executed");
    }
    stream_.wait();
  }

  void output(float *values) override {
    memory wanted(plain_desc(output_shape_), engine_, values);
    copy(output_.data, wanted);
  }

 private:
  void copy(memory &from, memory &to) {
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
  }

  void find_last_uses() {
    last_use_.assign(network_.tensors.size(), -1);
    for (size_t i = 0; i < network_.steps.size(); i++) {
      for (const int input : network_.steps[i].inputs) last_use_[input] = static_cast<int>(i);
    }
    last_use_[network_.input] = last_use_[network_.output] = static_cast<int>(network_.steps.size());
  }

  Value allocate(const Desc &desc) {
    Lease lease = buffers_.lease(desc.get_size());
    return {memory(desc, engine_, lease.get()), lease};
  }

  void execute(dnnl::primitive primitive, Arguments arguments) {
    Execution execution{std::move(primitive), std::move(arguments), {}};
    for (const auto &[role, data] : execution.kept) execution.arguments.push_back({role, data.get()});
    executions_.push_back(std::move(execution));
  }

  // The value in another layout: a reorder in the run, or now for what is constant.
  Value arranged(const Value &value, const Desc &desc) {
    if (value.desc() == desc) return value;
    if (value.is_constant) {
      Value turned{memory(desc, engine_), nullptr, true};
      memory from = value.data;
      copy(from, turned.data);
      return turned;
    }
    Value turned = allocate(desc);
    execute(dnnl::reorder(value.data, turned.data), {{DNNL_ARG_FROM, value.data}, {DNNL_ARG_TO, turned.data}});
    return turned;
  }

  // An input as data: constants are laid out like images.
  const Value &value_of(int tensor) {
    Value &value = values_[tensor];
    if (!value.data) value = constant(tensor, image_desc(network_.tensors[tensor].dims, engine_));
    return value;
  }

  const Value &input(const FlatStep &step, size_t i = 0) { return value_of(step.inputs[i]); }

  // A constant under dimensions of its own (same number of values), in a layout.
  Value constant(int tensor, const Desc &desc, const Dims &dims) {
    const FlatTensor &flat = network_.tensors[tensor];
    Value value{memory(plain_desc(dims), engine_), nullptr, true};
    std::memcpy(value.data.get_data_handle(), flat.values.data(), flat.values.size() * sizeof(float));
    return arranged(value, desc);
  }

  Value constant(int tensor, const Desc &desc) { return constant(tensor, desc, network_.tensors[tensor].dims); }

  void add(const FlatStep &step) {
    values_[step.output] = result_of(step);
    const int now = &step - network_.steps.data();
    for (const int input : step.inputs) {
      if (last_use_[input] <= now) values_[input] = Value();
    }
    // A result that nobody reads is computed all the same.
    if (last_use_[step.output] < 0) values_[step.output] = Value();
  }

  Value result_of(const FlatStep &step) {
    const std::string &type = step.type;
    if (type == "Conv") return convolution(step);
    if (type == "Gemm") return inner_product(step);
    if (type == "Relu") return eltwise(input(step), algorithm::eltwise_relu, 0, 0);
    if (type == "Clip") return eltwise(input(step), algorithm::eltwise_clip, step.floats[0], step.floats[1]);
    if (type == "HardSigmoid") {
      // This version has no hard sigmoid: a line, then its ends cut off.
      const Value line = eltwise(input(step), algorithm::eltwise_linear, step.floats[0], step.floats[1]);
      return eltwise(line, algorithm::eltwise_clip, 0, 1);
    }
    if (type == "Add" || type == "Mul") return sum_or_product(step);
    if (type == "AveragePool") {
      const bool is_counted = step.integers[10] != 0;
      return pool(step, window_of(step),
                  is_counted ? algorithm::pooling_avg_include_padding : algorithm::pooling_avg_exclude_padding);
    }
    if (type == "MaxPool") return pool(step, window_of(step), algorithm::pooling_max);
    if (type == "GlobalAveragePool") {
      const Dims &x = network_.input_of(step, 0).dims;
      return pool(step, {{x[2], x[3]}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, algorithm::pooling_avg_exclude_padding);
    }
    if (type == "BatchNormalization") return batch_normalization(step);
    if (type == "Identity") return copied(input(step), input(step).desc());
    if (type == "Reshape") return reshaped(step);
    if (type == "Transpose") return transposed(step);
    unsupported(step, "oneDNN's runner has no such operator");
  }

  Value convolution(const FlatStep &step) {
    const Window w = window_of(step);
    const int64_t groups = step.integers[10];
    Dims weights = network_.input_of(step, 1).dims;
    if (groups > 1) weights = {groups, weights[0] / groups, weights[1], weights[2], weights[3]};
    const Value &x = input(step);
    const Desc y = any_desc(network_.output_of(step).dims);
    const Dims strides(w.strides.begin(), w.strides.end());
    const Dims gaps = {w.dilations[0] - 1, w.dilations[1] - 1};
    const Dims begin(w.pads_begin.begin(), w.pads_begin.end());
    const Dims end(w.pads_end.begin(), w.pads_end.end());
    const bool has_bias = step.inputs.size() == 3;
    const auto direct = algorithm::convolution_direct;
    const Desc from = any_desc(network_.input_of(step, 0).dims);
    using Convolution = dnnl::convolution_forward;
    const Convolution::desc described =
        has_bias ? Convolution::desc(inference, direct, from, any_desc(weights), vector_desc(y.dims()[1]), y, strides,
                                     gaps, begin, end)
                 : Convolution::desc(inference, direct, from, any_desc(weights), y, strides, gaps, begin, end);
    const Convolution::primitive_desc chosen(described, engine_);
    const Value source = arranged(x, chosen.src_desc());
    const Value result = allocate(chosen.dst_desc());
    Arguments arguments = {{DNNL_ARG_SRC, source.data},
                           {DNNL_ARG_WEIGHTS, constant(step.inputs[1], chosen.weights_desc(), weights).data},
                           {DNNL_ARG_DST, result.data}};
    if (has_bias) arguments.push_back({DNNL_ARG_BIAS, constant(step.inputs[2], chosen.bias_desc()).data});
    execute(Convolution(chosen), std::move(arguments));
    return result;
  }

  Value inner_product(const FlatStep &step) {
    using Product = dnnl::inner_product_forward;
    const Dims &weights = network_.input_of(step, 1).dims;
    const Desc from = any_desc(network_.input_of(step, 0).dims);
    const Desc y = any_desc(network_.output_of(step).dims);
    const bool has_bias = step.inputs.size() == 3;
    const Product::desc described =
        has_bias ? Product::desc(inference, from, any_desc(weights), vector_desc(weights[0]), y)
                 : Product::desc(inference, from, any_desc(weights), y);
    const Product::primitive_desc chosen(described, engine_);
    const Value source = arranged(input(step), chosen.src_desc());
    const Value result = allocate(chosen.dst_desc());
    Arguments arguments = {{DNNL_ARG_SRC, source.data},
                           {DNNL_ARG_WEIGHTS, constant(step.inputs[1], chosen.weights_desc()).data},
                           {DNNL_ARG_DST, result.data}};
    if (has_bias) arguments.push_back({DNNL_ARG_BIAS, constant(step.inputs[2], chosen.bias_desc()).data});
    execute(Product(chosen), std::move(arguments));
    return result;
  }

  Value eltwise(const Value &x, algorithm kind, float alpha, float beta) {
    using Eltwise = dnnl::eltwise_forward;
    const Eltwise::primitive_desc chosen(Eltwise::desc(inference, kind, x.desc(), alpha, beta), engine_);
    const Value result = allocate(chosen.dst_desc());
    execute(Eltwise(chosen), {{DNNL_ARG_SRC, x.data}, {DNNL_ARG_DST, result.data}});
    return result;
  }

  // The only value of an operand that is one constant number.
  const float *number(int tensor) const {
    const std::vector<float> &values = network_.tensors[tensor].values;
    return values.size() == 1 ? &values[0] : nullptr;
  }

  // With one number it is a line: oneDNN's sums and products broadcast a single value by reference code only.
  Value sum_or_product(const FlatStep &step) {
    const bool is_sum = step.type == "Add";
    for (const int i : {0, 1}) {
      const float *value = number(step.inputs[i]);
      if (value == nullptr || network_.input_of(step, 1 - i).dims != network_.output_of(step).dims) continue;
      return eltwise(input(step, 1 - i), algorithm::eltwise_linear, is_sum ? 1 : *value, is_sum ? *value : 0);
    }
    return binary(step, is_sum ? algorithm::binary_add : algorithm::binary_mul);
  }

  // The first operand has the full shape, the second may be broadcast; a plain operand takes a blocked one's layout.
  Value binary(const FlatStep &step, algorithm kind) {
    const Dims &y = network_.output_of(step).dims;
    Value a = input(step, 0);
    Value b = input(step, 1);
    if (a.desc().dims() != y) std::swap(a, b);
    if (a.desc().dims() != y) unsupported(step, "both operands are broadcast");
    if (b.desc().dims() == y && b.desc() != a.desc()) {
      if (a.desc() == plain_desc(y)) {
        a = arranged(a, b.desc());
      } else {
        b = arranged(b, a.desc());
      }
    }
    using Binary = dnnl::binary;
    const Binary::primitive_desc chosen(Binary::desc(kind, a.desc(), b.desc(), a.desc()), engine_);
    const Value result = allocate(chosen.dst_desc());
    execute(Binary(chosen),
            {{DNNL_ARG_SRC_0, a.data}, {DNNL_ARG_SRC_1, b.data}, {DNNL_ARG_DST, result.data}});
    return result;
  }

  Value pool(const FlatStep &step, const Window &w, algorithm kind) {
    using Pooling = dnnl::pooling_v2_forward;
    const Value &x = input(step);
    const Dims gaps = {w.dilations[0] - 1, w.dilations[1] - 1};
    const Pooling::desc described(
        inference, kind, x.desc(), any_desc(network_.output_of(step).dims), Dims(w.strides.begin(), w.strides.end()),
        Dims(w.kernel.begin(), w.kernel.end()), gaps, Dims(w.pads_begin.begin(), w.pads_begin.end()),
        Dims(w.pads_end.begin(), w.pads_end.end()));
    const Pooling::primitive_desc chosen(described, engine_);
    const Value result = allocate(chosen.dst_desc());
    execute(Pooling(chosen), {{DNNL_ARG_SRC, x.data}, {DNNL_ARG_DST, result.data}});
    return result;
  }

  Value batch_normalization(const FlatStep &step) {
    using Norm = dnnl::batch_normalization_forward;
    using Flags = dnnl::normalization_flags;
    const Value &x = input(step);
    const auto flags = Flags::use_global_stats | Flags::use_scale | Flags::use_shift;
    const Norm::primitive_desc chosen(Norm::desc(inference, x.desc(), step.floats[0], flags), engine_);
    const Value result = allocate(chosen.dst_desc());
    const Desc channel = vector_desc(x.desc().dims()[1]);
    const auto parameter = [&](size_t i) { return constant(step.inputs[i], channel).data; };
    execute(Norm(chosen), {{DNNL_ARG_SRC, x.data},
                           {DNNL_ARG_SCALE, parameter(1)},
                           {DNNL_ARG_SHIFT, parameter(2)},
                           {DNNL_ARG_MEAN, parameter(3)},
                           {DNNL_ARG_VARIANCE, parameter(4)},
                           {DNNL_ARG_DST, result.data}});
    return result;
  }

  Value copied(const Value &x, const Desc &desc) {
    const Value result = allocate(desc);
    execute(dnnl::reorder(x.data, result.data), {{DNNL_ARG_FROM, x.data}, {DNNL_ARG_TO, result.data}});
    return result;
  }

  // Another view of the same values where the layout allows, after a reorder where it does not.
  Value reshaped(const FlatStep &step) {
    const Value &x = input(step);
    const Dims &y = network_.output_of(step).dims;
    const Value source = arranged(x, plain_desc(x.desc().dims()));
    return {memory(plain_desc(y), engine_, source.data.get_data_handle()), source.lease, source.is_constant};
  }

  Value transposed(const FlatStep &step) {
    const Value &x = input(step);
    const Value source = arranged(x, plain_desc(x.desc().dims()));
    // permute_axes wants the new place of each axis, ONNX has the old axis of each place.
    std::vector<int> places(step.integers.size());
    for (size_t i = 0; i < places.size(); i++) places[step.integers[i]] = static_cast<int>(i);
    const Desc turned = source.desc().permute_axes(places);
    const Value view{memory(turned, engine_, source.data.get_data_handle()), source.lease, source.is_constant};
    return copied(view, plain_desc(network_.output_of(step).dims));
  }

  FlatNetwork network_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  // Before everything that holds a lease of it.
  BufferPlan buffers_;
  std::vector<Value> values_;
  std::vector<int> last_use_;
  std::vector<Execution> executions_;
  Value input_, output_;
};

}  // namespace

std::string runtime_version() {
  const dnnl_version_t *version = dnnl_version();
  return std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
}

std::unique_ptr<Session> load_session(const uint8_t *model, size_t size, const Settings &settings, int threads) {
  const FlatNetwork network = parse_flat_network(model, size);
  apply_process_settings(setting(settings, "isa"), threads);
  try {
    return std::make_unique<OneDnnSession>(network);
  } catch (const dnnl::error &error) {
    if (error.status == dnnl_unimplemented) throw UnsupportedError(error.what());
    throw;
  }
}

}  // namespace samara
