/**
 * NAS-Bench-201 cells: arch string, six operations and index of the same cell.
 *
 * A cell has four nodes and six edges, listed as an arch string reads: 0->1, 0->2, 1->2, 0->3, 1->3, 2->3.
 * The index is Samara's own: the base-5 number of the six edges, the first edge most significant, digits in the
 * order of `operations`. The published benchmark numbers cells by a random permutation instead.
 * Source: Dong and Yang 2020, arXiv 2001.00326.
 */
import { InputError } from "../../errors.js";

/** Choices on an edge, in the order of the index's digits. */
export const operations = [
  "none",
  "skip_connect",
  "nor_conv_1x1",
  "nor_conv_3x3",
  "avg_pool_3x3",
] as const;
/** One of `operations`. */
export type Operation = (typeof operations)[number];

/** Operations on the six edges, in the order of `edges`. */
export type Cell = readonly [Operation, Operation, Operation, Operation, Operation, Operation];

/** From and to node of each edge. */
export const edges = [
  [0, 1],
  [0, 2],
  [1, 2],
  [0, 3],
  [1, 3],
  [2, 3],
] as const;

/** Number of cells: 5^6. */
export const nCells = operations.length ** edges.length;

const hint = `write for example "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|"`;

function isOperation(text: string): text is Operation {
  return (operations as readonly string[]).includes(text);
}

/**
 * The cell of an arch string such as
 * `|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|avg_pool_3x3~1|nor_conv_1x1~2|`.
 *
 * @throws InputError on an unknown operation or a string of another form
 */
export function cellFromArchString(arch: string): Cell {
  const nodes = arch.trim().split("+");
  if (nodes.length !== 3) {
    throw new InputError(
      `an arch string must describe 3 nodes joined by "+", got ${nodes.length} in "${arch}"`,
      { hint },
    );
  }
  const cell: Operation[] = [];
  nodes.forEach((node, i) => {
    const nEdges = i + 1;
    const parts = node.split("|");
    if (parts.length !== nEdges + 2 || parts[0] !== "" || parts.at(-1) !== "") {
      throw new InputError(
        `node ${nEdges} of an arch string must have ${nEdges} ${nEdges === 1 ? "edge" : "edges"} between "|", got "${node}"`,
        { hint },
      );
    }
    parts.slice(1, -1).forEach((part, from) => {
      const [operation = "", source, ...rest] = part.split("~");
      if (source !== String(from) || rest.length > 0) {
        throw new InputError(
          `edge ${from} of node ${nEdges} must be "operation~${from}", got "${part}" in "${arch}"`,
          { hint },
        );
      }
      if (!isOperation(operation)) {
        throw new InputError(
          `unknown operation "${operation}" in "${arch}"; known: ${operations.join(", ")}`,
        );
      }
      cell.push(operation);
    });
  });
  return cell as readonly Operation[] as Cell;
}

/** The arch string of a cell. */
export function archStringFromCell(cell: Cell): string {
  const [a, b, c, d, e, f] = cell;
  return `|${a}~0|+|${b}~0|${c}~1|+|${d}~0|${e}~1|${f}~2|`;
}

/**
 * The cell of an index.
 *
 * @param index - integer in 0..15,624
 * @throws InputError on any other number
 */
export function cellFromIndex(index: number): Cell {
  if (!Number.isInteger(index) || index < 0 || index >= nCells) {
    throw new InputError(`a cell's index must be an integer in 0..${nCells - 1}, got ${index}`);
  }
  const cell: Operation[] = [];
  for (let rest = index, i = 0; i < edges.length; i++) {
    cell.unshift(operations[rest % operations.length]!);
    rest = Math.floor(rest / operations.length);
  }
  return cell as readonly Operation[] as Cell;
}

/** The index of a cell, 0..15,624. */
export function indexFromCell(cell: Cell): number {
  return cell.reduce((index, operation) => {
    return index * operations.length + operations.indexOf(operation);
  }, 0);
}

/**
 * The index of a cell given as an arch string, an index or the id of its network.
 *
 * @throws InputError on an unknown operation, a malformed string or an index out of range
 */
export function indexFromArch(text: string): number {
  const id = /^(?:nasbench201\/)?(-?\d+)$/.exec(text.trim());
  if (!id) return indexFromCell(cellFromArchString(text));
  const index = Number(id[1]);
  if (index < 0 || index >= nCells) {
    throw new InputError(`an architecture index is an integer in 0…${nCells - 1}, got ${text}`);
  }
  return index;
}

/**
 * The index of a cell that differs from another in one operation.
 *
 * @param dice - uniform integers, each in [0, n)
 */
export function neighbourIndex(index: number, dice: { integer(n: number): number }): number {
  const weight = operations.length ** dice.integer(edges.length);
  const digit = Math.floor(index / weight) % operations.length;
  const other = (digit + 1 + dice.integer(operations.length - 1)) % operations.length;
  return index + (other - digit) * weight;
}

/** The id of a network in feature tables, pools and reports, e.g. `nasbench201/1462`. */
export function networkId(index: number): string {
  return `nasbench201/${index}`;
}

/** The index in a network id, or undefined when it is not of NAS-Bench-201. */
export function indexFromNetworkId(id: string): number | undefined {
  const match = /^nasbench201\/(\d+)$/.exec(id);
  const index = match ? Number(match[1]) : Number.NaN;
  return index < nCells ? index : undefined;
}

/** Numbers a cell is encoded by: for each edge, which operation other than `none` it has. */
export const encodingWidth = edges.length * (operations.length - 1);

/**
 * A cell as 24 numbers: six edges times (skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3), one-hot;
 * `none` is four zeros. As in MAPLE-Edge (Nair et al. 2022, arXiv 2204.12950).
 */
export function encodingOfCell(cell: Cell): number[] {
  return cell.flatMap((operation) =>
    operations.slice(1).map((choice) => (choice === operation ? 1 : 0)),
  );
}
