/**
 * The graph network of BRP-NAS (Dudziak et al. 2020, arXiv 2007.08859; github.com/SamsungLabs/eagle, gcn.py):
 * graph convolutions over the pruned cell with a global node that reads all others, then one linear layer.
 */
import { layerNorm, type Network } from "../../nn/layers.js";
import { type Tape, uniformWithin, type Value } from "../../nn/tape.js";
import type { Task } from "../../nn/training-graph.js";
import type { EncodingForm } from "../encodings.js";
import { choicesOf, type GraphForm, graphFormOf, prunedLinks } from "./cell-graph.js";

const nLayers = 4;

/** What the network reads: graphs with a global node. */
export interface BrpNasForm {
  readonly graph: GraphForm;
  /** Nodes, with input, output and the global node, which comes first. */
  readonly nNodes: number;
  /** Numbers of a node. */
  readonly nodeWidth: number;
  /** Width of the graph convolutions. */
  readonly hidden: number;
}

/** How BRP-NAS reads networks of a space. */
export function brpNasFormOf(encoding: EncodingForm, hidden: number): BrpNasForm {
  const graph = graphFormOf(encoding);
  return { graph, nNodes: graph.nChoices + 3, nodeWidth: graph.nAlternatives + 3, hidden };
}

/** Graphs as columns of data. */
export interface BrpNasColumns extends Readonly<Record<string, Float32Array>> {
  /** (networks, nNodes · nodeWidth). */
  readonly nodes: Float32Array;
  /** (networks, nNodes²): what each node reads; as in the published code these are the nodes after it. */
  readonly links: Float32Array;
}

/** Widths of the columns. */
export const brpNasWidths = ({ nNodes, nodeWidth }: BrpNasForm) => ({
  nodes: nNodes * nodeWidth,
  links: nNodes ** 2,
});

/**
 * Graphs of networks.
 *
 * @param encodings - (networks, width)
 */
export function brpNasColumns(form: BrpNasForm, encodings: Float32Array): BrpNasColumns {
  const { graph, nNodes, nodeWidth } = form;
  const { nChoices, nAlternatives } = graph;
  const choices = choicesOf(graph, encodings);
  const size = nChoices * nAlternatives;
  const nNetworks = choices.length / size;
  const widths = brpNasWidths(form);
  const nodes = new Float32Array(nNetworks * widths.nodes);
  const links = new Float32Array(nNetworks * widths.links);
  for (let i = 0; i < nNetworks; i++) {
    const chosen = choices.subarray(i * size, (i + 1) * size);
    const pruned = prunedLinks(graph, chosen);
    const nodesOf = nodes.subarray(i * widths.nodes, (i + 1) * widths.nodes);
    nodesOf[nAlternatives + 2] = 1;
    nodesOf[nodeWidth + nAlternatives] = 1;
    nodesOf[(nNodes - 1) * nodeWidth + nAlternatives + 1] = 1;
    for (let choice = 0; choice < nChoices; choice++) {
      if (pruned.isLive[choice] === 0) continue;
      const from = choice * nAlternatives;
      nodesOf.set(chosen.subarray(from, from + nAlternatives), (choice + 2) * nodeWidth);
    }
    const linksOf = links.subarray(i * widths.links, (i + 1) * widths.links);
    linksOf.fill(1, 0, nNodes);
    const n = nNodes - 1;
    for (let from = 0; from < n; from++) {
      for (let to = 0; to < n; to++) {
        linksOf[(from + 1) * nNodes + to + 1] = pruned.links[to * n + from]!;
      }
      linksOf[(from + 1) * (nNodes + 1)] = 1;
    }
  }
  return { nodes, links };
}

function convolution(tape: Tape, x: Value, name: string, outputs: number): Value {
  // As published: both start within 1 / sqrt(outputs).
  const initial = uniformWithin(1 / Math.sqrt(outputs));
  const weight = tape.parameter(`${name}.weight`, [x.shape[1]!, outputs], initial);
  const bias = tape.parameter(`${name}.bias`, [outputs], initial);
  return tape.relu(layerNorm(tape, tape.linear(x, weight, bias), `${name}.norm`));
}

/** From `nodes` and `links` to predicted latency (rows, 1), relative to the platform's typical one. */
export function brpNasNetwork({ nNodes, nodeWidth, hidden }: BrpNasForm): Network {
  return (tape, { nodes, links }) => {
    const reads = tape.reshape(links!, [-1, nNodes, nNodes]);
    let x = tape.reshape(nodes!, [-1, nNodes, nodeWidth]);
    for (let layer = 0; layer < nLayers; layer++) {
      // Links before weights, which is the same; in the end only the global node is read.
      const isLast = layer === nLayers - 1;
      const mixed = tape.matmul(isLast ? tape.slice(reads, 1, 0, 1) : reads, x);
      const flat = tape.reshape(mixed, [-1, mixed.shape[2]!]);
      const y = convolution(tape, flat, `layer${layer}`, hidden);
      x = isLast ? y : tape.reshape(y, [-1, nNodes, hidden]);
    }
    const initial = uniformWithin(1 / Math.sqrt(hidden));
    const weight = tape.parameter("out.weight", [hidden, 1], initial);
    return tape.linear(x, weight, tape.parameter("out.bias", [1], initial));
  };
}

/** Training on one platform: absolute error, as published. */
export function brpNasTask(form: BrpNasForm): Task {
  return {
    network: brpNasNetwork(form),
    loss: (tape, predicted, { target }) =>
      tape.mean(tape.absolute(tape.subtract(predicted, target!))),
    columns: { ...brpNasWidths(form), target: 1 },
  };
}
