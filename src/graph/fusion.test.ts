import { describe, expect, test } from "vitest";
import { createGraphBuilder } from "./build.js";
import { featuresOfGraphs } from "./feature-table.js";
import type { OperatorGraph } from "./graph.js";

/** A graph of operators on a (1, 2, 4, 4) input; the last result is the output. */
function graphOf(
  add: (build: {
    x: string;
    operator: (type: string, ...inputs: string[]) => string;
    conv: (input: string) => string;
    zeros: () => string;
  }) => string,
): OperatorGraph {
  const b = createGraphBuilder("graph");
  let nWeights = 0;
  const output = add({
    x: b.input("x", [1, 2, 4, 4]),
    operator: (type, ...inputs) => b.operator(type, inputs),
    conv(input) {
      const shape = [2, b.shapeOf(input)[1]!, 1, 1];
      const weight = b.constant(`w${nWeights++}`, shape, { kind: "random", seed: 1, scale: 1 });
      return b.operator("Conv", [input, weight], { kernel_shape: [1, 1] });
    },
    zeros: () => b.constant("zeros", [1, 2, 4, 4], { kind: "fill", value: 0 }),
  });
  return b.finish([output]);
}

/** What runs of a graph, by type; copies count as Identity. */
function launched(graph: OperatorGraph): string {
  const { signatures, counts } = featuresOfGraphs([{ id: "graph", graph }]);
  return signatures
    .flatMap(({ group }, i) => {
      const count = counts["forward+fused"][i]!;
      return count > 0 ? [`${group.split(" ")[0]} ${count}`] : [];
    })
    .join(", ");
}

// Held against graphs that ONNX Runtime 1.30 saves with all optimisations (optimizedModelFilePath).
describe("fused semantics", () => {
  test("a convolution takes along a sum and the activation after it", () => {
    const graph = graphOf(({ x, operator, conv }) =>
      conv(operator("Relu", operator("Add", conv(x), conv(operator("Relu", conv(x)))))),
    );
    expect(launched(graph)).toBe("Conv 4");
  });

  test("nothing is taken along that others read before", () => {
    const graph = graphOf(({ x, operator, conv }) => {
      const first = conv(x);
      return conv(operator("Add", operator("Relu", first), first));
    });
    // Sum and activation stay on blocks, so nothing is copied.
    expect(launched(graph)).toBe("Add 1, Conv 2, Relu 1");
  });

  test("only one sum and one activation", () => {
    const graph = graphOf(({ x, operator, conv }) => {
      const pooled = operator("GlobalMaxPool", x);
      const sums = operator("Add", operator("Add", conv(x), operator("Relu", conv(x))), x);
      return operator("Mul", conv(operator("Clip", operator("Relu", conv(sums)))), pooled);
    });
    expect(launched(graph)).toBe("Add 1, Clip 1, Conv 4, GlobalMaxPool 1, Mul 1");
  });

  test("a sum with a constant is plain: what convolutions make and read is copied", () => {
    const graph = graphOf(({ x, operator, conv, zeros }) =>
      conv(operator("Relu", operator("Add", conv(x), zeros()))),
    );
    expect(launched(graph)).toBe("Add 1, Conv 2, Identity 2, Relu 1");
  });

  test("a tensor is copied once for all that read it", () => {
    const graph = graphOf(({ x, operator, conv }) => {
      const plain = operator("Softmax", conv(x));
      return operator("Add", conv(plain), conv(plain));
    });
    // To the plain layout for Softmax, and back for both convolutions.
    expect(launched(graph)).toBe("Conv 3, Identity 2, Softmax 1");
  });

  test("what constants alone feed is a constant", () => {
    const graph = graphOf(({ x, operator, conv, zeros }) =>
      operator("Add", conv(x), conv(operator("Relu", zeros()))),
    );
    expect(launched(graph)).toBe("Add 1, Conv 1, Identity 1");
  });

  test("a tensor of one pixel has all layouts", () => {
    const graph = graphOf(({ x, operator, conv }) =>
      operator("Flatten", operator("GlobalAveragePool", conv(x))),
    );
    expect(launched(graph)).toBe("Conv 1, Flatten 1, GlobalAveragePool 1");
  });
});
