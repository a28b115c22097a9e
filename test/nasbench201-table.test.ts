// Our NAS-Bench-201 graphs against the published table of architectures: multiply-accumulates and parameters.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { costOf, costOfGraph, signatureOf } from "../src/graph/cost.js";
import type { FeatureTable, OperatorSignature, RewriteSemantics } from "../src/graph/features.js";
import {
  type Cell,
  cellFromArchString,
  indexFromCell,
  nCells,
  type Operation,
} from "../src/space/nasbench201/cell.js";
import { featuresOfCells, isConnected } from "../src/space/nasbench201/features.js";
import { networkFromCell } from "../src/space/nasbench201/network.js";

const data = process.env.SAMARA_DATA ?? resolve(import.meta.dirname, "../../shared/data");
const path = resolve(data, "nasbench201/architectures.csv.gz");
const isThere = existsSync(path);
if (!isThere) console.warn(`skipped: no ${path}; set SAMARA_DATA to the folder of published data`);

/** The published count has one for each of the classifier's 10 biases. */
const biasAdditions = 10;

const everyOperation = cellFromArchString(
  "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|skip_connect~0|none~1|none~2|",
);

interface Row {
  readonly arch: string;
  readonly macs_m: string;
  readonly macs_live_m: string;
  readonly params_m: string;
}

function readRows(): Row[] {
  const [header, ...lines] = gunzipSync(readFileSync(path)).toString("utf8").trim().split("\n");
  const names = header!.split(",");
  return lines.map((line) => {
    const values = line.split(",");
    return Object.fromEntries(names.map((name, i) => [name, values[i]])) as unknown as Row;
  });
}

function total(
  table: FeatureTable,
  semantics: RewriteSemantics,
  numberOf: (signature: OperatorSignature) => number,
): number[] {
  const values = table.signatures.map(numberOf);
  const counts = table.counts[semantics];
  return table.ids.map((_, row) =>
    values.reduce((sum, value, i) => sum + counts[row * values.length + i]! * value, 0),
  );
}

const macsOf = ({ macs }: OperatorSignature) => macs;

/** Millions as the table states them, with seven digits. */
const inMillions = (n: number) => Number((n / 1e6).toPrecision(7));

const countOf = (cell: Cell, operation: Operation) =>
  cell.filter((choice) => choice === operation).length;

describe.skipIf(!isThere)("NAS-Bench-201 networks", () => {
  const rows = isThere ? readRows() : [];
  const cells = rows.map(({ arch }) => cellFromArchString(arch));
  const table = featuresOfCells(cells.map(indexFromCell), { foldBatchNorm: false });

  test("have the published multiply-accumulates, all 15,625", () => {
    const macs = total(table, "all", macsOf).map((n) => n + biasAdditions);
    expect(macs).toHaveLength(nCells);
    const formula = cells.map((cell) => {
      const [n3, n1] = [countOf(cell, "nor_conv_3x3"), countOf(cell, "nor_conv_1x1")];
      return 7_783_050 + 35_389_440 * n3 + 3_932_160 * n1;
    });
    expect(macs).toEqual(formula);
    expect(macs.map(inMillions)).toEqual(rows.map(({ macs_m }) => Number(macs_m)));
  });

  // For the 341 unconnected cells the table gives the skeleton alone; in our view nothing then leads from input to
  // output, so nothing counts.
  test("have the published live multiply-accumulates", () => {
    const expected = rows.map(({ macs_live_m }, i) =>
      isConnected(cells[i]!) ? Number(macs_live_m) : inMillions(biasAdditions),
    );
    const macs = total(table, "both", macsOf);
    expect(macs.map((n) => inMillions(n + biasAdditions))).toEqual(expected);
    const unconnected = rows.filter((_, i) => !isConnected(cells[i]!));
    expect(unconnected).toHaveLength(341);
    expect(new Set(unconnected.map(({ macs_live_m }) => macs_live_m))).toEqual(
      new Set(["7.78305"]),
    );
  });

  test("have the published parameters, all 15,625", () => {
    const graph = networkFromCell(everyOperation, { foldBatchNorm: false });
    const parametersOf = new Map(
      graph.operators.map((operator) => [
        signatureOf(operator, graph).key,
        costOf(operator, graph).parameters,
      ]),
    );
    const parameters = total(table, "all", ({ key }) => parametersOf.get(key)!);
    expect(parameters.map(inMillions)).toEqual(rows.map(({ params_m }) => Number(params_m)));
  });

  test("have the published figures as graphs too", () => {
    for (let i = 0; i < rows.length; i += 97) {
      const cost = costOfGraph(networkFromCell(cells[i]!, { foldBatchNorm: false }));
      expect([inMillions(cost.macs + biasAdditions), inMillions(cost.parameters)]).toEqual([
        Number(rows[i]!.macs_m),
        Number(rows[i]!.params_m),
      ]);
    }
  });
});
