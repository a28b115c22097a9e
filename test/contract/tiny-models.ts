/**
 * Small ONNX files written by hand, so that runtimes are tested without the writer of `src/onnx`.
 * Field numbers are those of onnx.proto (IR version 8, opset 13).
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";

type Write = (writer: BinaryWriter) => void;

const floatType = 1;
const tag = { varint: 0, bytes: 2, fixed32: 5 } as const;

function bytesOf(write: Write): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, tag.bytes).bytes(bytesOf(write));
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, tag.varint).int64(value);
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, tag.bytes).string(value);
}

function writeNode(
  writer: BinaryWriter,
  type: string,
  inputs: readonly string[],
  output: string,
  integers: Readonly<Record<string, readonly number[]>> = {},
): void {
  message(writer, 1, (node) => {
    for (const input of inputs) text(node, 1, input);
    text(node, 2, output);
    text(node, 3, output);
    text(node, 4, type);
    for (const [name, values] of Object.entries(integers)) {
      message(node, 5, (attribute) => {
        text(attribute, 1, name);
        for (const value of values) integer(attribute, 8, value);
        integer(attribute, 20, 7); // INTS
      });
    }
  });
}

function writeWeights(writer: BinaryWriter, name: string, dims: readonly number[]): void {
  const values = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  for (let i = 0; i < values.length; i++) values[i] = Math.sin(i + 1) / Math.sqrt(dims[1]! * 9);
  message(writer, 5, (tensor) => {
    for (const dim of dims) integer(tensor, 1, dim);
    integer(tensor, 2, floatType);
    text(tensor, 8, name);
    tensor.tag(9, tag.bytes).bytes(new Uint8Array(values.buffer));
  });
}

function writeValueInfo(
  writer: BinaryWriter,
  field: number,
  name: string,
  dims: readonly number[],
): void {
  message(writer, field, (info) => {
    text(info, 1, name);
    message(info, 2, (type) => {
      message(type, 1, (tensor) => {
        integer(tensor, 1, floatType);
        message(tensor, 2, (shape) => {
          for (const dim of dims) message(shape, 1, (written) => integer(written, 1, dim));
        });
      });
    });
  });
}

/** A chain of `nConvs` 3×3 convolutions with ReLU on (1, channels, size, size), in ONNX. */
export function tinyConvNet(nConvs: number, channels = 4, size = 8): Uint8Array {
  const shape = [1, channels, size, size];
  return bytesOf((model) => {
    integer(model, 1, 8);
    message(model, 7, (graph) => {
      let previous = "input";
      for (let i = 0; i < nConvs; i++) {
        writeNode(graph, "Conv", [previous, `w${i}`], `conv${i}`, {
          kernel_shape: [3, 3],
          pads: [1, 1, 1, 1],
        });
        previous = i === nConvs - 1 ? "output" : `relu${i}`;
        writeNode(graph, "Relu", [`conv${i}`], previous);
      }
      text(graph, 2, "tiny");
      for (let i = 0; i < nConvs; i++) writeWeights(graph, `w${i}`, [channels, channels, 3, 3]);
      writeValueInfo(graph, 11, "input", shape);
      writeValueInfo(graph, 12, "output", shape);
    });
    message(model, 8, (opset) => {
      text(opset, 1, "");
      integer(opset, 2, 13);
    });
  });
}
