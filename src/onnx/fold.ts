/**
 * Values of the small operators that compute shapes (Shape, Gather, Concat and their like), so that what exporters
 * leave as a computation becomes a constant. Not a general constant folder: weights are never touched.
 */
import type { Operator } from "../graph/graph.js";
import type { KnownTensor, OutputType } from "../graph/shape-view.js";
import { elementCount } from "../graph/size.js";

/** Most elements of a value that is computed here. */
const maxFoldedElements = 1024;
/** Most operands of a sum, minimum or maximum that is computed here. */
const maxFoldedOperands = 8;

type Values = ArrayLike<number>;

interface Folding {
  readonly operator: Operator;
  readonly inputs: readonly (KnownTensor | undefined)[];
  readonly output: OutputType;
}

type Fold = (folding: Folding) => number[] | undefined;

const valuesAt = ({ inputs }: Folding, i: number): Values | undefined => inputs[i]?.values;

const copy: Fold = (folding) => {
  const values = valuesAt(folding, 0);
  return values && Array.from(values);
};

const isFloat = (tensor: { dataType: string }) => tensor.dataType.startsWith("float");

const cast: Fold = (folding) => {
  const values = copy(folding);
  return isFloat(folding.output) ? values : values?.map(Math.trunc);
};

/** Row-major index into an operand of `shape` for position `i` of an output, by ONNX's broadcasting. */
function broadcastIndex(i: number, output: readonly number[], shape: readonly number[]): number {
  let rest = i;
  let index = 0;
  let stride = 1;
  for (let back = 1; back <= output.length; back++) {
    const size = output[output.length - back]!;
    const position = rest % size;
    rest = Math.floor(rest / size);
    const own = shape[shape.length - back] ?? 1;
    if (own !== 1) index += position * stride;
    stride *= own;
  }
  return index;
}

const elementwise =
  (compute: (...operands: number[]) => number): Fold =>
  ({ inputs, output }) => {
    if (inputs.length > maxFoldedOperands) return undefined;
    const n = elementCount(output.shape);
    const result: number[] = [];
    for (let i = 0; i < n; i++) {
      const operands: number[] = [];
      for (const input of inputs) {
        const value = input?.values?.[broadcastIndex(i, output.shape, input.shape)];
        if (value === undefined) return undefined;
        operands.push(value);
      }
      result.push(compute(...operands));
    }
    return result;
  };

const divide: Fold = (folding) =>
  elementwise(isFloat(folding.output) ? (a, b) => a / b : (a, b) => Math.trunc(a / b))(folding);

const shapeOf: Fold = ({ operator, inputs }) => {
  const { start = 0, end } = operator.attributes;
  return inputs[0]?.shape.slice(Number(start), end === undefined ? undefined : Number(end));
};

/** Along the only axis of a list; gathering from tensors of higher rank computes no shapes. */
const gather: Fold = (folding) => {
  const values = valuesAt(folding, 0);
  const indices = valuesAt(folding, 1);
  if (!values || !indices || folding.inputs[0]!.shape.length !== 1) return undefined;
  const picked = Array.from(indices, (i) => values[i < 0 ? i + values.length : i]);
  return picked.every((value) => value !== undefined) ? (picked as number[]) : undefined;
};

const concat: Fold = ({ inputs }) => {
  const parts = inputs.map((input) => (input?.shape.length === 1 ? input.values : undefined));
  return parts.every((part) => part !== undefined)
    ? parts.flatMap((part) => Array.from(part))
    : undefined;
};

/** Of a list, both forms: attributes (before opset 10) or inputs. */
const slice: Fold = (folding) => {
  const { operator, inputs } = folding;
  const values = valuesAt(folding, 0);
  if (!values || inputs[0]!.shape.length !== 1) return undefined;
  const setting = (i: number, name: string, missing: number): number | undefined => {
    const attribute = operator.attributes[name];
    if (Array.isArray(attribute)) return Number(attribute[0]);
    const input = inputs[i];
    return input ? input.values?.[0] : missing;
  };
  const n = values.length;
  // A step that is no integer could take for ever.
  const step = setting(4, "steps", 1);
  const start = setting(1, "starts", 0);
  const end = setting(2, "ends", n);
  if (!step || start === undefined || end === undefined) return undefined;
  if (![step, start, end].every(Number.isInteger)) return undefined;
  const resolve = (i: number, low: number, high: number) =>
    Math.min(Math.max(i < 0 ? i + n : i, low), high);
  const result: number[] = [];
  if (step > 0) {
    for (let i = resolve(start, 0, n); i < resolve(end, 0, n); i += step) result.push(values[i]!);
  } else {
    const last = resolve(end, -1, n - 1);
    for (let i = resolve(start, 0, n - 1); i > last; i += step) result.push(values[i]!);
  }
  return result;
};

const range: Fold = (folding) => {
  const start = valuesAt(folding, 0)?.[0];
  const step = valuesAt(folding, 2)?.[0];
  if (start === undefined || step === undefined) return undefined;
  return Array.from({ length: elementCount(folding.output.shape) }, (_, i) => start + i * step);
};

const product: Fold = (folding) => {
  const values = valuesAt(folding, 0);
  if (!values || elementCount(folding.output.shape) !== 1) return undefined;
  return [Array.from(values).reduce((result, value) => result * value, 1)];
};

const folds: ReadonlyMap<string, Fold> = new Map<string, Fold>([
  ["Shape", shapeOf],
  ["Size", ({ inputs }) => inputs[0] && [elementCount(inputs[0].shape)]],
  ["Identity", copy],
  ["Cast", cast],
  ["Squeeze", copy],
  ["Unsqueeze", copy],
  ["Reshape", copy],
  ["Flatten", copy],
  ["Gather", gather],
  ["Concat", concat],
  ["Slice", slice],
  ["Range", range],
  ["ReduceProd", product],
  ["Add", elementwise((a, b) => a + b)],
  ["Sub", elementwise((a, b) => a - b)],
  ["Mul", elementwise((a, b) => a * b)],
  ["Div", divide],
  ["Min", elementwise(Math.min)],
  ["Max", elementwise(Math.max)],
  ["Neg", elementwise((a) => -a)],
  ["Floor", elementwise(Math.floor)],
  ["Ceil", elementwise(Math.ceil)],
  ["Equal", elementwise((a, b) => (a === b ? 1 : 0))],
  ["Where", elementwise((condition, a, b) => (condition ? a : b))],
  ["Expand", elementwise((a) => a)],
]);

/** Operators whose values come from shapes alone. */
export const shapeReaders: ReadonlySet<string> = new Set(["Shape", "Size"]);

/**
 * The values of an operator's only output, if it is one that computes shapes from known values; row-major.
 *
 * @param output - as inferred
 */
export function foldedValues(
  operator: Operator,
  inputs: readonly (KnownTensor | undefined)[],
  output: OutputType,
): number[] | undefined {
  const fold = folds.get(operator.type);
  const n = elementCount(output.shape);
  if (!fold || operator.outputs.length !== 1 || n > maxFoldedElements) return undefined;
  const operands = operator.type === "Expand" ? inputs.slice(0, 1) : inputs;
  const values = fold({ operator, inputs: operands, output });
  if (values?.length !== n) return undefined;
  // Whole numbers stay within 32 or 64 bits in the graph; what leaves that range decides no shape.
  return isFloat(output) || values.every(Number.isInteger) ? values : undefined;
}
