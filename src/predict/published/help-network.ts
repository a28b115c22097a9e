/**
 * The networks of HELP (Lee et al. 2021, arXiv 2106.08630; github.com/HayeonLee/HELP, net.py and help.py): a latency
 * regressor that reads a network and a hardware embedding, and the meta-learning around it.
 *
 * The regressor's initial weights are modulated by an inference network that reads the hardware embedding, then tuned
 * by two gradient steps with learned rates (Meta-SGD). All tasks of an episode run side by side: weights are stacked,
 * (tasks, in, out), rows are (tasks, rows, features).
 */
import type { Network } from "../../nn/layers.js";
import { type Parameter, type Tape, uniformWithin, type Value } from "../../nn/tape.js";
import { parametersOf, type Task } from "../../nn/training-graph.js";
import type { EncodingForm } from "../encodings.js";
import { choicesOf, type GraphForm, graphFormOf, wholeLinks } from "./cell-graph.js";

/** Reference networks whose latencies are the hardware embedding. */
export const nReferences = 10;
const hidden = 100;
const innerSteps = 2;
/** Where the learned rates of the inner steps start. */
const firstInnerRate = 1e-3;
/** Effect of the modulation on a weight. */
const modulationScale = 0.01;
/** Weight of the modulation's divergence from a standard normal; the code adds it once for each task. */
const divergenceWeight = 0.1;

/** Weights and biases by name, stacked by task or shared by all. */
type Weights = ReadonlyMap<string, Value>;

/** What the regressor reads. */
export interface HelpForm {
  readonly encoding: EncodingForm;
  readonly graph: GraphForm;
  /** Numbers of a network. */
  readonly nFeatures: number;
}

/** How HELP reads networks of a space: cells as graphs, all else as vectors. */
export function helpFormOf(encoding: EncodingForm): HelpForm {
  const graph = graphFormOf(encoding);
  if (graph.kind === "cell") {
    // Choices, input, output and a global node; one-hot over alternatives, input, output, global.
    const nFeatures = (graph.nChoices + 3) * (graph.nAlternatives + 3);
    return { encoding, graph, nFeatures };
  }
  const nFeatures = graph.kind === "chain" ? graph.nChoices * chainFeatures : encoding.width;
  return { encoding, graph, nFeatures };
}

/** A block of FBNet in HELP's encoding: kernel 3, kernel 5, then its four expansions; a skip is zeros. */
const chainFeatures = 6;

/** Networks as HELP reads them, (networks, nFeatures). */
export function helpFeatures(
  { graph, nFeatures }: HelpForm,
  encodings: Float32Array,
): Float32Array {
  const { kind, nChoices, nAlternatives } = graph;
  if (kind === "single") return encodings;
  const choices = choicesOf(graph, encodings);
  const size = nChoices * nAlternatives;
  const nNetworks = choices.length / size;
  const features = new Float32Array(nNetworks * nFeatures);
  for (let i = 0; i < nNetworks; i++) {
    const chosen = choices.subarray(i * size, (i + 1) * size);
    const to = features.subarray(i * nFeatures, (i + 1) * nFeatures);
    if (kind === "cell") writeCell(to, chosen, graph);
    else writeChain(to, chosen, graph);
  }
  return features;
}

function writeCell(to: Float32Array, chosen: Float32Array, graph: GraphForm): void {
  const { nChoices, nAlternatives } = graph;
  const width = nAlternatives + 3;
  to[nAlternatives] = 1;
  for (let choice = 0; choice < nChoices; choice++) {
    const from = choice * nAlternatives;
    to.set(chosen.subarray(from, from + nAlternatives), (choice + 1) * width);
  }
  to[(nChoices + 1) * width + nAlternatives + 1] = 1;
  to[(nChoices + 2) * width + nAlternatives + 2] = 1;
}

function writeChain(to: Float32Array, chosen: Float32Array, graph: GraphForm): void {
  for (let place = 0; place < graph.nChoices; place++) {
    for (let block = 0; block < 8; block++) {
      if (chosen[place * graph.nAlternatives + block] !== 1) continue;
      to[place * chainFeatures + (block < 4 ? 0 : 1)] = 1;
      to[place * chainFeatures + 2 + (block % 4)] = 1;
    }
  }
}

/** Links of a cell with a global node that reads all, and each node reading itself; entry (to, from). */
function linksWithGlobal(graph: GraphForm): Float32Array {
  const n = graph.nChoices + 2;
  const whole = wholeLinks(graph);
  const links = new Float32Array((n + 1) ** 2);
  for (let to = 0; to < n; to++) {
    for (let from = 0; from < n; from++) links[to * (n + 1) + from] = whole[to * n + from]!;
    links[to * (n + 1) + to] = 1;
  }
  links.fill(1, n * (n + 1));
  return links;
}

/** Layers of the regressor: width in and out, where weights and biases start. */
function layersOf({ graph, nFeatures }: HelpForm) {
  const linear = (inputs: number, outputs: number) => {
    const limit = 1 / Math.sqrt(inputs);
    return { inputs, outputs, weight: uniformWithin(limit), bias: uniformWithin(limit) };
  };
  const convolution = (inputs: number) => ({
    inputs,
    outputs: hidden,
    weight: uniformWithin(0.05),
    bias: uniformWithin(1 / Math.sqrt(hidden)),
  });
  const readers =
    graph.kind === "cell"
      ? {
          gc1: convolution(nFeatures / (graph.nChoices + 3)),
          gc2: convolution(hidden),
          gc3: convolution(hidden),
          gc4: convolution(hidden),
        }
      : { fc1: linear(nFeatures, hidden), fc2: linear(hidden, hidden) };
  return {
    ...readers,
    hw1: linear(nReferences, hidden),
    hw2: linear(hidden, hidden),
    fc3: linear(2 * hidden, 2 * hidden),
    fc4: linear(2 * hidden, 2 * hidden),
    fc5: linear(2 * hidden, 1),
  };
}

function declareRegressor(tape: Tape, form: HelpForm): Weights {
  const weights = new Map<string, Value>();
  for (const [name, { inputs, outputs, weight, bias }] of Object.entries(layersOf(form))) {
    weights.set(`${name}.weight`, tape.parameter(`${name}.weight`, [inputs, outputs], weight));
    weights.set(`${name}.bias`, tape.parameter(`${name}.bias`, [1, outputs], bias));
  }
  return weights;
}

function dense(tape: Tape, x: Value, weights: Weights, name: string): Value {
  const product = tape.matmul(x, weights.get(`${name}.weight`)!);
  return tape.add(product, weights.get(`${name}.bias`)!);
}

/** Embedding of networks (1 or tasks, rows, nFeatures) by a graph network over the cell: (tasks, rows, hidden). */
function readCells(tape: Tape, { graph }: HelpForm, weights: Weights, networks: Value): Value {
  const n = graph.nChoices + 3;
  const links = linksWithGlobal(graph);
  const [tasks = 1] = weights.get("gc1.weight")!.shape;
  const width = networks.shape[2]! / n;
  // Nodes before rows: then a product with the links is one product over all rows.
  const split = tape.reshape(networks, [networks.shape[0]!, -1, n, width]);
  let x = tape.reshape(tape.permute(split, [0, 2, 1, 3]), [networks.shape[0]!, -1, width]);
  for (const name of ["gc1", "gc2", "gc3"]) {
    const mixed = tape.reshape(tape.matmul(x, weights.get(`${name}.weight`)!), [tasks, n, -1]);
    const read = tape.matmul(tape.fixed([n, n], links), mixed);
    const flat = tape.reshape(read, [tasks, -1, hidden]);
    x = tape.relu(tape.add(flat, weights.get(`${name}.bias`)!));
  }
  // Only the global node is read in the end: its row of links before the weights, which is the same.
  const ofGlobal = tape.fixed([1, n], links.subarray(n * (n - 1)));
  const global = tape.matmul(ofGlobal, tape.reshape(x, [tasks, n, -1]));
  return tape.relu(dense(tape, tape.reshape(global, [tasks, -1, hidden]), weights, "gc4"));
}

/**
 * Predicted latency, normalised.
 *
 * @param networks - (1 or tasks, rows, nFeatures)
 * @param hardware - (1 or tasks, 1, nReferences)
 * @returns (tasks, rows, 1)
 */
function regress(
  tape: Tape,
  form: HelpForm,
  weights: Weights,
  { networks, hardware }: { networks: Value; hardware: Value },
): Value {
  const read =
    form.graph.kind === "cell"
      ? readCells(tape, form, weights, networks)
      : tape.relu(dense(tape, tape.relu(dense(tape, networks, weights, "fc1")), weights, "fc2"));
  const device = tape.relu(
    dense(tape, tape.relu(dense(tape, hardware, weights, "hw1")), weights, "hw2"),
  );
  // Network and hardware side by side, by halves of the weight: the hardware's share is the same in all rows.
  const weight = weights.get("fc3.weight")!;
  const half = (start: number) => tape.slice(weight, 1, start, start + hidden);
  const joined = tape.add(
    tape.matmul(read, half(0)),
    tape.add(tape.matmul(device, half(hidden)), weights.get("fc3.bias")!),
  );
  const last = tape.relu(dense(tape, tape.relu(joined), weights, "fc4"));
  return dense(tape, last, weights, "fc5");
}

/** Layers whose weights are modulated. */
const modulated = ["fc3", "fc4", "fc5"];

/** Draws for the modulation: standard normal numbers (tasks, 1, size) for a block of weights. */
export type DrawNoise = (tape: Tape, block: string, size: number, tasks: number) => Value;

/** Initial weights of each task: one copy each, some modulated by what the hardware embedding says. */
function initialiseTasks(
  tape: Tape,
  shared: Weights,
  hardware: Value,
  { tasks, drawNoise }: { tasks: number; drawNoise: DrawNoise },
): { weights: Weights; divergence: Value } {
  const encoder = (name: string, inputs: number, outputs: number, x: Value) => {
    const initial = uniformWithin(1 / Math.sqrt(inputs));
    const weight = tape.parameter(`${name}.weight`, [inputs, outputs], initial);
    const bias = tape.parameter(`${name}.bias`, [outputs], initial);
    return tape.add(tape.matmul(x, weight), bias);
  };
  const code = tape.relu(encoder("modulation", nReferences, nReferences, hardware));
  const weights = new Map<string, Value>();
  const divergences: Value[] = [];
  for (const [name, value] of shared) {
    const [inputs, outputs] = value.shape as [number, number];
    const [layer = "", part] = name.split(".");
    if (!modulated.includes(layer)) {
      weights.set(name, tape.expand(value, [tasks, inputs, outputs]));
      continue;
    }
    const size = part === "weight" ? inputs : 1;
    const mean = encoder(`modulation.${name}.mean`, nReferences, size, code);
    const spread = tape.softplus(encoder(`modulation.${name}.spread`, nReferences, size, code));
    const noise = drawNoise(tape, name, size, tasks);
    const z = tape.multiply(
      tape.add(mean, tape.multiply(spread, noise)),
      tape.scalar(modulationScale),
    );
    const ofRows = tape.reshape(z, [tasks, size, 1]);
    const modified =
      part === "weight"
        ? tape.multiply(value, tape.add(ofRows, tape.scalar(1)))
        : tape.add(value, ofRows);
    weights.set(name, modified);
    divergences.push(divergenceFromNormal(tape, mean, spread));
  }
  return { weights, divergence: divergences.reduce((sum, next) => tape.add(sum, next)) };
}

/** Kullback–Leibler divergence of a diagonal normal distribution from the standard one, summed. */
function divergenceFromNormal(tape: Tape, mean: Value, spread: Value): Value {
  const squares = tape.add(tape.square(mean), tape.square(spread));
  const half = tape.multiply(tape.subtract(squares, tape.scalar(1)), tape.scalar(0.5));
  return tape.sum(tape.subtract(half, tape.logarithm(spread)));
}

/** Samples to tune to: networks (tasks, rows, nFeatures), hardware (tasks, 1, nReferences), targets (tasks, rows, 1). */
interface Support {
  readonly networks: Value;
  readonly hardware: Value;
  readonly targets: Value;
}

/** Declare everything that is learned, and tune to samples by the inner steps. */
function tune(
  tape: Tape,
  form: HelpForm,
  { networks, hardware, targets }: Support,
  drawNoise: DrawNoise,
): { weights: Weights; divergence: Value } {
  const [tasks, nRows] = targets.shape as [number, number];
  const shared = declareRegressor(tape, form);
  const rates = new Map<string, Value>();
  for (const [name, { shape }] of shared) {
    rates.set(name, tape.parameter(`rate.${name}`, shape, { kind: "fill", value: firstInnerRate }));
  }
  const initial = initialiseTasks(tape, shared, hardware, { tasks, drawNoise });
  let weights = initial.weights;
  for (let step = 0; step < innerSteps; step++) {
    const errors = tape.subtract(regress(tape, form, weights, { networks, hardware }), targets);
    // The sum over tasks: each task's weights see its own mean squared error only.
    const loss = tape.multiply(tape.sum(tape.square(errors)), tape.scalar(1 / nRows));
    const names = [...weights.keys()];
    const values = names.map((name) => weights.get(name)!);
    // HELP differentiates through its inner steps (second_order in parser.py).
    const gradients = tape.gradients(loss, values, { isDifferentiable: tape.isTraining });
    weights = new Map(
      names.map((name, i) => [
        name,
        tape.subtract(values[i]!, tape.multiply(rates.get(name)!, gradients[i]!)),
      ]),
    );
  }
  return { weights, divergence: initial.divergence };
}

/** Sizes of an episode. */
export interface Episode {
  readonly tasks: number;
  /** Rows of a task to tune to, and to test on; they come in this order, task after task. */
  readonly nSupport: number;
  readonly nQuery: number;
}

/** Meta-training: a batch is an episode, the loss is what is left on its queries after tuning. */
export function helpTask(form: HelpForm, { tasks, nSupport, nQuery }: Episode, seed: number): Task {
  const network: Network = (tape, columns) => {
    const cut = (name: string, width: number, start: number, end: number) =>
      tape.slice(tape.reshape(columns[name]!, [tasks, -1, width]), 1, start, end);
    const nRows = nSupport + nQuery;
    const hardware = cut("hardware", nReferences, 0, 1);
    const support = {
      networks: cut("networks", form.nFeatures, 0, nSupport),
      targets: cut("target", 1, 0, nSupport),
      hardware,
    };
    const { weights, divergence } = tune(tape, form, support, (t, _, size) =>
      t.random("normal", [tasks, 1, size], seed),
    );
    const networks = cut("networks", form.nFeatures, nSupport, nRows);
    const errors = tape.subtract(
      regress(tape, form, weights, { networks, hardware }),
      cut("target", 1, nSupport, nRows),
    );
    return tape.add(
      tape.mean(tape.square(errors)),
      tape.multiply(divergence, tape.scalar(divergenceWeight)),
    );
  };
  return {
    network,
    loss: (_, metaLoss) => metaLoss,
    columns: { networks: form.nFeatures, hardware: nReferences, target: 1 },
  };
}

/** What meta-training learns. */
export function helpParameters(form: HelpForm): readonly Parameter[] {
  const { network, columns } = helpTask(form, { tasks: 1, nSupport: 1, nQuery: 1 }, 0);
  return parametersOf(network, columns, 2);
}

/** Samples of one target as plain numbers, the same for each of some draws of the modulation. */
export interface TargetSupport {
  /** (rows, nFeatures). */
  readonly networks: Float32Array;
  readonly targets: Float32Array;
  readonly hardware: Float32Array;
}

/**
 * The regressor tuned to samples: a network from `networks` (rows, nFeatures) to (rows, 1), the mean over draws of
 * the modulation. Tuning is part of the graph; ONNX Runtime folds it into constants.
 *
 * @param noise - standard normal numbers for each block of modulated weights, (draws, size)
 */
export function tunedNetwork(
  form: HelpForm,
  { networks, targets, hardware }: TargetSupport,
  noise: (block: string, size: number) => { draws: number; values: Float32Array },
): Network {
  return (tape, columns) => {
    const nSupport = targets.length;
    const { draws } = noise("fc5.bias", 1);
    const stacked = (values: Float32Array, shape: readonly number[]) =>
      tape.expand(tape.fixed([1, ...shape], values), [draws, ...shape]);
    const support = {
      networks: stacked(networks, [nSupport, form.nFeatures]),
      targets: stacked(targets, [nSupport, 1]),
      hardware: stacked(hardware, [1, nReferences]),
    };
    const { weights } = tune(tape, form, support, (t, block, size) =>
      t.fixed([draws, 1, size], noise(block, size).values),
    );
    const rows = tape.reshape(columns.networks!, [1, -1, form.nFeatures]);
    const predicted = regress(tape, form, weights, { networks: rows, hardware: support.hardware });
    return tape.reshape(tape.mean(predicted, 0), [-1, 1]);
  };
}
