/**
 * Networks as TorchScript modules, and modules as the bytes that `native/torch.cc` reads (described there).
 */
import { ShapeError } from "../../errors.js";
import type { OperatorGraph, Shape } from "../../graph/graph.js";
import { formatShape } from "../../graph/size.js";
import { sizeOf, theOnlyTensors } from "../onnx-session.js";
import { WordWriter } from "../word-writer.js";
import { translateOperator } from "./operators.js";
import { SourceBuilder, type TorchParameter } from "./source.js";

const magic = 0x53_54_41_53; // "SATS"
const version = 1;

/** A network as libtorch compiles it. */
export interface TorchModule {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly source: string;
  readonly parameters: readonly TorchParameter[];
}

/**
 * A network as TorchScript. Weights must be in memory.
 *
 * @throws UnsupportedError naming the operator that has no translation, or when there is not one float32 input and output
 */
export function torchModule(graph: OperatorGraph): TorchModule {
  const builder = new SourceBuilder(graph);
  for (const operator of graph.operators) translateOperator(operator, builder);
  const { input, output } = theOnlyTensors(graph);
  return { ...builder.finish(), inputShape: input.shape, outputShape: output.shape };
}

/** The bytes of a module. */
export function torchBytes({
  inputShape,
  outputShape,
  source,
  parameters,
}: TorchModule): Uint8Array {
  const writer = new WordWriter();
  const shape = (dims: readonly number[]) => writer.integers([dims.length, ...dims]);
  writer.integers([magic, version]);
  shape(inputShape);
  shape(outputShape);
  writer.text(source);
  writer.integers([parameters.length]);
  for (const { name, shape: dims, values } of parameters) {
    if (values.length !== sizeOf(dims)) {
      throw new ShapeError(
        `parameter "${name}" of shape ${formatShape(dims)} has ${values.length} values`,
      );
    }
    writer.text(name);
    shape(dims);
    writer.floats(values);
  }
  return writer.bytes();
}
