/**
 * Small model files written by hand, so that runtimes are tested without the writers of `src/`.
 * Field numbers are those of onnx.proto (IR version 8, opset 13) and of TensorFlow Lite's schema.fbs (version 3).
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Builder } from "flatbuffers";

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

/** Values of (channels, channels, 3, 3), the same in every layer and format. */
function weightValues(channels: number): Float32Array {
  const scale = 1 / Math.sqrt(channels * 3);
  return Float32Array.from({ length: channels * channels * 9 }, (_, i) => scale * Math.sin(i + 1));
}

function writeWeights(writer: BinaryWriter, name: string, dims: readonly number[]): void {
  const values = weightValues(dims[0]!);
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

/**
 * A chain of `nConvs` 3×3 convolutions with ReLU on (1, channels, size, size), in ONNX.
 *
 * @param name - of the graph; the fake runtime takes `fault:…` as an order to fail
 */
export function tinyConvNet(nConvs: number, channels = 4, size = 8, name = "tiny"): Uint8Array {
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
      text(graph, 2, name);
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

/**
 * The same network as `tinyConvNet` for TensorFlow Lite: `CONV_2D` with fused ReLU on (1, size, size, channels).
 *
 * @param operator - number of the builtin operator; another than CONV_2D's 3 makes a model that cannot run
 */
export function tinyTfliteConvNet(
  nConvs: number,
  channels = 4,
  size = 8,
  operator = 3,
): Uint8Array {
  const builder = new Builder(1024);
  const int32Vector = (values: readonly number[]) => {
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addInt32(value);
    return builder.endVector();
  };
  const offsetVector = (offsets: readonly number[]) => {
    builder.startVector(4, offsets.length, 4);
    for (const offset of [...offsets].reverse()) builder.addOffset(offset);
    return builder.endVector();
  };
  const buffer = (values?: Float32Array) => {
    let data = 0;
    if (values !== undefined) {
      builder.startVector(4, values.length, 16);
      for (const value of [...values].reverse()) builder.addFloat32(value);
      data = builder.endVector();
      // FlatBuffers wants the length in bytes: the element is ubyte.
      new DataView(builder.dataBuffer().bytes().buffer).setInt32(
        builder.dataBuffer().bytes().length - data,
        values.length * 4,
        true,
      );
    }
    builder.startObject(1);
    if (values !== undefined) builder.addFieldOffset(0, data, 0);
    return builder.endObject();
  };
  const tensor = (name: string, shape: readonly number[], bufferIndex: number) => {
    const nameOffset = builder.createString(name);
    const shapeOffset = int32Vector(shape);
    builder.startObject(4);
    builder.addFieldOffset(0, shapeOffset, 0);
    builder.addFieldInt32(2, bufferIndex, 0);
    builder.addFieldOffset(3, nameOffset, 0);
    return builder.endObject();
  };

  // OIHW to OHWI.
  const oihw = weightValues(channels);
  const ohwi = new Float32Array(oihw.length);
  for (let o = 0; o < channels; o++) {
    for (let i = 0; i < channels; i++) {
      for (let k = 0; k < 9; k++) {
        ohwi[(o * 9 + k) * channels + i] = oihw[(o * channels + i) * 9 + k]!;
      }
    }
  }
  const buffers = [buffer(), buffer(ohwi), buffer(new Float32Array(channels))];
  const dataShape = [1, size, size, channels];
  const tensors = [
    tensor("weights", [channels, 3, 3, channels], 1),
    tensor("bias", [channels], 2),
    ...Array.from({ length: nConvs + 1 }, (_, i) => tensor(`data${i}`, dataShape, 0)),
  ];
  const operators = Array.from({ length: nConvs }, (_, i) => {
    const inputs = int32Vector([i + 2, 0, 1]);
    const outputs = int32Vector([i + 3]);
    builder.startObject(6); // Conv2DOptions
    builder.addFieldInt32(1, 1, 0);
    builder.addFieldInt32(2, 1, 0);
    builder.addFieldInt8(3, 1, 0);
    const options = builder.endObject();
    builder.startObject(5);
    builder.addFieldOffset(1, inputs, 0);
    builder.addFieldOffset(2, outputs, 0);
    builder.addFieldInt8(3, 1, 0);
    builder.addFieldOffset(4, options, 0);
    return builder.endObject();
  });
  const subgraphFields = [
    offsetVector(tensors),
    int32Vector([2]),
    int32Vector([nConvs + 2]),
    offsetVector(operators),
  ];
  builder.startObject(4);
  subgraphFields.forEach((offset, i) => {
    builder.addFieldOffset(i, offset, 0);
  });
  const subgraph = builder.endObject();
  builder.startObject(4);
  builder.addFieldInt8(0, Math.min(operator, 127), 0);
  builder.addFieldInt32(2, 1, 0);
  builder.addFieldInt32(3, operator, 0);
  const operatorCode = builder.endObject();
  const modelFields = [offsetVector([operatorCode]), offsetVector([subgraph])];
  const bufferVector = offsetVector(buffers);
  builder.startObject(5);
  builder.addFieldInt32(0, 3, 0);
  modelFields.forEach((offset, i) => {
    builder.addFieldOffset(i + 1, offset, 0);
  });
  builder.addFieldOffset(4, bufferVector, 0);
  builder.finish(builder.endObject(), "TFL3");
  return builder.asUint8Array();
}
