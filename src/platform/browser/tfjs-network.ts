/**
 * A network run eagerly by TensorFlow.js: a plain description of its steps, and the executor of such descriptions.
 *
 * The executor runs in Node and in a browser's page, which gets this file's JavaScript as it is: it imports nothing,
 * and takes the TensorFlow.js module as an argument. Descriptions hold numbers, strings and Float32Arrays only, so that
 * they can be sent; `tfjs-lowering.ts` makes them. Tensors of rank 4 are NHWC throughout, convolution weights HWIO.
 */

/** Padding before and after, for each dimension. */
export type Paddings = readonly (readonly [before: number, after: number])[];

/** What a step does, with TensorFlow.js's names and arguments. */
export type TfjsOperation =
  | {
      readonly kind: "conv2d" | "depthwiseConv2d";
      readonly strides: readonly number[];
      readonly dilations: readonly number[];
      readonly pads: Paddings;
    }
  | {
      readonly kind: "avgPool" | "maxPool";
      readonly window: readonly number[];
      readonly strides: readonly number[];
      readonly pads: Paddings;
    }
  | { readonly kind: "batchNorm"; readonly epsilon: number }
  | { readonly kind: "matMul"; readonly transposeA: boolean; readonly transposeB: boolean }
  | { readonly kind: "pad"; readonly paddings: Paddings; readonly value: number }
  | { readonly kind: "clipByValue"; readonly min: number; readonly max: number }
  | { readonly kind: "mean"; readonly axes: readonly number[] }
  | { readonly kind: "reshape"; readonly shape: readonly number[] }
  | { readonly kind: "transpose"; readonly order: readonly number[] }
  | { readonly kind: "slice"; readonly begin: readonly number[]; readonly size: readonly number[] }
  | { readonly kind: "concat"; readonly axis: number }
  | { readonly kind: "relu" | "relu6" | "add" | "mul" | "identity" };

/** One operation on numbered tensors. */
export interface TfjsStep {
  readonly operation: TfjsOperation;
  readonly inputs: readonly number[];
  readonly output: number;
  /** Tensors that no later step reads; they are disposed of after this one. */
  readonly frees: readonly number[];
}

/** A network. Its tensors are numbered: constants first, then the input, then what the steps make. */
export interface TfjsNetwork {
  readonly constants: readonly {
    readonly shape: readonly number[];
    readonly values: Float32Array;
  }[];
  readonly inputShape: readonly number[];
  /** Made by a step, never an input or a constant. */
  readonly output: number;
  readonly outputShape: readonly number[];
  readonly steps: readonly TfjsStep[];
}

/** A tensor of TensorFlow.js. */
export interface TfjsTensor {
  dataSync(): Float32Array;
  data(): Promise<Float32Array>;
  dispose(): void;
}

type Pair = [number, number];
interface ConvSettings {
  x: TfjsTensor;
  filter: TfjsTensor;
  strides: Pair;
  pad: unknown;
  dilations: Pair;
  bias: TfjsTensor;
  dataFormat: "NHWC";
}

/** The part of the module `@tensorflow/tfjs-core` that is used. */
export interface Tfjs {
  tensor(values: Float32Array, shape: readonly number[], dtype: "float32"): TfjsTensor;
  conv2d(
    x: TfjsTensor,
    filter: TfjsTensor,
    strides: Pair,
    pad: unknown,
    dataFormat: "NHWC",
    dilations: Pair,
  ): TfjsTensor;
  depthwiseConv2d(
    x: TfjsTensor,
    filter: TfjsTensor,
    strides: Pair,
    pad: unknown,
    dataFormat: "NHWC",
    dilations: Pair,
  ): TfjsTensor;
  matMul(a: TfjsTensor, b: TfjsTensor, transposeA: boolean, transposeB: boolean): TfjsTensor;
  readonly fused: {
    conv2d(settings: ConvSettings): TfjsTensor;
    depthwiseConv2d(settings: ConvSettings): TfjsTensor;
    matMul(settings: {
      a: TfjsTensor;
      b: TfjsTensor;
      transposeA: boolean;
      transposeB: boolean;
      bias: TfjsTensor;
    }): TfjsTensor;
  };
  avgPool(x: TfjsTensor, window: Pair, strides: Pair, pad: unknown): TfjsTensor;
  maxPool(x: TfjsTensor, window: Pair, strides: Pair, pad: unknown): TfjsTensor;
  batchNorm(
    x: TfjsTensor,
    mean: TfjsTensor,
    variance: TfjsTensor,
    offset: TfjsTensor,
    scale: TfjsTensor,
    epsilon: number,
  ): TfjsTensor;
  pad(x: TfjsTensor, paddings: Paddings, value: number): TfjsTensor;
  clipByValue(x: TfjsTensor, min: number, max: number): TfjsTensor;
  mean(x: TfjsTensor, axes: readonly number[], keepDims: boolean): TfjsTensor;
  reshape(x: TfjsTensor, shape: readonly number[]): TfjsTensor;
  transpose(x: TfjsTensor, order: readonly number[]): TfjsTensor;
  slice(x: TfjsTensor, begin: readonly number[], size: readonly number[]): TfjsTensor;
  concat(tensors: readonly TfjsTensor[], axis: number): TfjsTensor;
  relu(x: TfjsTensor): TfjsTensor;
  relu6(x: TfjsTensor): TfjsTensor;
  add(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  mul(a: TfjsTensor, b: TfjsTensor): TfjsTensor;
  clone(x: TfjsTensor): TfjsTensor;
}

/** A network whose weights and input TensorFlow.js holds. */
export interface TfjsExecutor {
  /** Values in the description's order (NHWC). */
  setInput(values: Float32Array): void;
  /** Every step once. A backend that works asynchronously (WebGL, WebGPU) may not be done when this returns. */
  run(): void;
  /** Values of the last run's output (NHWC), copied; waits for the backend. Zero runs: undefined. */
  output(): Float32Array | undefined;
  /** Like `output`, for backends that cannot wait synchronously (WebGPU). */
  outputAsync(): Promise<Float32Array | undefined>;
  dispose(): void;
}

/** One operation on its inputs. An operator with a bias is one operation, as in converted models. */
function apply(tf: Tfjs, operation: TfjsOperation, inputs: readonly TfjsTensor[]): TfjsTensor {
  const [x, y, z] = inputs as [TfjsTensor, TfjsTensor, TfjsTensor | undefined];
  switch (operation.kind) {
    case "conv2d":
    case "depthwiseConv2d": {
      const { kind, pads: pad } = operation;
      const strides = operation.strides as Pair;
      const dilations = operation.dilations as Pair;
      if (z === undefined) return tf[kind](x, y, strides, pad, "NHWC", dilations);
      const settings = { x, filter: y, strides, pad, dilations, bias: z } as const;
      return tf.fused[kind]({ ...settings, dataFormat: "NHWC" });
    }
    case "avgPool":
    case "maxPool": {
      const { kind, window, strides, pads } = operation;
      return tf[kind](x, window as Pair, strides as Pair, pads);
    }
    case "batchNorm": {
      const [, scale, offset, mean, variance] = inputs as [
        TfjsTensor,
        TfjsTensor,
        TfjsTensor,
        TfjsTensor,
        TfjsTensor,
      ];
      return tf.batchNorm(x, mean, variance, offset, scale, operation.epsilon);
    }
    case "matMul": {
      const { transposeA, transposeB } = operation;
      if (z === undefined) return tf.matMul(x, y, transposeA, transposeB);
      return tf.fused.matMul({ a: x, b: y, transposeA, transposeB, bias: z });
    }
    case "pad":
      return tf.pad(x, operation.paddings, operation.value);
    case "clipByValue":
      return tf.clipByValue(x, operation.min, operation.max);
    case "mean":
      return tf.mean(x, operation.axes, true);
    case "reshape":
      return tf.reshape(x, operation.shape);
    case "transpose":
      return tf.transpose(x, operation.order);
    case "slice":
      return tf.slice(x, operation.begin, operation.size);
    case "concat":
      return tf.concat(inputs, operation.axis);
    case "relu":
    case "relu6":
      return tf[operation.kind](x);
    case "add":
    case "mul":
      return tf[operation.kind](x, y);
    case "identity":
      return tf.clone(x);
    default:
      return operation satisfies never;
  }
}

/** Put a network's weights into TensorFlow.js, whose backend must be ready; the input is zeros until it is set. */
export function createTfjsNetwork(tf: Tfjs, network: TfjsNetwork): TfjsExecutor {
  const { steps, inputShape, output } = network;
  const tensors: (TfjsTensor | undefined)[] = network.constants.map(({ shape, values }) =>
    tf.tensor(values, shape, "float32"),
  );
  const input = tensors.length;
  const replace = (slot: number, tensor: TfjsTensor | undefined) => {
    tensors[slot]?.dispose();
    tensors[slot] = tensor;
  };
  const setInput = (values: Float32Array) => {
    replace(input, tf.tensor(values, inputShape, "float32"));
  };
  setInput(new Float32Array(inputShape.reduce((product, dim) => product * dim, 1)));
  return {
    setInput,
    run() {
      replace(output, undefined);
      for (const { operation, inputs, output: slot, frees } of steps) {
        tensors[slot] = apply(
          tf,
          operation,
          inputs.map((i) => tensors[i]!),
        );
        for (const free of frees) replace(free, undefined);
      }
    },
    output: () => tensors[output]?.dataSync(),
    outputAsync: async () => tensors[output]?.data(),
    dispose() {
      for (const slot of tensors.keys()) replace(slot, undefined);
    },
  };
}
