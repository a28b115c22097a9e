/**
 * Shape rules of operators that compute on elements, along axes or as matrix products.
 */
import type { DataType, Shape } from "./graph.js";
import type { OperatorView, OutputType } from "./shape-view.js";
import { equalShapes, formatShape } from "./size.js";

type Rule = (view: OperatorView) => OutputType[];

/** Shape of two tensors combined element by element (NumPy's broadcasting). */
export function broadcast(view: OperatorView, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      view.fail(`shapes ${formatShape(a)} and ${formatShape(b)} do not fit together`);
    }
    return left === 1 ? right : left;
  });
}

const unary: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  return [{ shape, dataType }];
};

const toType =
  (dataType: DataType): Rule =>
  (view) => [{ shape: view.input(0).shape, dataType }];

function broadcastAll(view: OperatorView): Shape {
  let shape = view.input(0).shape;
  for (let i = 1; i < view.nInputs; i++) shape = broadcast(view, shape, view.input(i).shape);
  return shape;
}

const elementwise: Rule = (view) => [
  { shape: broadcastAll(view), dataType: view.input(0).dataType },
];

const comparison: Rule = (view) => [{ shape: broadcastAll(view), dataType: "bool" }];

const where: Rule = (view) => [{ shape: broadcastAll(view), dataType: view.input(1).dataType }];

const gemm: Rule = (view) => {
  const { dataType } = view.input(0);
  const a = view.shape(0, 2);
  const b = view.shape(1, 2);
  const [rows, inner] = view.int("transA", 0) ? [a[1]!, a[0]!] : [a[0]!, a[1]!];
  const [inner2, columns] = view.int("transB", 0) ? [b[1]!, b[0]!] : [b[0]!, b[1]!];
  if (a.length !== 2 || b.length !== 2 || inner !== inner2) {
    view.fail(`matrices ${formatShape(a)} and ${formatShape(b)} do not fit together`);
  }
  const shape = [rows, columns];
  const c = view.optional(2);
  if (c && !equalShapes(broadcast(view, shape, c.shape), shape)) {
    view.fail(`the addend ${formatShape(c.shape)} does not fit ${formatShape(shape)}`);
  }
  return [{ shape, dataType }];
};

const matMul: Rule = (view) => {
  const { dataType } = view.input(0);
  const a = view.shape(0, 1);
  const b = view.shape(1, 1);
  const left = a.length === 1 ? [1, a[0]!] : a;
  const right = b.length === 1 ? [b[0]!, 1] : b;
  if (left.at(-1) !== right.at(-2)) {
    view.fail(`matrices ${formatShape(a)} and ${formatShape(b)} do not fit together`);
  }
  const batch = broadcast(view, left.slice(0, -2), right.slice(0, -2));
  const rows = a.length === 1 ? [] : [left.at(-2)!];
  const columns = b.length === 1 ? [] : [right.at(-1)!];
  return [{ shape: [...batch, ...rows, ...columns], dataType }];
};

const normalisation: Rule = (view) => {
  const { dataType } = view.input(0);
  const shape = view.shape(0, 2);
  for (let i = 1; i < view.nInputs; i++) {
    const parameter = view.input(i).shape;
    if (!equalShapes(parameter, [shape[1]!])) {
      view.fail(`input ${i} must have shape ${shape[1]}, got ${formatShape(parameter)}`);
    }
  }
  return [{ shape, dataType }];
};

const layerNormalisation: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const axis = view.axis(view.int("axis", -1), shape.length);
  const statistics = shape.map((dim, i) => (i < axis ? dim : 1));
  return [
    { shape, dataType },
    { shape: statistics, dataType: "float32" },
    { shape: statistics, dataType: "float32" },
  ];
};

const softmax: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  view.axis(view.int("axis", -1), shape.length);
  return [{ shape, dataType }];
};

function reduced(view: OperatorView, axes: readonly number[]): Shape {
  const { shape } = view.input(0);
  const keep = view.int("keepdims", 1) === 1;
  return shape.flatMap((dim, i) => (axes.includes(i) ? (keep ? [1] : []) : [dim]));
}

const reduce: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const axes = view.axes(1, shape.length);
  if (!axes?.length && view.int("noop_with_empty_axes", 0) === 1) return [{ shape, dataType }];
  const all = axes?.length ? axes : shape.map((_, i) => i);
  return [{ shape: reduced(view, all), dataType }];
};

const argReduce: Rule = (view) => {
  const axis = view.axis(view.int("axis", 0), view.shape(0, 1).length);
  return [{ shape: reduced(view, [axis]), dataType: "int64" }];
};

const topK: Rule = (view) => {
  const { dataType } = view.input(0);
  const shape = view.shape(0, 1);
  const axis = view.axis(view.int("axis", -1), shape.length);
  const k = view.values(1, "k")[0] ?? view.fail("k is empty");
  const top = shape.map((dim, i) => (i === axis ? k : dim));
  return [
    { shape: top, dataType },
    { shape: top, dataType: "int64" },
  ];
};

const quantize: Rule = (view) => [
  { shape: view.input(0).shape, dataType: view.optional(2)?.dataType ?? "uint8" },
];

const dropout: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  return [
    { shape, dataType },
    { shape, dataType: "bool" },
  ];
};

const named = (types: string, rule: Rule): [string, Rule][] =>
  types.split(" ").map((type) => [type, rule]);

/** Rules by operator type. */
export const arithmeticRules: readonly (readonly [string, Rule])[] = [
  ...named(
    "Relu LeakyRelu PRelu Elu Selu Celu ThresholdedRelu Clip Sigmoid HardSigmoid HardSwish Tanh Softplus " +
      "Softsign Gelu Mish Erf Exp Log Sqrt Reciprocal Neg Abs Sign Floor Ceil Round Sin Cos Not Identity LRN " +
      "CumSum LpNormalization com.microsoft.Gelu com.microsoft.QuickGelu",
    unary,
  ),
  ...named("Add Sub Mul Div Pow Min Max Sum Mean Mod BitShift", elementwise),
  ...named("Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor", comparison),
  ...named("IsNaN IsInf", toType("bool")),
  ["Where", where],
  ["Gemm", gemm],
  ["MatMul", matMul],
  ...named("BatchNormalization InstanceNormalization", normalisation),
  ["LayerNormalization", layerNormalisation],
  ...named("Softmax LogSoftmax Hardmax", softmax),
  ...named(
    "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp " +
      "ReduceSumSquare",
    reduce,
  ),
  ...named("ArgMax ArgMin", argReduce),
  ["TopK", topK],
  ["QuantizeLinear", quantize],
  ["DequantizeLinear", toType("float32")],
  ["Dropout", dropout],
];
