/**
 * Convolutions and pools in TorchScript. PyTorch pads both ends of a dimension alike; where ONNX does not, zeros (or
 * what a maximum ignores) are added by an operator of their own.
 */
import { type Window, windowOfOperator } from "../../graph/shape-window.js";
import { floatLiteral, intList, type Source } from "./source.js";

function windowOf(source: Source): Window {
  if (source.shape.length !== 4) source.refuse("only images (4 dimensions) can");
  return windowOfOperator(source.view);
}

const isEven = ({ padsBegin, padsEnd }: Window) => padsBegin.every((pad, i) => pad === padsEnd[i]);

/** Expression of the padded input; PyTorch counts from the last dimension. */
function padded(source: Source, { padsBegin, padsEnd }: Window, value: number): string {
  const pads = intList([padsBegin[1]!, padsEnd[1]!, padsBegin[0]!, padsEnd[0]!]);
  return `torch.constant_pad_nd(${source.input(0)}, ${pads}, ${floatLiteral(value)})`;
}

/** The input and how much the operator itself pads. */
function paddedInput(source: Source, window: Window, value: number): [input: string, pads: string] {
  return isEven(window)
    ? [source.input(0), intList(window.padsBegin)]
    : [padded(source, window, value), "[0, 0]"];
}

export function conv(source: Source): string {
  const window = windowOf(source);
  const [input, pads] = paddedInput(source, window, 0);
  const strides = intList(window.strides);
  const groups = source.view.int("group", 1);
  const parameters = `${source.input(1)}, ${source.optional(2)}`;
  return `torch.conv2d(${input}, ${parameters}, ${strides}, ${pads}, ${intList(window.dilations)}, ${groups})`;
}

/** PyTorch refuses to pad a pool by more than half its window. */
const fitsPool = (window: Window) =>
  isEven(window) && window.padsBegin.every((pad, i) => 2 * pad <= window.kernel[i]!);

const isCeil = ({ view }: Source) => view.int("ceil_mode", 0) === 1;
const bool = (value: boolean) => (value ? "True" : "False");

export function averagePool(source: Source): string {
  const window = windowOf(source);
  if (window.dilations.some((dilation) => dilation !== 1)) source.refuse("dilation");
  const isCounted = source.view.int("count_include_pad", 0) === 1;
  if (isCounted && isCeil(source)) source.refuse("counted padding with ceil_mode");
  if (!isCounted && !fitsPool(window)) source.refuse("uneven padding that is not counted");
  const [input, pads] = fitsPool(window)
    ? paddedInput(source, window, 0)
    : [padded(source, window, 0), "[0, 0]"];
  const sizes = `${intList(window.kernel)}, ${intList(window.strides)}, ${pads}`;
  return `torch.avg_pool2d(${input}, ${sizes}, ${bool(isCeil(source))}, ${bool(isCounted)})`;
}

export function maxPool(source: Source): string {
  if (source.operator.outputs.length > 1) source.refuse("the places of maxima");
  const window = windowOf(source);
  if (!fitsPool(window) && isCeil(source)) source.refuse("uneven padding with ceil_mode");
  const [input, pads] = fitsPool(window)
    ? paddedInput(source, window, 0)
    : [padded(source, window, Number.NEGATIVE_INFINITY), "[0, 0]"];
  const sizes = `${intList(window.kernel)}, ${intList(window.strides)}, ${pads}`;
  return `torch.max_pool2d(${input}, ${sizes}, ${intList(window.dilations)}, ${bool(isCeil(source))})`;
}

export function globalAverage(source: Source): string {
  const { shape } = source;
  if (shape.length === 4) return `torch.adaptive_avg_pool2d(${source.input(0)}, [1, 1])`;
  return `torch.mean(${source.input(0)}, ${spatial(shape.length)}, True)`;
}

export function globalMaximum(source: Source): string {
  return `torch.amax(${source.input(0)}, ${spatial(source.shape.length)}, True)`;
}

const spatial = (rank: number) => intList(Array.from({ length: rank - 2 }, (_, i) => i + 2));
