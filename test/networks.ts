/**
 * Networks for tests: one small graph for each operator and each way to pad, cells with every kind of oddity, and
 * networks of the mobile spaces.
 */
import { createGraphBuilder, type GraphBuilder } from "../src/graph/build.js";
import type { OperatorGraph } from "../src/graph/graph.js";
import { fbnetFromDigits } from "../src/space/fbnet/architecture.js";
import { networkFromFbnet } from "../src/space/fbnet/network.js";
import { cellFromArchString } from "../src/space/nasbench201/cell.js";
import { type NetworkOptions, networkFromCell } from "../src/space/nasbench201/network.js";
import { ofaFromText } from "../src/space/ofa/architecture.js";
import { networkFromOfa } from "../src/space/ofa/network.js";

type Small = [name: string, shape: number[], add: (b: GraphBuilder, x: string) => string];

const random = (seed: number, scale = 0.5) => ({ kind: "random", seed, scale }) as const;
const square = (kernel: number, stride: number, pad: number) => ({
  kernel_shape: [kernel, kernel],
  strides: [stride, stride],
  pads: [pad, pad, pad, pad],
});

function conv(
  b: GraphBuilder,
  x: string,
  shape: number[],
  attributes: Record<string, number | number[]>,
) {
  const weights = b.constant("w", shape, random(1));
  const bias = b.constant("b", [shape[0]!], random(2));
  return b.operator("Conv", [x, weights, bias], attributes);
}

const image = [1, 3, 8, 10];
const specs: Small[] = [
  ["3x3 convolution", image, (b, x) => conv(b, x, [5, 3, 3, 3], square(3, 1, 1))],
  [
    "1x1 convolution without bias",
    image,
    (b, x) => b.operator("Conv", [x, b.constant("w", [4, 3, 1, 1], random(1))]),
  ],
  ["stride 2 padded on both sides", image, (b, x) => conv(b, x, [5, 3, 3, 3], square(3, 2, 1))],
  ["stride 2 on odd sizes", [1, 3, 7, 9], (b, x) => conv(b, x, [5, 3, 3, 3], square(3, 2, 1))],
  ["stride 2 without padding", image, (b, x) => conv(b, x, [5, 3, 3, 3], square(3, 2, 0))],
  [
    "uneven padding",
    image,
    (b, x) =>
      conv(b, x, [5, 3, 3, 3], { kernel_shape: [3, 3], strides: [1, 1], pads: [2, 0, 1, 1] }),
  ],
  [
    "dilation",
    image,
    (b, x) => conv(b, x, [5, 3, 3, 3], { ...square(3, 1, 2), dilations: [2, 2] }),
  ],
  [
    "depthwise convolution",
    image,
    (b, x) => conv(b, x, [3, 1, 3, 3], { ...square(3, 1, 1), group: 3 }),
  ],
  [
    "depthwise, two outputs a channel, stride 2",
    image,
    (b, x) => conv(b, x, [6, 1, 5, 5], { ...square(5, 2, 2), group: 3 }),
  ],
  ["ReLU", image, (b, x) => b.operator("Relu", [x])],
  [
    "ReLU6",
    image,
    (b, x) => {
      const six = b.constant("six", [], { kind: "fill", value: 6 });
      const zero = b.constant("zero", [], { kind: "fill", value: 0 });
      return b.operator("Clip", [x, zero, six]);
    },
  ],
  ["sum with itself", image, (b, x) => b.operator("Add", [x, x])],
  [
    "sum with a constant a channel",
    image,
    (b, x) => b.operator("Add", [x, b.constant("c", [3, 1, 1], random(1))]),
  ],
  [
    "product with a number",
    image,
    (b, x) => b.operator("Mul", [x, b.constant("c", [], { kind: "fill", value: 2 })]),
  ],
  ["identity", image, (b, x) => b.operator("Identity", [x])],
  [
    "average pool, padding not counted",
    image,
    (b, x) => b.operator("AveragePool", [x], { ...square(3, 1, 1), count_include_pad: 0 }),
  ],
  [
    "average pool, padding counted",
    image,
    (b, x) => b.operator("AveragePool", [x], { ...square(3, 1, 1), count_include_pad: 1 }),
  ],
  ["average pool 2x2", image, (b, x) => b.operator("AveragePool", [x], square(2, 2, 0))],
  ["maximum pool", image, (b, x) => b.operator("MaxPool", [x], square(3, 2, 1))],
  ["global average pool", image, (b, x) => b.operator("GlobalAveragePool", [x])],
  [
    "batch norm",
    image,
    (b, x) =>
      b.operator(
        "BatchNormalization",
        [
          x,
          b.constant("scale", [3], random(1)),
          b.constant("shift", [3], random(2)),
          b.constant("mean", [3], random(3)),
          b.constant("variance", [3], { kind: "fill", value: 0.5 }),
        ],
        { epsilon: 1e-3 },
      ),
  ],
  ["flatten an image", image, (b, x) => b.operator("Flatten", [x])],
  [
    "fully connected",
    [1, 12],
    (b, x) =>
      b.operator(
        "Gemm",
        [x, b.constant("w", [4, 12], random(1)), b.constant("b", [4], random(2))],
        {
          transB: 1,
        },
      ),
  ],
  [
    "fully connected, weights not transposed",
    [1, 12],
    (b, x) => b.operator("Gemm", [x, b.constant("w", [12, 4], random(1))]),
  ],
  [
    "zeros as data, and an operator nobody reads",
    image,
    (b, x) => {
      const zeros = b.operator("Relu", [b.constant("zeros", image, { kind: "fill", value: 0 })]);
      b.operator("Relu", [x]);
      return b.operator("Add", [b.operator("AveragePool", [x], square(3, 1, 1)), zeros]);
    },
  ],
];

/** Small graphs by what they show. */
export const smallGraphs: ReadonlyMap<string, OperatorGraph> = new Map(
  specs.map(([name, shape, add]) => {
    const b = createGraphBuilder(name);
    return [name, b.finish([add(b, b.input("input", shape))])];
  }),
);

const none = "none";
export const cells: Record<string, string[]> = {
  "all 3x3 convolutions": new Array<string>(6).fill("nor_conv_3x3"),
  "all average pools": new Array<string>(6).fill("avg_pool_3x3"),
  mixed: ["nor_conv_1x1", "skip_connect", "avg_pool_3x3", "skip_connect", "nor_conv_3x3", none],
  "dead operations": ["nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "skip_connect", none, none],
  "not connected": ["nor_conv_3x3", none, none, none, none, none],
  "operations on nothing": [
    none,
    none,
    "nor_conv_3x3",
    "skip_connect",
    "avg_pool_3x3",
    "nor_conv_1x1",
  ],
  "nothing at all": new Array<string>(6).fill(none),
};

export function cellNetwork(operations: string[], options: NetworkOptions): OperatorGraph {
  const [a, b, c, d, e, f] = operations;
  const text = `|${a}~0|+|${b}~0|${c}~1|+|${d}~0|${e}~1|${f}~2|`;
  return networkFromCell(cellFromArchString(text), { channels: 8, cellsPerStage: 1, ...options });
}

/** Networks of mobile spaces, and why TensorFlow Lite files cannot hold them; null where they can. */
export const mobileNetworks: Record<string, { graph: OperatorGraph; notInTflite: string | null }> =
  {
    "FBNet, every block without groups": {
      graph: networkFromFbnet(fbnetFromDigits("0234678023467802346782")),
      notInTflite: null,
    },
    "FBNet, batch norms kept": {
      graph: networkFromFbnet(fbnetFromDigits("8888827888848888088888"), { foldBatchNorm: false }),
      notInTflite: null,
    },
    "FBNet, every block with groups": {
      graph: networkFromFbnet(fbnetFromDigits("1515151515151515151515")),
      notInTflite: "2 groups of 8 channels",
    },
    "once-for-all, smallest": {
      graph: networkFromOfa(ofaFromText("128-3333-3333-3333-3333-3333")),
      notInTflite: "(HardSigmoid) cannot be written for TensorFlow Lite",
    },
    "once-for-all, of every block": {
      graph: networkFromOfa(ofaFromText("132-7656-347353-5433-3676-56543473")),
      notInTflite: "(HardSigmoid) cannot be written for TensorFlow Lite",
    },
  };

/**
 * Graphs of this file that a runtime refuses though its model files could hold them: by runtime, with its message.
 * Of cells, their traced form is not meant: multiplied by zero is not the same as nothing.
 */
export const refusals: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "opencv-dnn": {
    "not connected": "output does not depend on its input",
    "nothing at all": "output does not depend on its input",
  },
  xnnpack: {
    "flatten an image": "(Reshape): this version of XNNPACK has no transposition",
    "FBNet, every block with groups": "(Reshape): this version of XNNPACK has no transposition",
  },
};
