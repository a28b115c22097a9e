/**
 * Graphs of a search space's choices, as graph networks read them: read back from the encoding of a feature table.
 *
 * Nodes are the input, one for each choice, and the output. NAS-Bench-201's six edges become nodes, as in BRP-NAS
 * (Dudziak et al. 2020, arXiv 2007.08859); FBNet's 22 blocks are a chain; any other encoding is one node between input
 * and output, whose features are the encoding itself.
 */
import type { EncodingForm } from "../encodings.js";

/** Sizes of a space's graphs. */
export interface GraphForm {
  readonly kind: "cell" | "chain" | "single";
  /** Nodes with a choice, between input and output. */
  readonly nChoices: number;
  /** Alternatives at a node (of a cell: none, skip, then the operations), or the width of an encoding. */
  readonly nAlternatives: number;
}

/** Operations of a NAS-Bench-201 edge that an encoding writes; `none` is zeros. */
const cellWidth = 24;
const nCellOperations = 4;
const chainAlternatives = 9;
/** Alternatives of a cell's edge that compute nothing. */
const none = 0;
const skip = 1;

/**
 * For each pair of nodes 0…7 of a cell (input, its six edges in the order of the encoding, output): what comes out
 * of the first goes into the second.
 */
const cellLinks: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [0, 4],
  [1, 3],
  [1, 5],
  [2, 6],
  [3, 6],
  [4, 7],
  [5, 7],
  [6, 7],
];

/** The form of graphs that an encoding describes. */
export function graphFormOf({ space, width }: EncodingForm): GraphForm {
  if (space === "nasbench201" && width === cellWidth) {
    return { kind: "cell", nChoices: 6, nAlternatives: 1 + nCellOperations };
  }
  if (space.startsWith("fbnet") && width % chainAlternatives === 0) {
    return {
      kind: "chain",
      nChoices: width / chainAlternatives,
      nAlternatives: chainAlternatives,
    };
  }
  return { kind: "single", nChoices: 1, nAlternatives: width };
}

/**
 * Choices of networks, one-hot: (networks, nChoices · nAlternatives).
 *
 * @param encodings - (networks, width)
 */
export function choicesOf(form: GraphForm, encodings: Float32Array): Float32Array {
  if (form.kind !== "cell") return encodings;
  const { nAlternatives } = form;
  const choices = new Float32Array((encodings.length / nCellOperations) * nAlternatives);
  for (let edge = 0; edge < encodings.length / nCellOperations; edge++) {
    let isNone = 1;
    for (let operation = 0; operation < nCellOperations; operation++) {
      const value = encodings[edge * nCellOperations + operation]!;
      choices[edge * nAlternatives + 1 + operation] = value;
      isNone -= value;
    }
    choices[edge * nAlternatives + none] = isNone;
  }
  return choices;
}

/** Links between all nodes of a form whatever is chosen: entry (to, from) of a square matrix is 1. */
export function wholeLinks({ kind, nChoices }: GraphForm): Float32Array {
  const n = nChoices + 2;
  const links = new Float32Array(n * n);
  const pairs =
    kind === "cell" ? cellLinks : Array.from({ length: n - 1 }, (_, i) => [i, i + 1] as const);
  for (const [from, to] of pairs) links[to * n + from] = 1;
  return links;
}

/** Nodes that can be reached from one by links. */
function reachable(links: Float32Array, n: number, start: number, forwards: boolean): Uint8Array {
  const reached = new Uint8Array(n);
  const queue = [start];
  reached[start] = 1;
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (let other = 0; other < n; other++) {
      const linked = forwards ? links[other * n + at]! : links[at * n + other]!;
      if (linked === 0 || reached[other] === 1) continue;
      reached[other] = 1;
      queue.push(other);
    }
  }
  return reached;
}

/**
 * Links of one network after pruning as BRP-NAS does: `none` cuts, a skip passes through, and nodes that are not on
 * a way from input to output lose their links. Only cells are pruned.
 *
 * @param choices - (nChoices · nAlternatives) of this network
 * @returns square matrix, entry (to, from), and which choice nodes still compute something
 */
export function prunedLinks(
  form: GraphForm,
  choices: Float32Array,
): { readonly links: Float32Array; readonly isLive: Uint8Array } {
  const links = wholeLinks(form);
  const isLive = new Uint8Array(form.nChoices).fill(1);
  if (form.kind !== "cell") return { links, isLive };
  const n = form.nChoices + 2;
  for (let choice = 0; choice < form.nChoices; choice++) {
    const node = choice + 1;
    const chosen = (alternative: number) =>
      choices[choice * form.nAlternatives + alternative] === 1;
    if (!chosen(none) && !chosen(skip)) continue;
    isLive[choice] = 0;
    if (chosen(skip)) bypass(links, n, node);
    isolate(links, n, node);
  }
  const fromInput = reachable(links, n, 0, true);
  const toOutput = reachable(links, n, n - 1, false);
  for (let node = 0; node < n; node++) {
    if (fromInput[node] === 1 && toOutput[node] === 1) continue;
    isolate(links, n, node);
    if (node > 0 && node < n - 1) isLive[node - 1] = 0;
  }
  return { links, isLive };
}

function bypass(links: Float32Array, n: number, node: number): void {
  for (let from = 0; from < n; from++) {
    if (links[node * n + from] === 0) continue;
    for (let to = 0; to < n; to++) {
      if (links[to * n + node] === 1) links[to * n + from] = 1;
    }
  }
}

function isolate(links: Float32Array, n: number, node: number): void {
  for (let other = 0; other < n; other++) {
    links[node * n + other] = 0;
    links[other * n + node] = 0;
  }
}
