/**
 * Networks as TorchScript modules, and modules as the bytes that `native/torch.cc` reads (described there).
 */
import { ShapeError } from "../../errors.js";
import type { OperatorGraph } from "../../graph/graph.js";
import { formatShape } from "../../graph/size.js";
import { sizeOf } from "../onnx-session.js";
import { WordWriter } from "../word-writer.js";
import { translateOperator } from "./operators.js";
import { SourceBuilder, type TorchModule } from "./source.js";

const magic = 0x53_54_41_53; // "SATS"
const version = 1;

/**
 * A network with one input and one output as TorchScript. Weights must be in memory.
 *
 * @throws UnsupportedError naming the operator that has no translation
 */
export function torchModule(graph: OperatorGraph): TorchModule {
  const builder = new SourceBuilder(graph);
  for (const operator of graph.operators) translateOperator(operator, builder);
  return builder.finish();
}

/** The bytes of a module. */
export function torchBytes({ inputShape, source, parameters }: TorchModule): Uint8Array {
  const writer = new WordWriter();
  const shape = (dims: readonly number[]) => writer.integers([dims.length, ...dims]);
  writer.integers([magic, version]);
  shape(inputShape);
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
