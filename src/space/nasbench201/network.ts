/**
 * NAS-Bench-201 networks: a cell in the benchmark's skeleton, as an operator graph.
 *
 * Skeleton (Dong and Yang 2020, arXiv 2001.00326): 3x3 convolution; three stages of equal cells with 16, 32 and 64
 * channels; between stages a residual block with stride 2; batch norm, ReLU, global average pool, linear layer.
 */
import { InputError } from "../../errors.js";
import { createGraphBuilder } from "../../graph/build.js";
import type { OperatorGraph } from "../../graph/graph.js";
import { asSource, createLayers, type Layers, type Signal } from "../layers.js";
import { archStringFromCell, type Cell, edges, encodingOfCell, indexFromCell } from "./cell.js";

/**
 * How a cell becomes operators.
 *
 * `pruned`: `none` is no edge, a node without incoming edges is a constant of zeros, and operators whose result is
 * not read stay in the graph (what a runtime prunes then shows). `traced`: the form PyTorch's tracer gives, `none`
 * multiplies by zero and is added. Both: each edge has its own ReLU, `skip_connect` is an Identity, sums are chains of
 * Add in the order of the edges.
 */
const variants = ["pruned", "traced"] as const;
/** How `none` is written: `pruned` leaves it out, `traced` multiplies by zero. */
export type Variant = (typeof variants)[number];

/** Everything that makes a network of a cell; the defaults are those of NAS-Bench-201 on CIFAR-10. */
export interface NetworkOptions {
  /** Height and width of the input in pixels, a multiple of 4; default 32. */
  readonly inputSize?: number;
  /** Channels of the first stage; default 16. */
  readonly channels?: number;
  /** Default 5. */
  readonly cellsPerStage?: number;
  /** Default 10. */
  readonly classes?: number;
  /** Whether batch norms become biases of the convolutions before them; default true. */
  readonly foldBatchNorm?: boolean;
  /** Default `pruned`. */
  readonly variant?: Variant;
  /** Seed of the random weights; default 0. */
  readonly seed?: number;
}

/** The number of stages; the channels double and the size halves between them. */
export const nStages = 3;

function checkInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new InputError(`${name} must be an integer >= ${least}, got ${value}`);
  }
}

/**
 * Options with their defaults.
 *
 * @throws InputError on a value out of range
 */
export function resolveNetworkOptions(options: NetworkOptions = {}): Required<NetworkOptions> {
  const resolved = {
    inputSize: options.inputSize ?? 32,
    channels: options.channels ?? 16,
    cellsPerStage: options.cellsPerStage ?? 5,
    classes: options.classes ?? 10,
    foldBatchNorm: options.foldBatchNorm ?? true,
    variant: options.variant ?? "pruned",
    seed: options.seed ?? 0,
  };
  const { inputSize, channels, cellsPerStage, classes, variant, seed } = resolved;
  checkInteger("channels", channels, 1);
  checkInteger("cellsPerStage", cellsPerStage, 1);
  checkInteger("classes", classes, 1);
  checkInteger("seed", seed, 0);
  if (!Number.isSafeInteger(inputSize) || inputSize < 4 || inputSize % 4 !== 0) {
    throw new InputError(`inputSize must be a multiple of 4, at least 4, got ${inputSize}`, {
      hint: "the two reduction blocks halve the image; 32 is the benchmark's size",
    });
  }
  if (!variants.includes(variant)) {
    throw new InputError(`variant must be one of ${variants.join(", ")}, got "${variant}"`);
  }
  return resolved;
}

/** First layer: 3x3 convolution and batch norm. */
export function addStem(layers: Layers, input: Signal, channels: number): Signal {
  return layers.conv("stem", input, { channels, kernel: 3, afterRelu: false });
}

/** The residual block between stages: halves the size; no batch norm on its shortcut. */
export function addReduction(
  layers: Layers,
  name: string,
  input: Signal,
  channels: number,
): Signal {
  const source = asSource(input);
  const a = layers.reluConv(`${name}.a`, source, { channels, kernel: 3, stride: 2 });
  const b = layers.reluConv(`${name}.b`, a, { channels, kernel: 3 });
  const pooled = layers.averagePool(`${name}.pool`, source, 2);
  const shortcut = layers.conv(`${name}.shortcut`, pooled, {
    channels,
    kernel: 1,
    afterRelu: false,
    hasBatchNorm: false,
  });
  return layers.add(`${name}.sum`, shortcut, b);
}

/** The last layers; the output has shape (1, classes). */
export function addHead(layers: Layers, input: Signal, classes: number): Signal {
  const normalised = layers.relu("head.relu", layers.batchNorm("head.bn", input));
  const pooled = layers.flatten("head.flatten", layers.globalPool("head.pool", normalised));
  return layers.linear("head.linear", pooled, classes);
}

/** Emit one edge's operation. */
export function addOperation(
  layers: Layers,
  operation: Cell[number],
  name: string,
  input: Signal,
  channels: number,
): Signal {
  switch (operation) {
    case "none":
      return layers.timesZero(name, input);
    case "skip_connect":
      return layers.identity(name, input);
    case "nor_conv_1x1":
      return layers.reluConv(name, input, { channels, kernel: 1 });
    case "nor_conv_3x3":
      return layers.reluConv(name, input, { channels, kernel: 3 });
    case "avg_pool_3x3":
      return layers.averagePool(name, input, 3);
    default:
      return operation satisfies never;
  }
}

function addCell(
  layers: Layers,
  cell: Cell,
  name: string,
  input: Signal,
  { shape, variant }: { shape: readonly number[]; variant: Variant },
): Signal {
  const nodes: Signal[] = [asSource(input)];
  for (let node = 1; node <= 3; node++) {
    let sum: Signal | undefined;
    edges.forEach(([from, to], i) => {
      const operation = cell[i]!;
      if (to !== node || (operation === "none" && variant === "pruned")) return;
      const edgeName = `${name}.edge${from}${to}`;
      const term = addOperation(layers, operation, edgeName, nodes[from]!, shape[1]!);
      sum = sum ? layers.add(`${edgeName}.sum`, sum, term) : term;
    });
    nodes.push(sum ?? layers.zeros(shape));
  }
  return nodes[3]!;
}

/**
 * The network of a cell. Input `input` (1, 3, inputSize, inputSize), output (1, classes), random weights scaled so
 * that activations neither blow up nor vanish. All choices are in `metadata`; `encoding` is `encodingOfCell`.
 *
 * @throws InputError on an option out of range
 */
export function networkFromCell(cell: Cell, options: NetworkOptions = {}): OperatorGraph {
  const resolved = resolveNetworkOptions(options);
  const { inputSize, channels, cellsPerStage, classes, foldBatchNorm, variant, seed } = resolved;
  const b = createGraphBuilder(`nasbench201-${indexFromCell(cell)}`);
  const layers = createLayers(b, { foldBatchNorm, seed });
  const input = b.input("input", [1, 3, inputSize, inputSize]);
  let signal = addStem(layers, { tensor: input, carried: 1, fresh: 0 }, channels);
  for (let stage = 0; stage < nStages; stage++) {
    const width = channels * 2 ** stage;
    const size = inputSize / 2 ** stage;
    if (stage > 0) signal = addReduction(layers, `reduction${stage}`, signal, width);
    for (let i = 0; i < cellsPerStage; i++) {
      const name = `stage${stage + 1}.cell${i + 1}`;
      signal = addCell(layers, cell, name, signal, { shape: [1, width, size, size], variant });
    }
  }
  const output = addHead(layers, signal, classes);
  return b.finish([output.tensor], {
    encoding: { space: "nasbench201", values: encodingOfCell(cell) },
    metadata: {
      space: "nasbench201",
      arch: archStringFromCell(cell),
      index: String(indexFromCell(cell)),
      inputSize: String(inputSize),
      channels: String(channels),
      cellsPerStage: String(cellsPerStage),
      classes: String(classes),
      batchNorm: foldBatchNorm ? "folded" : "kept",
      variant,
      seed: String(seed),
    },
  });
}
