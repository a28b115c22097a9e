// A network as src/platform/flat-network.ts writes it: steps in order, shapes and pads resolved, weights as floats.
//
// Little-endian 32-bit words throughout:
//   "SFN1"
//   number of tensors; each: kind (0 computed, 1 input, 2 constant), rank, dims, and a constant's values
//   number of steps; each: type and name (length in bytes, then UTF-8 padded to words), inputs (count, tensor
//     numbers), output tensor, integers (count, values), floats (count, values)
//   input tensor, output tensor
//
// Types are ONNX's operator types; what their inputs, integers and floats are:
//   Conv                 x, weights OIHW [, bias]; 10 of the window, groups
//   AveragePool          x; 10 of the window, whether padding counts (0 or 1)
//   MaxPool              x; 10 of the window
//   GlobalAveragePool    x
//   BatchNormalization   x, scale, shift, mean, variance; float epsilon
//   Gemm                 x (rows, inputs), weights (outputs, inputs) [, bias (outputs)]
//   Relu, Identity       x
//   Clip                 x; floats least, most
//   HardSigmoid          x; floats alpha, beta of max(0, min(1, alpha x + beta))
//   Add, Mul             a, b of the output's rank, broadcast along dimensions of 1
//   Reshape              x (Flatten, too)
//   Transpose            x; integers permutation
// The window: kernel, strides, dilations, pads before, pads after, each height and width.
#ifndef SAMARA_FLAT_NETWORK_H
#define SAMARA_FLAT_NETWORK_H

#include <array>

#include "runner.h"

namespace samara {

struct FlatTensor {
  enum class Kind { computed = 0, input = 1, constant = 2 };
  Kind kind;
  Dims dims;
  std::vector<float> values;  // of a constant
};

struct FlatStep {
  std::string type;
  std::string name;
  std::vector<int> inputs;
  int output;
  std::vector<int32_t> integers;
  std::vector<float> floats;
};

struct Window {
  std::array<int64_t, 2> kernel, strides, dilations, pads_begin, pads_end;
};

struct FlatNetwork {
  std::vector<FlatTensor> tensors;
  std::vector<FlatStep> steps;
  int input;
  int output;

  const FlatTensor &input_of(const FlatStep &step, size_t i) const { return tensors[step.inputs[i]]; }
  const FlatTensor &output_of(const FlatStep &step) const { return tensors[step.output]; }
};

// Everything is checked: a network that comes back has operands of the right number, kind and shape.
// Throws FormatError, or UnsupportedError for a type that is not in the list above.
FlatNetwork parse_flat_network(const uint8_t *bytes, size_t size);

// Window of a Conv, AveragePool or MaxPool.
Window window_of(const FlatStep &step);

// Throws UnsupportedError: operator "name" (Type): problem.
[[noreturn]] void unsupported(const FlatStep &step, const std::string &problem);

}  // namespace samara

#endif
