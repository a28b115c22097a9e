// XNNPACK through its subgraph interface: the whole network is described first, then XNNPACK fuses what it fuses,
// plans memory and runs it. Images are NHWC there; this file turns them outside of run.
//
// Networks must come without operators that nobody reads: this version of XNNPACK plans no memory for them and
// crashes. It has no transposition either, so a reshape is possible only where NHWC and NCHW are the same order.
#include <xnnpack.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

#include "flat_network.h"

#ifndef SAMARA_PACKAGE_VERSION
#error "XNNPACK tells no version: the build passes that of its package"
#endif

namespace samara {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr uint32_t input_id = 0, output_id = 1, n_external = 2;

// XNNPACK reads beyond the end of a tensor.
constexpr size_t extra_values = XNN_EXTRA_BYTES / sizeof(float);

void check(xnn_status status, const char *what) {
  if (status == xnn_status_success) return;
  throw std::runtime_error(std::string(what) + " failed with status " + std::to_string(status));
}

void check(xnn_status status, const FlatStep &step) {
  if (status == xnn_status_success) return;
  unsupported(step, "XNNPACK refuses it with status " + std::to_string(status));
}

// One pool for all sessions with this number of threads; none for the calling thread alone.
pthreadpool_t pool_of(int threads) {
  static std::map<int, pthreadpool_t> pools;
  if (threads == 1) return nullptr;
  pthreadpool_t &pool = pools[threads];
  if (pool == nullptr) pool = pthreadpool_create(threads);
  if (pool == nullptr) throw std::runtime_error("the thread pool cannot be created");
  return pool;
}

std::vector<size_t> nhwc(const Dims &d) {
  if (d.size() != 4) return std::vector<size_t>(d.begin(), d.end());
  return {size_t(d[0]), size_t(d[2]), size_t(d[3]), size_t(d[1])};
}

// Values with their two middle parts exchanged: (outer, a, b) to (outer, b, a).
void exchange(const float *from, float *to, size_t outer, size_t a, size_t b) {
  for (size_t o = 0; o < outer; o++) {
    for (size_t i = 0; i < a; i++) {
      for (size_t j = 0; j < b; j++) to[(o * b + j) * a + i] = from[(o * a + i) * b + j];
    }
  }
}

void to_nhwc(const float *from, float *to, const Dims &d) {
  if (d.size() == 4) {
    exchange(from, to, d[0], d[1], d[2] * d[3]);
  } else {
    std::copy_n(from, count_of(d), to);
  }
}

void to_nchw(const float *from, float *to, const Dims &d) {
  if (d.size() == 4) {
    exchange(from, to, d[0], d[2] * d[3], d[1]);
  } else {
    std::copy_n(from, count_of(d), to);
  }
}

// Whether NHWC and NCHW are the same order of values.
bool is_order_free(const Dims &d) { return d.size() != 4 || d[1] == 1 || d[2] * d[3] == 1; }

class XnnpackSession : public Session {
 public:
  XnnpackSession(const FlatNetwork &network, int threads) : network_(network), ids_(network.tensors.size(), missing) {
    input_shape_ = network_.tensors[network_.input].dims;
    output_shape_ = network_.tensors[network_.output].dims;
    input_.resize(count_of(input_shape_) + extra_values);
    output_.resize(count_of(output_shape_) + extra_values);
    check(xnn_create_subgraph(n_external, 0, &subgraph_), "xnn_create_subgraph");
    try {
      ids_[network_.input] = define_external(input_shape_, input_id, XNN_VALUE_FLAG_EXTERNAL_INPUT);
      ids_[network_.output] = define_external(output_shape_, output_id, XNN_VALUE_FLAG_EXTERNAL_OUTPUT);
      for (const FlatStep &step : network_.steps) check(define(step), step);
      check(xnn_create_runtime_v2(subgraph_, pool_of(threads), XNN_FLAG_YIELD_WORKERS, &runtime_),
            "xnn_create_runtime");
      const xnn_external_value external[] = {{input_id, input_.data()}, {output_id, output_.data()}};
      check(xnn_setup_runtime(runtime_, n_external, external), "xnn_setup_runtime");
    } catch (...) {
      release();
      throw;
    }
    xnn_delete_subgraph(subgraph_);
    subgraph_ = nullptr;
    network_ = FlatNetwork();
  }

  ~XnnpackSession() override { release(); }

  void set_input(const float *values) override { to_nhwc(values, input_.data(), input_shape_); }
  void run() override { check(xnn_invoke_runtime(runtime_), "xnn_invoke_runtime"); }
  void output(float *values) override { to_nchw(output_.data(), values, output_shape_); }

 private:
  static constexpr uint32_t missing = XNN_INVALID_VALUE_ID;

  void release() {
    if (runtime_ != nullptr) xnn_delete_runtime(runtime_);
    if (subgraph_ != nullptr) xnn_delete_subgraph(subgraph_);
    runtime_ = nullptr;
    subgraph_ = nullptr;
  }

  uint32_t define_value(const std::vector<size_t> &dims, const float *data, uint32_t external, uint32_t flags) {
    uint32_t id;
    check(xnn_define_tensor_value(subgraph_, xnn_datatype_fp32, dims.size(), dims.data(), data, external, flags, &id),
          "xnn_define_tensor_value");
    return id;
  }

  uint32_t define_external(const Dims &dims, uint32_t id, uint32_t flags) {
    return define_value(nhwc(dims), nullptr, id, flags);
  }

  uint32_t define_constant(const std::vector<size_t> &dims, std::vector<float> values) {
    values.resize(values.size() + extra_values);
    constants_.push_back(std::move(values));
    return define_value(dims, constants_.back().data(), missing, 0);
  }

  uint32_t define_between(const Dims &dims) { return define_value(nhwc(dims), nullptr, missing, 0); }

  // A tensor as data: what was computed, or a constant in NHWC.
  uint32_t id_of(int tensor) {
    uint32_t &id = ids_[tensor];
    if (id != missing) return id;
    const FlatTensor &flat = network_.tensors[tensor];
    if (flat.kind == FlatTensor::Kind::constant) {
      std::vector<float> values(flat.values.size());
      to_nhwc(flat.values.data(), values.data(), flat.dims);
      return id = define_constant(nhwc(flat.dims), std::move(values));
    }
    return id = define_between(flat.dims);
  }

  uint32_t input(const FlatStep &step, size_t i = 0) { return id_of(step.inputs[i]); }
  uint32_t result(const FlatStep &step) { return id_of(step.output); }

  xnn_status define(const FlatStep &step) {
    const std::string &type = step.type;
    const auto x = [&] { return input(step); };
    const auto y = [&] { return result(step); };
    if (type == "Conv") return convolution(step);
    if (type == "Gemm") return fully_connected(step);
    if (type == "Relu") return xnn_define_clamp(subgraph_, 0, infinity, x(), y(), 0);
    if (type == "Clip") return xnn_define_clamp(subgraph_, step.floats[0], step.floats[1], x(), y(), 0);
    if (type == "HardSigmoid") return scaled(step, {step.floats[0]}, {step.floats[1]}, 0, 1);
    if (type == "BatchNormalization") return batch_normalization(step);
    if (type == "Add") return xnn_define_add2(subgraph_, -infinity, infinity, x(), input(step, 1), y(), 0);
    if (type == "Mul") return xnn_define_multiply2(subgraph_, -infinity, infinity, x(), input(step, 1), y(), 0);
    if (type == "AveragePool") return average_pool(step);
    if (type == "MaxPool") return max_pool(step);
    if (type == "GlobalAveragePool") {
      return xnn_define_global_average_pooling_2d(subgraph_, -infinity, infinity, x(), y(), 0);
    }
    if (type == "Identity") return reshape(step);
    if (type == "Reshape") {
      const bool is_free = is_order_free(network_.input_of(step, 0).dims) && is_order_free(network_.output_of(step).dims);
      if (!is_free) unsupported(step, "this version of XNNPACK has no transposition, which NHWC would need");
      return reshape(step);
    }
    unsupported(step, "this version of XNNPACK has no such operator");
  }

  // A copy, to the same shape as well: the only copying operator of this version.
  xnn_status reshape(const FlatStep &step) {
    const std::vector<size_t> dims = nhwc(network_.output_of(step).dims);
    return xnn_define_static_reshape(subgraph_, dims.size(), dims.data(), input(step), result(step), 0);
  }

  // Weights are OIHW; XNNPACK wants OHWI, and 1HWO for depthwise ones.
  xnn_status convolution(const FlatStep &step) {
    const Window w = window_of(step);
    const uint32_t groups = step.integers[10];
    const FlatTensor &weights = network_.input_of(step, 1);
    const size_t n_outputs = weights.dims[0], per_group = weights.dims[1];
    const size_t height = w.kernel[0], width = w.kernel[1];
    const uint32_t bias = step.inputs.size() == 3 ? input(step, 2)
                                                  : define_constant({n_outputs}, std::vector<float>(n_outputs));
    std::vector<float> turned(weights.values.size());
    if (groups > 1 && per_group == 1) {
      exchange(weights.values.data(), turned.data(), 1, n_outputs, height * width);
      const uint32_t filter = define_constant({1, height, width, n_outputs}, std::move(turned));
      return xnn_define_depthwise_convolution_2d(
          subgraph_, w.pads_begin[0], w.pads_end[1], w.pads_end[0], w.pads_begin[1], height, width, w.strides[0],
          w.strides[1], w.dilations[0], w.dilations[1], n_outputs / groups, groups, -infinity, infinity, input(step),
          filter, bias, result(step), 0);
    }
    exchange(weights.values.data(), turned.data(), n_outputs, per_group, height * width);
    const uint32_t filter = define_constant({n_outputs, height, width, per_group}, std::move(turned));
    return xnn_define_convolution_2d(subgraph_, w.pads_begin[0], w.pads_end[1], w.pads_end[0], w.pads_begin[1], height,
                                     width, w.strides[0], w.strides[1], w.dilations[0], w.dilations[1], groups,
                                     per_group, n_outputs / groups, -infinity, infinity, input(step), filter, bias,
                                     result(step), 0);
  }

  xnn_status fully_connected(const FlatStep &step) {
    const uint32_t bias = step.inputs.size() == 3 ? input(step, 2) : missing;
    return xnn_define_fully_connected(subgraph_, -infinity, infinity, input(step), input(step, 1), bias, result(step),
                                      0);
  }

  // The average leaves padding out; padding that counts is zeros put around the image first.
  xnn_status average_pool(const FlatStep &step) {
    Window w = window_of(step);
    if (w.dilations[0] != 1 || w.dilations[1] != 1) unsupported(step, "dilation");
    uint32_t source = input(step);
    const bool is_padded = w.pads_begin[0] + w.pads_begin[1] + w.pads_end[0] + w.pads_end[1] > 0;
    if (step.integers[10] != 0 && is_padded) {
      const size_t begin[] = {0, size_t(w.pads_begin[0]), size_t(w.pads_begin[1]), 0};
      const size_t end[] = {0, size_t(w.pads_end[0]), size_t(w.pads_end[1]), 0};
      Dims dims = network_.input_of(step, 0).dims;
      for (int i : {0, 1}) dims[2 + i] += w.pads_begin[i] + w.pads_end[i];
      const uint32_t padded = define_between(dims);
      check(xnn_define_static_constant_pad(subgraph_, begin, end, 0, source, padded, 0), step);
      source = padded;
      w.pads_begin = w.pads_end = {0, 0};
    }
    return xnn_define_average_pooling_2d(subgraph_, w.pads_begin[0], w.pads_end[1], w.pads_end[0], w.pads_begin[1],
                                         w.kernel[0], w.kernel[1], w.strides[0], w.strides[1], -infinity, infinity,
                                         source, result(step), 0);
  }

  xnn_status max_pool(const FlatStep &step) {
    const Window w = window_of(step);
    return xnn_define_max_pooling_2d(subgraph_, w.pads_begin[0], w.pads_end[1], w.pads_end[0], w.pads_begin[1],
                                     w.kernel[0], w.kernel[1], w.strides[0], w.strides[1], w.dilations[0],
                                     w.dilations[1], -infinity, infinity, input(step), result(step), 0);
  }

  xnn_status batch_normalization(const FlatStep &step) {
    const auto values = [&](size_t i) -> const std::vector<float> & { return network_.input_of(step, i).values; };
    std::vector<float> factor(values(1).size()), offset(factor.size());
    for (size_t i = 0; i < factor.size(); i++) {
      factor[i] = values(1)[i] / std::sqrt(values(4)[i] + step.floats[0]);
      offset[i] = values(2)[i] - values(3)[i] * factor[i];
    }
    return scaled(step, std::move(factor), std::move(offset), -infinity, infinity);
  }

  // A product with one value for each channel (or for all), then a sum.
  xnn_status scaled(const FlatStep &step, std::vector<float> factor, std::vector<float> offset, float least,
                    float most) {
    const Dims &dims = network_.output_of(step).dims;
    if (dims.size() == 3 || dims.size() > 4) unsupported(step, "only images and vectors can");
    std::vector<size_t> shape(dims.size(), 1);
    shape.back() = factor.size();
    const uint32_t factors = define_constant(shape, std::move(factor));
    const uint32_t offsets = define_constant(shape, std::move(offset));
    const uint32_t product = define_between(dims);
    check(xnn_define_multiply2(subgraph_, -infinity, infinity, input(step), factors, product, 0), step);
    return xnn_define_add2(subgraph_, least, most, product, offsets, result(step), 0);
  }

  FlatNetwork network_;
  std::vector<uint32_t> ids_;
  // Read by XNNPACK as long as the runtime lives; a deque keeps them in place.
  std::deque<std::vector<float>> constants_;
  std::vector<float> input_, output_;
  xnn_subgraph_t subgraph_ = nullptr;
  xnn_runtime_t runtime_ = nullptr;
};

}  // namespace

std::string runtime_version() { return SAMARA_PACKAGE_VERSION; }

std::unique_ptr<Session> load_session(const uint8_t *model, size_t size, const Settings &, int threads) {
  const FlatNetwork network = parse_flat_network(model, size);
  if (xnn_initialize(nullptr) != xnn_status_success) {
    throw UnsupportedError("XNNPACK cannot start on this processor");
  }
  return std::make_unique<XnnpackSession>(network, threads);
}

}  // namespace samara
