/**
 * The layers that networks of search spaces are made of, emitted into a graph with weights that keep activations in
 * range.
 *
 * Batch norm is folded into the convolution before it (a bias) or kept. One that follows a sum, as in the head of
 * NAS-Bench-201, cannot be folded: it stays a BatchNormalization, which every ONNX consumer runs; the TFLite writer
 * turns it into a multiplication and an addition.
 */
import type { GraphBuilder } from "../graph/build.js";
import { seedOf } from "../graph/values.js";

/**
 * A tensor and an estimate of its scale, from which the next weights are scaled.
 *
 * Batch norm would bring every convolution's output to unit scale whatever its input; random weights do the same
 * by dividing by this estimate. Sums of skips grow at most 4 times a cell, until the next reduction.
 */
export interface Signal {
  readonly tensor: string;
  /** Root mean square of what came into the cell: equal terms add up by amplitude. */
  readonly carried: number;
  /** Root mean square of what convolutions of this cell made: terms add up by power. */
  readonly fresh: number;
}

/** Estimated root mean square of a signal. */
const rmsOf = ({ carried, fresh }: Signal): number => Math.hypot(carried, fresh);

/** A signal seen by the next block: one source for all its readers. */
export function asSource(signal: Signal): Signal {
  return { tensor: signal.tensor, carried: rmsOf(signal), fresh: 0 };
}

interface ConvOptions {
  readonly channels: number;
  /** Height and width of the window; odd, padded so that stride 1 keeps the size. */
  readonly kernel: number;
  readonly stride?: 1 | 2;
  /** Groups of channels that do not see each other; as many as channels make it depthwise. Default 1. */
  readonly groups?: number;
  /** Whether a ReLU or its like comes before: it halves the mean square. Default true. */
  readonly afterRelu?: boolean;
  /** Default true: followed by batch norm. */
  readonly hasBatchNorm?: boolean;
  /** A bias of its own, which a folded batch norm brings anyway. Default false. */
  readonly hasBias?: boolean;
}

/** Emits layers; names are prefixed by the caller. */
export interface Layers {
  conv(name: string, input: Signal, options: ConvOptions): Signal;
  relu(name: string, input: Signal): Signal;
  /** x times the hard sigmoid of x (Howard et al. 2019, arXiv 1905.02244). */
  hardSwish(name: string, input: Signal): Signal;
  /** Channel shuffle (Zhang et al. 2018, arXiv 1707.01083): mixes the groups of a grouped convolution. */
  shuffle(name: string, input: Signal, groups: number): Signal;
  /** Squeeze and excite (Hu et al. 2018, arXiv 1709.01507) with a hard sigmoid, as MobileNetV3 has it. */
  squeezeExcite(name: string, input: Signal, nHidden: number): Signal;
  /** ReLU, convolution, batch norm: the benchmark's `ReLUConvBN`. */
  reluConv(name: string, input: Signal, options: ConvOptions): Signal;
  averagePool(name: string, input: Signal, kernel: 2 | 3): Signal;
  identity(name: string, input: Signal): Signal;
  /** PyTorch's traced `none`: multiply by zero. */
  timesZero(name: string, input: Signal): Signal;
  add(name: string, a: Signal, b: Signal): Signal;
  /** Zeros of a shape, one constant for all uses. */
  zeros(shape: readonly number[]): Signal;
  batchNorm(name: string, input: Signal): Signal;
  globalPool(name: string, input: Signal): Signal;
  flatten(name: string, input: Signal): Signal;
  linear(name: string, input: Signal, nOutputs: number): Signal;
}

/** Standard deviation of biases and batch norm's shifts, small beside the unit-scale signal. */
const shiftScale = 0.1;

/** Layers that add to a builder; weights depend on the seed and their names only. */
export function createLayers(
  b: GraphBuilder,
  { foldBatchNorm, seed }: { foldBatchNorm: boolean; seed: number },
): Layers {
  const random = (name: string, shape: readonly number[], scale: number) =>
    b.constant(name, shape, { kind: "random", seed: seedOf(seed, name), scale });
  const fill = (name: string, shape: readonly number[], value: number) =>
    b.constant(name, shape, { kind: "fill", value });
  const apply = (
    type: string,
    name: string,
    inputs: readonly string[],
    attributes: Record<string, number | number[]>,
    { carried, fresh }: { carried: number; fresh: number },
  ): Signal => ({ tensor: b.operator(type, inputs, attributes, { name }), carried, fresh });
  /** The input times the hard sigmoid of `gate`. */
  const gated = (name: string, input: Signal, gate: string): Signal => {
    const attributes = { alpha: 1 / 6, beta: 0.5 };
    const sigmoid = apply("HardSigmoid", `${name}.gate`, [gate], attributes, input);
    return apply("Mul", `${name}.product`, [input.tensor, sigmoid.tensor], {}, input);
  };
  const reshape = (name: string, input: Signal, shape: readonly number[]): Signal => {
    const values = BigInt64Array.from(shape, BigInt);
    const target = b.constant(`${name}.shape`, [shape.length], { kind: "values", values }, "int64");
    return apply("Reshape", name, [input.tensor, target], {}, input);
  };

  const layers: Layers = {
    conv(name, input, options) {
      const { channels, kernel, stride = 1, groups = 1 } = options;
      const { afterRelu = true, hasBatchNorm = true } = options;
      const inChannels = b.shapeOf(input.tensor)[1]! / groups;
      // He et al. 2015: variance 2 / fan-in after a ReLU, 1 / fan-in otherwise.
      const gain = (afterRelu ? 2 : 1) / (inChannels * kernel * kernel);
      const scale = Math.sqrt(gain) / (rmsOf(input) || 1);
      const inputs = [
        input.tensor,
        random(`${name}.weight`, [channels, inChannels, kernel, kernel], scale),
      ];
      const hasBias = options.hasBias || (hasBatchNorm && foldBatchNorm);
      if (hasBias) inputs.push(random(`${name}.bias`, [channels], shiftScale));
      const pad = (kernel - 1) / 2;
      const attributes = {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        ...(groups > 1 ? { group: groups } : {}),
      };
      // Of zeros only the small bias is left, which as a constant must not be scaled up.
      const fresh = rmsOf(input) === 0 ? 0 : 1;
      const output = apply("Conv", name, inputs, attributes, { carried: 0, fresh });
      return hasBatchNorm && !foldBatchNorm ? layers.batchNorm(`${name}.bn`, output) : output;
    },

    relu: (name, input) => apply("Relu", name, [input.tensor], {}, input),

    // One operator only from opset 14 on; runtimes that know older ones get what the standard defines it as.
    hardSwish: (name, input) => gated(name, input, input.tensor),

    shuffle(name, input, groups) {
      const whole = b.shapeOf(input.tensor);
      const [n, channels] = whole;
      const split = reshape(`${name}.split`, input, [
        n!,
        groups,
        channels! / groups,
        ...whole.slice(2),
      ]);
      const turned = apply(
        "Transpose",
        `${name}.turn`,
        [split.tensor],
        { perm: [0, 2, 1, 3, 4] },
        input,
      );
      return reshape(`${name}.join`, turned, whole);
    },

    squeezeExcite(name, input, nHidden) {
      const pooled = layers.globalPool(`${name}.pool`, input);
      const biased = { kernel: 1, hasBatchNorm: false, hasBias: true } as const;
      const hidden = layers.conv(`${name}.reduce`, pooled, { ...biased, channels: nHidden });
      const expanded = layers.conv(`${name}.expand`, layers.relu(`${name}.relu`, hidden), {
        ...biased,
        channels: b.shapeOf(input.tensor)[1]!,
      });
      // Gates lie around one half.
      const scaled = { ...input, carried: input.carried / 2, fresh: input.fresh / 2 };
      return gated(name, scaled, expanded.tensor);
    },

    reluConv: (name, input, options) =>
      layers.conv(`${name}.conv`, layers.relu(`${name}.relu`, input), options),

    averagePool(name, input, kernel) {
      const stride = kernel === 2 ? 2 : 1;
      const pad = kernel === 2 ? 0 : 1;
      const attributes = {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [pad, pad, pad, pad],
        count_include_pad: 0,
      };
      return apply("AveragePool", name, [input.tensor], attributes, input);
    },

    identity: (name, input) => apply("Identity", name, [input.tensor], {}, input),

    timesZero(name, input) {
      if (!b.has("zero")) fill("zero", [], 0);
      return apply("Mul", name, [input.tensor, "zero"], {}, { carried: 0, fresh: 0 });
    },

    add: (name, x, y) =>
      apply(
        "Add",
        name,
        [x.tensor, y.tensor],
        {},
        {
          carried: x.carried + y.carried,
          fresh: Math.hypot(x.fresh, y.fresh),
        },
      ),

    zeros(shape) {
      const name = `zeros.${shape.join("x")}`;
      if (!b.has(name)) fill(name, shape, 0);
      return { tensor: name, carried: 0, fresh: 0 };
    },

    batchNorm(name, input) {
      const channels = [b.shapeOf(input.tensor)[1]!];
      const rms = rmsOf(input) || 1;
      const inputs = [
        input.tensor,
        fill(`${name}.scale`, channels, 1),
        random(`${name}.shift`, channels, shiftScale),
        random(`${name}.mean`, channels, shiftScale * rms),
        fill(`${name}.variance`, channels, rms ** 2),
      ];
      const fresh = rmsOf(input) === 0 ? 0 : 1;
      return apply("BatchNormalization", name, inputs, { epsilon: 1e-5 }, { carried: 0, fresh });
    },

    globalPool: (name, input) => apply("GlobalAveragePool", name, [input.tensor], {}, input),

    flatten: (name, input) => apply("Flatten", name, [input.tensor], { axis: 1 }, input),

    linear(name, input, nOutputs) {
      const nInputs = b.shapeOf(input.tensor)[1]!;
      const scale = Math.sqrt(1 / nInputs) / (rmsOf(input) || 1);
      const inputs = [
        input.tensor,
        random(`${name}.weight`, [nOutputs, nInputs], scale),
        random(`${name}.bias`, [nOutputs], shiftScale),
      ];
      return apply("Gemm", name, inputs, { transB: 1 }, { carried: 0, fresh: 1 });
    },
  };
  return layers;
}
