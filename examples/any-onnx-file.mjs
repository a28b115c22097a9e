// Read an ONNX file as a graph of operators with shapes, and see what a predictor reads of it.
// Without an argument it writes a small network first, so that the example can check its own result.
//
//   node examples/any-onnx-file.mjs [model.onnx]
import {
  costOfGraph,
  createGraphBuilder,
  featuresOfGraphs,
  readOnnx,
  writeOnnx,
} from "samara-latency";

function smallNetwork() {
  const builder = createGraphBuilder("small");
  const input = builder.input("input", [1, 3, 32, 32]);
  const weight = builder.constant("weight", [8, 3, 3, 3], { kind: "random", seed: 1, scale: 0.2 });
  const conv = builder.operator("Conv", [input, weight], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
  });
  return writeOnnx(builder.finish([builder.operator("Relu", [conv])]));
}

const file = process.argv[2];
const graph = readOnnx(file ?? smallNetwork());
const { macs, parameters } = costOfGraph(graph);
console.log(
  `${graph.operators.length} operators, ${macs} multiply-accumulates, ${parameters} parameters`,
);
const table = featuresOfGraphs([{ id: file ?? "small", graph }]);
table.signatures.forEach(({ key }, column) => {
  console.log(`${table.counts.backward[column]} × ${key}`);
});
if (file === undefined && macs !== 8 * 3 * 9 * 32 * 32) throw new Error("expected 221,184");
