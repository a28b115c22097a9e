/**
 * The graph network of NASFLAT (Akhauri and Abdelfattah 2024, arXiv 2403.02446;
 * github.com/abdelfattah-lab/nasflat_latency, correlation_trainer/models_abl_p2.py): layers that are the mean of dense
 * graph flow and graph attention, gated by embeddings of each node's operation joined with the platform's embedding.
 *
 * A first pass over the graph refines these embeddings, a second one computes the prediction.
 */
import { layerNorm, type Network } from "../../nn/layers.js";
import { pairwiseHinge } from "../../nn/losses.js";
import { type Tape, uniformWithin, type Value } from "../../nn/tape.js";
import type { Task } from "../../nn/training-graph.js";
import type { EncodingForm } from "../encodings.js";
import { choicesOf, type GraphForm, graphFormOf, prunedLinks } from "./cell-graph.js";

/** Sizes of the published network (main_trf.py). */
const embeddingWidth = 24;
const nodeWidth = 24;
const hidden = 96;
const width = 128;
const firstPassLayers = 2;
const secondPassLayers = 3;
const headWidths = [200, 200, 200];
const headDropout = 0.1;
const leakySlope = 0.01;
const hingeMargin = 0.1;

/** What the network reads. */
export interface NasflatForm {
  readonly graph: GraphForm;
  readonly nPlatforms: number;
}

/** How NASFLAT reads networks of a space on so many platforms. */
export function nasflatFormOf(encoding: EncodingForm, nPlatforms: number): NasflatForm {
  return { graph: graphFormOf(encoding), nPlatforms };
}

/** Widths of the columns: choices and links of a network, and which platform it runs on (one-hot). */
export function nasflatWidths({ graph, nPlatforms }: NasflatForm) {
  return {
    choices: graph.nChoices * graph.nAlternatives,
    links: (graph.nChoices + 2) ** 2,
    platform: nPlatforms,
  };
}

/**
 * Graphs of networks: all choices, also those that compute nothing, and the pruned links.
 *
 * @param encodings - (networks, width)
 */
export function nasflatGraphs(
  { graph }: NasflatForm,
  encodings: Float32Array,
): { readonly choices: Float32Array; readonly links: Float32Array } {
  const choices = choicesOf(graph, encodings);
  const size = graph.nChoices * graph.nAlternatives;
  const nLinks = (graph.nChoices + 2) ** 2;
  const links = new Float32Array((choices.length / size) * nLinks);
  for (let i = 0; i < choices.length / size; i++) {
    const pruned = prunedLinks(graph, choices.subarray(i * size, (i + 1) * size));
    links.set(pruned.links, i * nLinks);
  }
  return { choices, links };
}

/** A fully connected layer as PyTorch starts it, over the last dimension. */
function linear(tape: Tape, x: Value, name: string, outputs: number): Value {
  const inputs = x.shape.at(-1)!;
  const initial = uniformWithin(1 / Math.sqrt(inputs));
  const weight = tape.parameter(`${name}.weight`, [inputs, outputs], initial);
  return tape.add(tape.matmul(x, weight), tape.parameter(`${name}.bias`, [outputs], initial));
}

/** Rows with a value of their own for each node, to one row a node and back. */
const flatten = (tape: Tape, x: Value) => tape.reshape(x, [-1, x.shape.at(-1)!]);
const unflatten = (tape: Tape, x: Value, nNodes: number) =>
  tape.reshape(x, [-1, nNodes, x.shape[1]!]);

function leakyRelu(tape: Tape, x: Value): Value {
  const positive = tape.multiply(tape.relu(x), tape.scalar(1 - leakySlope));
  return tape.add(positive, tape.multiply(x, tape.scalar(leakySlope)));
}

/** What a layer reads: nodes (rows, nodes, features), links (rows, nodes, nodes), embeddings (rows, nodes, ·). */
interface LayerInputs {
  readonly x: Value;
  readonly links: Value;
  readonly embedding: Value;
}

const gate = (tape: Tape, embedding: Value, name: string) =>
  tape.sigmoid(linear(tape, embedding, name, width));

/** Sums what comes in over links, gated, and keeps what a node had. */
function denseGraphFlow(tape: Tape, { x, links, embedding }: LayerInputs, name: string): Value {
  const initial = uniformWithin(1 / Math.sqrt(width));
  const weight = tape.parameter(`${name}.weight`, [x.shape.at(-1)!, width], initial);
  const bias = tape.parameter(`${name}.bias`, [width], initial);
  const support = tape.matmul(x, weight);
  const flow = tape.multiply(gate(tape, embedding, `${name}.gate`), tape.matmul(links, support));
  return tape.add(tape.add(flow, support), bias);
}

/** Weighs all nodes, those without a link by a score of 0 (as in the published code). */
function graphAttention(tape: Tape, { x, links, embedding }: LayerInputs, name: string): Value {
  const inputs = x.shape.at(-1)!;
  const initial = uniformWithin(1 / Math.sqrt(inputs));
  const keys = tape.matmul(x, tape.parameter(`${name}.keys`, [inputs, width], initial));
  const scale = tape.parameter(`${name}.scores`, [width], uniformWithin(1 / Math.sqrt(width)));
  const scores = leakyRelu(tape, tape.matmul(tape.multiply(keys, scale), tape.transpose(keys)));
  const attention = tape.softmax(tape.multiply(scores, links));
  const read = tape.matmul(attention, keys);
  const gated = tape.multiply(gate(tape, embedding, `${name}.gate`), read);
  const normal = layerNorm(tape, flatten(tape, gated), `${name}.norm`);
  return unflatten(tape, normal, links.shape[1]!);
}

function pass(tape: Tape, inputs: LayerInputs, name: string, nLayers: number): Value {
  let { x } = inputs;
  for (let layer = 0; layer < nLayers; layer++) {
    const read = { ...inputs, x };
    const flow = denseGraphFlow(tape, read, `${name}${layer}.flow`);
    const attended = graphAttention(tape, read, `${name}${layer}.attention`);
    const mean = tape.multiply(tape.add(flow, attended), tape.scalar(0.5));
    x = layer + 1 < nLayers ? tape.relu(mean) : mean;
  }
  return x;
}

/** Embeddings of each node's operation and of the platform, (rows, nodes, 2 · embeddingWidth). */
function embed(tape: Tape, graph: GraphForm, choices: Value, platform: Value): Value {
  const { nChoices, nAlternatives } = graph;
  const initial = { kind: "normal", deviation: 1 } as const;
  const table = tape.parameter("operations", [nAlternatives, embeddingWidth], initial);
  const output = tape.parameter("output", [1, 1, embeddingWidth], initial);
  const platforms = tape.parameter("platforms", [platform.shape[1]!, embeddingWidth], initial);
  const operations = tape.matmul(tape.reshape(choices, [-1, nChoices, nAlternatives]), table);
  // The input node has zeros, the output node an embedding of its own; rows take them from a product with zeros.
  const perRow = tape.slice(operations, 1, 0, 1);
  const nothing = tape.multiply(perRow, tape.scalar(0));
  const nodes = tape.concat([nothing, operations, tape.add(nothing, output)], 1);
  const device = tape.reshape(tape.matmul(platform, platforms), [-1, 1, embeddingWidth]);
  const everywhere = tape.fixed([1, nChoices + 2, 1], new Float32Array(nChoices + 2).fill(1));
  return tape.concat([nodes, tape.multiply(device, everywhere)], 2);
}

/** From choices, links and platform to a score (rows, 1) that orders networks by latency. */
export function nasflatNetwork({ graph }: NasflatForm, seed = 0): Network {
  return (tape, { choices, links, platform }) => {
    const nNodes = graph.nChoices + 2;
    const linksOf = tape.reshape(links!, [-1, nNodes, nNodes]);
    const embedding = embed(tape, graph, choices!, platform!);
    const first = tape.parameter("node.input", [1, nodeWidth], { kind: "normal", deviation: 1 });
    const other = tape.parameter("node.other", [1, nodeWidth], { kind: "fill", value: 0 });
    const others = tape.expand(other, [nNodes - 1, nodeWidth]);
    const nodes = linear(tape, tape.concat([first, others], 0), "nodes", hidden);
    const x = tape.reshape(nodes, [1, nNodes, hidden]);
    const refined = pass(tape, { x, links: linksOf, embedding }, "first", firstPassLayers);
    const operation = refine(tape, refined, embedding);
    const inputs = { x, links: linksOf, embedding: operation };
    const y = pass(tape, inputs, "second", secondPassLayers);
    let head = tape.reshape(tape.mean(tape.slice(y, 1, 1, nNodes), 1), [-1, width]);
    headWidths.forEach((outputs, i) => {
      head = tape.relu(linear(tape, head, `head${i}`, outputs));
      head = tape.dropout(head, headDropout, seed);
    });
    return linear(tape, head, "score", 1);
  };
}

/** Embeddings of the second pass: from those of the first and what it computed at the output node. */
function refine(tape: Tape, y: Value, embedding: Value): Value {
  const nNodes = embedding.shape[1]!;
  let result = tape.reshape(tape.slice(y, 1, nNodes - 1, nNodes), [-1, width]);
  for (let i = 0; i < 3; i++) {
    result = linear(tape, result, `result${i}`, width);
    if (i < 2) result = tape.relu(result);
  }
  // One layer on embedding and result side by side, by halves: the result is the same at all nodes.
  const inputs = 2 * embeddingWidth + width;
  const initial = uniformWithin(1 / Math.sqrt(inputs));
  const weight = tape.parameter("update0.weight", [inputs, width], initial);
  const bias = tape.parameter("update0.bias", [width], initial);
  const ofEmbedding = tape.matmul(embedding, tape.slice(weight, 0, 0, 2 * embeddingWidth));
  const ofResult = tape.matmul(result, tape.slice(weight, 0, 2 * embeddingWidth, inputs));
  const joined = tape.add(ofEmbedding, tape.reshape(tape.add(ofResult, bias), [-1, 1, width]));
  return linear(tape, tape.relu(joined), "update1", 2 * embeddingWidth);
}

/** Training: the pairwise hinge loss of the published code, over all pairs of a batch. */
export function nasflatTask(form: NasflatForm, seed: number): Task {
  return {
    network: nasflatNetwork(form, seed),
    loss: (tape, predicted, { target }) => pairwiseHinge(tape, predicted, target!, hingeMargin),
    columns: { ...nasflatWidths(form), target: 1 },
  };
}
