/**
 * Shape rules of operators that slide a window: convolutions and pools.
 */
import type { Shape } from "./graph.js";
import type { OperatorView, OutputType } from "./shape-view.js";
import { formatShape } from "./size.js";

/** A sliding window over the spatial dimensions, padding resolved to numbers. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before, for each spatial dimension. */
  readonly padsBegin: readonly number[];
  readonly padsEnd: readonly number[];
  /** Spatial output dimensions. */
  readonly output: readonly number[];
}

function perDimension(view: OperatorView, name: string, n: number, missing: number): number[] {
  const values = view.ints(name) ?? new Array<number>(n).fill(missing);
  if (values.length !== n) {
    view.fail(`attribute ${name} must have ${n} numbers, got ${values.length}`);
  }
  return [...values];
}

/** Window of a convolution or pool over `spatial` dimensions, with ONNX's defaults and `auto_pad`. */
function windowOf(view: OperatorView, spatial: Shape, kernel: Shape): Window {
  const n = spatial.length;
  if (kernel.length !== n) {
    view.fail(`a ${formatShape(kernel)} kernel does not fit ${n} spatial dimensions`);
  }
  const strides = perDimension(view, "strides", n, 1);
  const dilations = perDimension(view, "dilations", n, 1);
  if ([...kernel, ...strides, ...dilations].some((value) => value < 1)) {
    view.fail("kernel, strides and dilations must be at least 1");
  }
  const autoPad = view.text("auto_pad", "NOTSET");
  const pads = view.ints("pads") ?? new Array<number>(2 * n).fill(0);
  if (pads.length !== 2 * n || pads.some((pad) => pad < 0)) {
    view.fail(`attribute pads must have ${2 * n} numbers >= 0, got [${pads.join(", ")}]`);
  }
  const isCeil = view.int("ceil_mode", 0) === 1;
  const padsBegin: number[] = [];
  const padsEnd: number[] = [];
  const output: number[] = [];
  for (let i = 0; i < n; i++) {
    const extent = (kernel[i]! - 1) * dilations[i]! + 1;
    const stride = strides[i]!;
    const size = spatial[i]!;
    let begin = pads[i]!;
    let end = pads[n + i]!;
    if (autoPad === "VALID") {
      begin = 0;
      end = 0;
    } else if (autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER") {
      const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + extent - size);
      const small = Math.floor(total / 2);
      begin = autoPad === "SAME_UPPER" ? small : total - small;
      end = total - begin;
    } else if (autoPad !== "NOTSET") {
      view.fail(`attribute auto_pad has the unknown value "${autoPad}"`);
    }
    const room = size + begin + end - extent;
    if (room < 0) {
      view.fail(
        `a ${formatShape(kernel)} window does not fit ${formatShape(spatial)} with its padding`,
      );
    }
    let steps = (isCeil ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
    // The last window of ceil_mode must begin inside the input or its leading padding.
    if (isCeil && (steps - 1) * stride >= size + begin) steps--;
    padsBegin.push(begin);
    padsEnd.push(end);
    output.push(steps);
  }
  return { kernel, strides, dilations, padsBegin, padsEnd, output };
}

/** Window of a Conv, AveragePool, MaxPool or LpPool. */
export function windowOfOperator(view: OperatorView): Window {
  const spatial = view.shape(0, 3).slice(2);
  const kernel =
    view.operator.type === "Conv" ? view.shape(1, 3).slice(2) : view.ints("kernel_shape");
  return windowOf(view, spatial, kernel ?? view.fail("attribute kernel_shape is missing"));
}

/**
 * Padding that the window really reads at the end of spatial dimension `i` of `size`; negative where the input's end
 * is not reached.
 */
export function usedPadEnd(window: Window, size: number, i: number): number {
  const { kernel, dilations, strides, output, padsBegin } = window;
  const extent = (kernel[i]! - 1) * dilations[i]! + 1;
  return (output[i]! - 1) * strides[i]! + extent - size - padsBegin[i]!;
}

export function convRule(view: OperatorView): OutputType[] {
  const input = view.input(0);
  const [batch, channels] = view.shape(0, 3) as [number, number];
  const weights = view.shape(1, 3);
  const groups = view.int("group", 1);
  const [outChannels, channelsPerGroup] = weights as [number, number];
  if (groups < 1 || channelsPerGroup * groups !== channels || outChannels % groups !== 0) {
    view.fail(
      `weights ${formatShape(weights)} in ${groups} groups do not fit an input of ${channels} channels`,
    );
  }
  const stated = view.ints("kernel_shape");
  if (stated && formatShape(stated) !== formatShape(weights.slice(2))) {
    view.fail(`kernel_shape ${formatShape(stated)} differs from weights ${formatShape(weights)}`);
  }
  const bias = view.optional(2);
  if (bias && formatShape(bias.shape) !== String(outChannels)) {
    view.fail(`the bias must have shape ${outChannels}, got ${formatShape(bias.shape)}`);
  }
  const { output } = windowOfOperator(view);
  return [{ shape: [batch, outChannels, ...output], dataType: input.dataType }];
}

export function convTransposeRule(view: OperatorView): OutputType[] {
  const input = view.input(0);
  const shape = view.shape(0, 3);
  const weights = view.shape(1, 3);
  const groups = view.int("group", 1);
  if (groups < 1 || weights[0] !== shape[1] || weights.length !== shape.length) {
    view.fail(`weights ${formatShape(weights)} do not fit an input of ${formatShape(shape)}`);
  }
  const n = shape.length - 2;
  const strides = perDimension(view, "strides", n, 1);
  const dilations = perDimension(view, "dilations", n, 1);
  const extra = perDimension(view, "output_padding", n, 0);
  const pads = perDimension(view, "pads", 2 * n, 0);
  const stated = view.ints("output_shape");
  const autoPad = view.text("auto_pad", "NOTSET");
  const spatial = shape.slice(2).map((size, i) => {
    if (stated) return stated[stated.length - n + i] ?? view.fail("output_shape is too short");
    if (autoPad.startsWith("SAME")) return size * strides[i]!;
    const extent = (weights[i + 2]! - 1) * dilations[i]! + 1;
    const padding = autoPad === "VALID" ? 0 : pads[i]! + pads[n + i]!;
    return strides[i]! * (size - 1) + extra[i]! + extent - padding;
  });
  if (spatial.some((size) => size < 0)) view.fail("padding exceeds the output");
  return [{ shape: [shape[0]!, weights[1]! * groups, ...spatial], dataType: input.dataType }];
}

export function poolRule(view: OperatorView): OutputType[] {
  const { dataType } = view.input(0);
  const shape = view.shape(0, 3);
  const pooled = [shape[0]!, shape[1]!, ...windowOfOperator(view).output];
  const outputs: OutputType[] = [{ shape: pooled, dataType }];
  // MaxPool's optional second output: the places of the maxima.
  if (view.operator.outputs.length > 1) outputs.push({ shape: pooled, dataType: "int64" });
  return outputs;
}

export function globalPoolRule(view: OperatorView): OutputType[] {
  const { dataType } = view.input(0);
  const shape = view.shape(0, 3);
  return [{ shape: shape.map((dim, i) => (i < 2 ? dim : 1)), dataType }];
}
