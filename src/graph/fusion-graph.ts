/**
 * An operator graph as `fusion.ts` sees it: one entry a class of equal operators, its data operands, and its role.
 */
import { weightsOf } from "./cost.js";
import { constantOperand, type FusionGraph, inputOperand, type Role, roles } from "./fusion.js";
import type { Operator, OperatorGraph } from "./graph.js";
import type { SharedClasses } from "./sharing.js";
import { elementCount } from "./size.js";

const activations = new Set(["Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "Tanh"]);
const elementwise = new Set(["Mul", "Sub", "Div", "BatchNormalization", "PRelu", "HardSwish"]);
const pools = new Set(["AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool"]);

function roleOf(operator: Operator, graph: OperatorGraph): Role {
  const { type, inputs, outputs } = operator;
  if (type === "Conv") return roles.convolution;
  if (pools.has(type)) return roles.pool;
  if (activations.has(type)) return roles.activation;
  const sizeOf = (name: string) => elementCount(graph.tensors.get(name)?.shape ?? []);
  const isOfEqual = inputs.every((name) => name === "" || sizeOf(name) === sizeOf(outputs[0]!));
  if (type === "Add" && inputs.length === 2 && isOfEqual) return roles.sum;
  return type === "Add" || elementwise.has(type) ? roles.elementwise : roles.other;
}

/** Height and width of 1, or no more than a batch and channels. */
const isOnePixel = (shape: readonly number[]) => shape.slice(2).every((size) => size === 1);

/**
 * The classes of a graph.
 *
 * @returns also the place of the first operator of each class
 */
export function fusionGraphOf(
  graph: OperatorGraph,
  { classes, nClasses }: SharedClasses,
): { graph: FusionGraph; operatorOfClass: Int32Array } {
  const { operators } = graph;
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const outputs = new Set(graph.outputs);
  const operatorOfClass = new Int32Array(nClasses).fill(-1);
  const isOutput = new Uint8Array(nClasses);
  /** Class that makes a tensor; an Identity passes on what it reads. */
  const makerOf = new Map<string, number>();
  const operandOf = (name: string) =>
    makerOf.get(name) ?? (inputs.has(name) ? inputOperand : constantOperand);
  const operandsOfClass: number[][] = [];
  operators.forEach((operator, i) => {
    const id = classes[i]!;
    if (id < 0) {
      makerOf.set(operator.outputs[0]!, operandOf(operator.inputs[0]!));
      return;
    }
    for (const output of operator.outputs) {
      makerOf.set(output, id);
      if (outputs.has(output)) isOutput[id] = 1;
    }
    if (operatorOfClass[id]! >= 0) return;
    operatorOfClass[id] = i;
    const weights = new Set(weightsOf(operator, graph).map(({ name }) => name));
    operandsOfClass[id] = operator.inputs
      .filter((name) => name !== "" && !weights.has(name))
      .map(operandOf);
  });
  const operandStart = new Int32Array(nClasses + 1);
  operandsOfClass.forEach((operands, id) => {
    operandStart[id + 1] = operandStart[id]! + operands.length;
  });
  const outputShape = (id: number) =>
    graph.tensors.get(operators[operatorOfClass[id]!]!.outputs[0]!)?.shape ?? [];
  return {
    operatorOfClass,
    graph: {
      n: nClasses,
      role: Uint8Array.from(operatorOfClass, (place, id) => {
        const role = roleOf(operators[place]!, graph);
        // A sum with weights has one operand.
        return role === roles.sum && operandsOfClass[id]!.length < 2 ? roles.elementwise : role;
      }),
      operandStart,
      operands: Int32Array.from(operandsOfClass.flat()),
      isOutput,
      isPixel: Uint8Array.from(operatorOfClass, (_, id) => Number(isOnePixel(outputShape(id)))),
    },
  };
}
