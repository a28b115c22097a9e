/**
 * One small graph for each operator, attribute and order of operands that files of others hold and our search spaces
 * do not: what importers are known to get wrong.
 */
import { createGraphBuilder, type GraphBuilder } from "../src/graph/build.js";
import type { OperatorGraph } from "../src/graph/graph.js";

type Spec = [name: string, add: (b: GraphBuilder, x: string) => string, shape?: number[]];

/** A constant of random values. */
const c = (b: GraphBuilder, name: string, shape: number[], seed = 1) =>
  b.constant(name, shape, { kind: "random", seed, scale: 0.5 });

const image = [1, 8, 8, 10];
const specs: readonly Spec[] = [
  [
    "hard sigmoid of MobileNetV3",
    (b, x) => b.operator("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 }),
  ],
  ["hard sigmoid", (b, x) => b.operator("HardSigmoid", [x])],
  [
    "hard swish as a product",
    (b, x) => b.operator("Mul", [x, b.operator("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 })]),
  ],
  [
    "hard swish, the gate first",
    (b, x) => b.operator("Mul", [b.operator("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 }), x]),
  ],
  [
    "product with a value a channel",
    (b, x) => b.operator("Mul", [x, b.operator("GlobalAveragePool", [x])]),
  ],
  [
    "product with a value a channel, which comes first",
    (b, x) => b.operator("Mul", [b.operator("GlobalAveragePool", [x]), x]),
  ],
  [
    "squeeze and excite",
    (b, x) => {
      const p = b.operator("GlobalAveragePool", [x]);
      const h = b.operator("Relu", [
        b.operator("Conv", [p, c(b, "w1", [2, 8, 1, 1]), c(b, "b1", [2])]),
      ]);
      const e = b.operator("Conv", [h, c(b, "w2", [8, 2, 1, 1]), c(b, "b2", [8])]);
      return b.operator("Mul", [x, b.operator("HardSigmoid", [e], { alpha: 1 / 6, beta: 0.5 })]);
    },
  ],
  [
    "depthwise 5x5 convolution",
    (b, x) =>
      b.operator("Conv", [x, c(b, "w", [8, 1, 5, 5])], {
        group: 8,
        pads: [2, 2, 2, 2],
        kernel_shape: [5, 5],
      }),
  ],
  [
    "depthwise 7x7 convolution of stride 2",
    (b, x) =>
      b.operator("Conv", [x, c(b, "w", [8, 1, 7, 7])], {
        group: 8,
        pads: [3, 3, 3, 3],
        strides: [2, 2],
        kernel_shape: [7, 7],
      }),
  ],
  [
    "convolution and hard swish",
    (b, x) => {
      const y = b.operator("Conv", [x, c(b, "w", [8, 8, 3, 3]), c(b, "bb", [8])], {
        pads: [1, 1, 1, 1],
        kernel_shape: [3, 3],
      });
      return b.operator("Mul", [y, b.operator("HardSigmoid", [y], { alpha: 1 / 6, beta: 0.5 })]);
    },
  ],
  ["sigmoid", (b, x) => b.operator("Sigmoid", [x])],
  ["SiLU", (b, x) => b.operator("Mul", [x, b.operator("Sigmoid", [x])])],
  ["tanh", (b, x) => b.operator("Tanh", [x])],
  ["leaky ReLU", (b, x) => b.operator("LeakyRelu", [x], { alpha: 0.2 })],
  ["leaky ReLU with its default slope", (b, x) => b.operator("LeakyRelu", [x])],
  ["joined channels", (b, x) => b.operator("Concat", [x, b.operator("Relu", [x]), x], { axis: 1 })],
  ["joined with a constant", (b, x) => b.operator("Concat", [x, c(b, "w", image)], { axis: 1 })],
  ["sum with a constant", (b, x) => b.operator("Add", [x, c(b, "w", image)])],
  ["sum, the constant first", (b, x) => b.operator("Add", [c(b, "w", image), x])],
  ["sum with a constant a channel", (b, x) => b.operator("Add", [x, c(b, "w", [8, 1, 1])])],
  ["sum with a constant a column", (b, x) => b.operator("Add", [x, c(b, "w", [10])])],
  ["sum with a constant a pixel", (b, x) => b.operator("Add", [x, c(b, "w", [8, 10])])],
  ["product with a constant a channel", (b, x) => b.operator("Mul", [x, c(b, "w", [1, 8, 1, 1])])],
  ["product with a constant a column", (b, x) => b.operator("Mul", [x, c(b, "w", [10])])],
  [
    "product, the number first",
    (b, x) => b.operator("Mul", [b.constant("c", [], { kind: "fill", value: 2 }), x]),
  ],
  [
    "sum with a number",
    (b, x) => b.operator("Add", [x, b.constant("c", [], { kind: "fill", value: 2 })]),
  ],
  [
    "clip without an upper limit",
    (b, x) => b.operator("Clip", [x, b.constant("c", [], { kind: "fill", value: -0.1 })]),
  ],
  [
    "clip to -0.2..0.5",
    (b, x) =>
      b.operator("Clip", [
        x,
        b.constant("c", [], { kind: "fill", value: -0.2 }),
        b.constant("d", [], { kind: "fill", value: 0.5 }),
      ]),
  ],
  [
    "average pool without attributes",
    (b, x) => b.operator("AveragePool", [x], { kernel_shape: [3, 3] }),
  ],
  [
    "average pool, uneven padding",
    (b, x) => b.operator("AveragePool", [x], { kernel_shape: [3, 3], pads: [1, 0, 0, 1] }),
  ],
  [
    "average pool, rounded up",
    (b, x) =>
      b.operator("AveragePool", [x], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  ],
  [
    "average pool, padded and rounded up",
    (b, x) =>
      b.operator("AveragePool", [x], {
        kernel_shape: [3, 3],
        strides: [2, 2],
        pads: [1, 1, 1, 1],
        ceil_mode: 1,
      }),
  ],
  [
    "maximum pool, padded and rounded up",
    (b, x) =>
      b.operator("MaxPool", [x], {
        kernel_shape: [3, 3],
        strides: [2, 2],
        pads: [1, 1, 1, 1],
        ceil_mode: 1,
      }),
  ],
  [
    "maximum pool, rounded up",
    (b, x) => b.operator("MaxPool", [x], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  ],
  [
    "maximum pool whose last window would begin in the padding",
    (b, x) =>
      b.operator("MaxPool", [x], {
        kernel_shape: [2, 2],
        strides: [3, 3],
        ceil_mode: 1,
        pads: [1, 1, 1, 1],
      }),
  ],
  [
    "maximum pool, uneven padding",
    (b, x) =>
      b.operator("MaxPool", [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 1, 1, 0] }),
  ],
  [
    "maximum pool, SAME_UPPER",
    (b, x) =>
      b.operator("MaxPool", [x], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_UPPER" }),
  ],
  [
    "maximum pool, SAME_LOWER",
    (b, x) =>
      b.operator("MaxPool", [x], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_LOWER" }),
  ],
  [
    "average pool, SAME_UPPER",
    (b, x) =>
      b.operator("AveragePool", [x], {
        kernel_shape: [3, 3],
        strides: [2, 2],
        auto_pad: "SAME_UPPER",
      }),
  ],
  [
    "convolution, SAME_UPPER",
    (b, x) =>
      b.operator("Conv", [x, c(b, "w", [4, 8, 3, 3])], { strides: [2, 2], auto_pad: "SAME_UPPER" }),
  ],
  [
    "convolution, SAME_LOWER",
    (b, x) =>
      b.operator("Conv", [x, c(b, "w", [4, 8, 3, 3])], { strides: [2, 2], auto_pad: "SAME_LOWER" }),
  ],
  [
    "convolution, VALID",
    (b, x) =>
      b.operator("Conv", [x, c(b, "w", [4, 8, 3, 3])], { strides: [2, 2], auto_pad: "VALID" }),
  ],
  [
    "convolution in groups",
    (b, x) => b.operator("Conv", [x, c(b, "w", [4, 4, 3, 3])], { group: 2 }),
  ],
  [
    "batch norm",
    (b, x) =>
      b.operator("BatchNormalization", [
        x,
        c(b, "a", [8]),
        c(b, "b", [8], 2),
        c(b, "cc", [8], 3),
        b.constant("v", [8], { kind: "fill", value: 0.5 }),
      ]),
  ],
  [
    "batch norm of a vector",
    (b, x) =>
      b.operator("BatchNormalization", [
        x,
        c(b, "a", [8]),
        c(b, "b", [8], 2),
        c(b, "cc", [8], 3),
        b.constant("v", [8], { kind: "fill", value: 0.5 }),
      ]),
    [1, 8],
  ],
  ["transposition", (b, x) => b.operator("Transpose", [x], { perm: [0, 2, 3, 1] })],
  ["transposition, reversed", (b, x) => b.operator("Transpose", [x])],
  [
    "transposition read again",
    (b, x) => b.operator("Relu", [b.operator("Transpose", [x], { perm: [0, 2, 3, 1] })]),
  ],
  [
    "reshape with 0 and -1",
    (b, x) =>
      b.operator("Reshape", [
        x,
        b.constant("s", [3], { kind: "values", values: BigInt64Array.of(0n, 16n, -1n) }, "int64"),
      ]),
  ],
  ["flatten from the third dimension", (b, x) => b.operator("Flatten", [x], { axis: 2 })],
  ["flatten to one row", (b, x) => b.operator("Flatten", [x], { axis: 0 })],
  ["flatten", (b, x) => b.operator("Flatten", [x])],
  [
    "fully connected, three rows",
    (b, x) => b.operator("Gemm", [x, c(b, "w", [5, 12]), c(b, "b", [5])], { transB: 1 }),
    [3, 12],
  ],
  [
    "fully connected, weights not transposed, bias",
    (b, x) => b.operator("Gemm", [x, c(b, "w", [12, 5]), c(b, "b", [5])]),
    [3, 12],
  ],
  [
    "fully connected, square weights not transposed",
    (b, x) => b.operator("Gemm", [x, c(b, "w", [12, 12])]),
    [3, 12],
  ],
  [
    "fully connected, bias of two dimensions",
    (b, x) => b.operator("Gemm", [x, c(b, "w", [5, 12]), c(b, "b", [1, 5])], { transB: 1 }),
    [1, 12],
  ],
  [
    "fully connected, one bias for all",
    (b, x) => b.operator("Gemm", [x, c(b, "w", [5, 12]), c(b, "b", [1])], { transB: 1 }),
    [1, 12],
  ],
  [
    "fully connected, alpha and beta",
    (b, x) =>
      b.operator("Gemm", [x, c(b, "w", [5, 12]), c(b, "b", [5])], {
        transB: 1,
        alpha: 0.5,
        beta: 2,
      }),
    [1, 12],
  ],
  ["global maximum pool", (b, x) => b.operator("GlobalMaxPool", [x])],
  ["mean of pixels", (b, x) => b.operator("ReduceMean", [x], { axes: [2, 3], keepdims: 0 })],
  [
    "mean of pixels, dimensions kept",
    (b, x) => b.operator("ReduceMean", [x], { axes: [2, 3], keepdims: 1 }),
  ],
  ["mean of channels", (b, x) => b.operator("ReduceMean", [x], { axes: [1], keepdims: 1 })],
  ["softmax of channels", (b, x) => b.operator("Softmax", [x], { axis: 1 })],
  ["softmax of columns", (b, x) => b.operator("Softmax", [x], { axis: -1 })],
  ["softmax with its default axis", (b, x) => b.operator("Softmax", [x])],
  ["difference", (b, x) => b.operator("Sub", [x, b.operator("Relu", [x])])],
  ["difference to a constant", (b, x) => b.operator("Sub", [x, c(b, "w", [8, 1, 1])])],
  ["difference of a constant", (b, x) => b.operator("Sub", [c(b, "w", [8, 1, 1]), x])],
  [
    "quotient by a number",
    (b, x) => b.operator("Div", [x, b.constant("c", [], { kind: "fill", value: 2 })]),
  ],
  ["quotient", (b, x) => b.operator("Div", [x, b.operator("Sigmoid", [x])])],
  ["matrix product", (b, x) => b.operator("MatMul", [x, c(b, "w", [12, 5])]), [3, 12]],
  ["matrix product of an image", (b, x) => b.operator("MatMul", [x, c(b, "w", [10, 5])])],
  [
    "padding",
    (b, x) =>
      b.operator("Pad", [
        x,
        b.constant(
          "s",
          [8],
          { kind: "values", values: BigInt64Array.of(0n, 0n, 1n, 2n, 0n, 0n, 0n, 1n) },
          "int64",
        ),
      ]),
  ],
  [
    "squeeze",
    (b, x) =>
      b.operator("Squeeze", [
        b.operator("GlobalAveragePool", [x]),
        b.constant("s", [2], { kind: "values", values: BigInt64Array.of(2n, 3n) }, "int64"),
      ]),
  ],
  [
    "unsqueeze",
    (b, x) =>
      b.operator("Unsqueeze", [
        x,
        b.constant("s", [1], { kind: "values", values: BigInt64Array.of(1n) }, "int64"),
      ]),
  ],
  ["ELU", (b, x) => b.operator("Elu", [x])],
  ["dropout", (b, x) => b.operator("Dropout", [x])],
  [
    "output that is read again",
    (b, x) => {
      const y = b.operator("Relu", [x]);
      b.operator("Sigmoid", [y]);
      return y;
    },
  ],
  [
    "convolution read twice",
    (b, x) => {
      const y = b.operator("Conv", [x, c(b, "w", [8, 8, 3, 3])], {
        pads: [1, 1, 1, 1],
        kernel_shape: [3, 3],
      });
      return b.operator("Add", [b.operator("Relu", [y]), y]);
    },
  ],
  [
    "residual sum and ReLU",
    (b, x) => {
      const y = b.operator("Conv", [x, c(b, "w", [8, 8, 3, 3])], {
        pads: [1, 1, 1, 1],
        kernel_shape: [3, 3],
      });
      return b.operator("Relu", [b.operator("Add", [y, x])]);
    },
  ],
  [
    "sum with a copy of the input",
    (b, x) => b.operator("Add", [b.operator("Identity", [x]), b.operator("Relu", [x])]),
  ],
];

/** The graphs by what they show. */
export const operatorGraphs: ReadonlyMap<string, OperatorGraph> = new Map(
  specs.map(([name, add, shape = image]) => {
    const b = createGraphBuilder(name);
    return [name, b.finish([add(b, b.input("input", shape))])];
  }),
);
