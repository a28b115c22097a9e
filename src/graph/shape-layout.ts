/**
 * Shape rules of operators that move, cut or join tensors without computing on their elements.
 */
import type { DataType, Shape } from "./graph.js";
import { broadcast } from "./shape-arithmetic.js";
import type { OperatorView, OutputType } from "./shape-view.js";
import { elementCount, equalShapes, formatShape } from "./size.js";

type Rule = (view: OperatorView) => OutputType[];

/** ONNX's TensorProto.DataType numbers of the types a graph can hold. */
const onnxDataTypes: Readonly<Record<number, DataType>> = {
  1: "float32",
  2: "uint8",
  3: "int8",
  6: "int32",
  7: "int64",
  9: "bool",
  10: "float16",
  11: "float64",
};

const flatten: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const given = view.int("axis", 1);
  const axis = given === shape.length ? given : view.axis(given, shape.length);
  const rows = elementCount(shape.slice(0, axis));
  return [{ shape: [rows, elementCount(shape.slice(axis))], dataType }];
};

const reshape: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const wanted = view.ints("shape") ?? view.values(1, "new shape");
  const zeroIsZero = view.int("allowzero", 0) === 1;
  const dims = wanted.map((dim, i) => (dim === 0 && !zeroIsZero ? (shape[i] ?? 0) : dim));
  const free = dims.indexOf(-1);
  const elements = elementCount(shape);
  if (free !== -1) {
    const known = elementCount(dims.filter((_, i) => i !== free));
    dims[free] = known === 0 ? 0 : elements / known;
  }
  if (dims.some((dim) => !Number.isInteger(dim) || dim < 0) || elementCount(dims) !== elements) {
    view.fail(`${formatShape(shape)} cannot be reshaped to [${wanted.join(", ")}]`);
  }
  return [{ shape: dims, dataType }];
};

const transpose: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const order = view.ints("perm") ?? shape.map((_, i) => shape.length - 1 - i);
  if (
    !equalShapes(
      [...order].sort((a, b) => a - b),
      shape.map((_, i) => i),
    )
  ) {
    view.fail(`perm [${order.join(", ")}] is no permutation of ${shape.length} dimensions`);
  }
  return [{ shape: order.map((axis) => shape[axis]!), dataType }];
};

const concat: Rule = (view) => {
  const first = view.input(0);
  const axis = view.axis(view.int("axis", 0), view.shape(0, 1).length);
  let length = 0;
  for (let i = 0; i < view.nInputs; i++) {
    const { shape } = view.input(i);
    const fits =
      shape.length === first.shape.length &&
      shape.every((dim, j) => j === axis || dim === first.shape[j]);
    if (!fits) {
      view.fail(
        `inputs ${formatShape(first.shape)} and ${formatShape(shape)} cannot be joined along axis ${axis}`,
      );
    }
    length += shape[axis]!;
  }
  return [
    {
      shape: first.shape.map((dim, i) => (i === axis ? length : dim)),
      dataType: first.dataType,
    },
  ];
};

const split: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const axis = view.axis(view.int("axis", 0), view.shape(0, 1).length);
  const nParts = view.operator.outputs.length;
  const chunk = Math.ceil(shape[axis]! / nParts);
  const parts =
    view.ints("split") ??
    (view.optional(1)
      ? view.values(1, "split sizes")
      : Array.from({ length: nParts }, (_, i) =>
          Math.max(0, Math.min(chunk, shape[axis]! - i * chunk)),
        ));
  if (parts.length !== nParts || parts.reduce((sum, part) => sum + part, 0) !== shape[axis]) {
    view.fail(
      `${formatShape(shape)} cannot be split into [${parts.join(", ")}] along axis ${axis}`,
    );
  }
  return parts.map((part) => ({
    shape: shape.map((dim, i) => (i === axis ? part : dim)),
    dataType,
  }));
};

const pad: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const n = shape.length;
  const pads = view.ints("pads") ?? view.values(1, "pads");
  const axes = view.axes(3, n) ?? shape.map((_, i) => i);
  if (pads.length !== 2 * axes.length) {
    view.fail(`pads must have ${2 * axes.length} numbers, got ${pads.length}`);
  }
  const padded = [...shape];
  axes.forEach((axis, i) => {
    padded[axis]! += pads[i]! + pads[axes.length + i]!;
  });
  return [{ shape: padded, dataType }];
};

const squeeze: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const axes = view.axes(1, shape.length) ?? shape.flatMap((dim, i) => (dim === 1 ? [i] : []));
  if (axes.some((axis) => shape[axis] !== 1)) {
    view.fail(`only dimensions of 1 can be removed from ${formatShape(shape)}`);
  }
  return [{ shape: shape.filter((_, i) => !axes.includes(i)), dataType }];
};

const unsqueeze: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const given = view.ints("axes") ?? view.values(1, "axes");
  const rank = shape.length + given.length;
  const axes = given.map((axis) => view.axis(axis, rank));
  if (new Set(axes).size !== axes.length) view.fail(`axes [${given.join(", ")}] repeat`);
  const rest = [...shape];
  return [
    {
      shape: Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!)),
      dataType,
    },
  ];
};

const slice: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const starts = view.ints("starts") ?? view.values(1, "starts");
  const ends = view.ints("ends") ?? view.values(2, "ends");
  const axes = view.axes(3, shape.length) ?? starts.map((_, i) => view.axis(i, shape.length));
  const steps = view.optional(4) ? view.values(4, "steps") : starts.map(() => 1);
  const sliced = [...shape];
  axes.forEach((axis, i) => {
    const size = shape[axis]!;
    const step = steps[i] ?? 1;
    if (step === 0) view.fail("steps must not be 0");
    const clamp = (place: number, low: number, high: number) =>
      Math.min(high, Math.max(low, place < 0 ? place + size : place));
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const from = clamp(starts[i]!, Math.max(low, 0), high);
    // An end of -infinity with a negative step means "to the very front".
    const to = ends[i]! < -size ? low : clamp(ends[i]!, low, high);
    sliced[axis] = Math.max(0, Math.ceil((to - from) / step));
  });
  return [{ shape: sliced, dataType }];
};

const gather: Rule = (view) => {
  const { dataType } = view.input(0);
  const shape = view.shape(0, 1);
  const axis = view.axis(view.int("axis", 0), shape.length);
  const indices = view.input(1).shape;
  return [{ shape: [...shape.slice(0, axis), ...indices, ...shape.slice(axis + 1)], dataType }];
};

const shapeOf: Rule = (view) => {
  const rank = view.input(0).shape.length;
  const clamp = (place: number) => Math.min(rank, Math.max(0, place < 0 ? place + rank : place));
  const length = clamp(view.int("end", rank)) - clamp(view.int("start", 0));
  return [{ shape: [Math.max(0, length)], dataType: "int64" }];
};

const expand: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  return [{ shape: broadcast(view, shape, view.values(1, "new shape")), dataType }];
};

const tile: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const repeats = view.values(1, "repeats");
  if (repeats.length !== shape.length) view.fail(`repeats must have ${shape.length} numbers`);
  return [{ shape: shape.map((dim, i) => dim * repeats[i]!), dataType }];
};

const resize: Rule = (view) => {
  const { shape, dataType } = view.input(0);
  const isUpsample = view.operator.type === "Upsample";
  const scales = view.optional(isUpsample ? 1 : 2);
  if (scales && elementCount(scales.shape) > 0) {
    const factors =
      scales.values ?? view.fail("the scales must be constant for shapes to be known");
    if (factors.length !== shape.length) view.fail(`scales must have ${shape.length} numbers`);
    return [{ shape: shape.map((dim, i) => Math.floor(dim * factors[i]!)), dataType }];
  }
  const sizes = view.values(3, "sizes");
  if (sizes.length !== shape.length) view.fail(`sizes must have ${shape.length} numbers`);
  return [{ shape: sizes, dataType }];
};

const depthToSpace: Rule = (view) => {
  const { dataType } = view.input(0);
  const [n, c, h, w] = view.shape(0, 4) as [number, number, number, number];
  const block = view.int("blocksize", 1);
  if (c % (block * block) !== 0) view.fail(`${c} channels do not split into blocks of ${block}`);
  return [{ shape: [n, c / (block * block), h * block, w * block], dataType }];
};

const spaceToDepth: Rule = (view) => {
  const { dataType } = view.input(0);
  const [n, c, h, w] = view.shape(0, 4) as [number, number, number, number];
  const block = view.int("blocksize", 1);
  if (h % block !== 0 || w % block !== 0) view.fail(`${h}x${w} does not split by ${block}`);
  return [{ shape: [n, c * block * block, h / block, w / block], dataType }];
};

const cast: Rule = (view) => {
  const to = view.int("to", 0);
  const dataType = onnxDataTypes[to] ?? view.fail(`data type ${to} is not supported`);
  return [{ shape: view.input(0).shape, dataType }];
};

const range: Rule = (view) => {
  const [start] = view.values(0, "start");
  const [limit] = view.values(1, "limit");
  const [delta] = view.values(2, "delta");
  const length = Math.max(0, Math.ceil((limit! - start!) / delta!));
  return [{ shape: [length], dataType: view.input(0).dataType }];
};

const constantOfShape: Rule = (view) => [
  { shape: view.values(0, "shape") as Shape, dataType: "float32" },
];

/** Rules by operator type. */
export const layoutRules: readonly (readonly [string, Rule])[] = [
  ["Flatten", flatten],
  ["Reshape", reshape],
  ["Transpose", transpose],
  ["Concat", concat],
  ["Split", split],
  ["Pad", pad],
  ["Squeeze", squeeze],
  ["Unsqueeze", unsqueeze],
  ["Slice", slice],
  ["Gather", gather],
  ["Shape", shapeOf],
  ["Expand", expand],
  ["Tile", tile],
  ["Resize", resize],
  ["Upsample", resize],
  ["DepthToSpace", depthToSpace],
  ["SpaceToDepth", spaceToDepth],
  ["Cast", cast],
  ["Range", range],
  ["ConstantOfShape", constantOfShape],
];
