// Our FBNet and once-for-all networks against HELP's published latencies: every architecture makes a network, and
// latencies follow the form of the networks that we say they are of.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { FeatureTable } from "../src/graph/features.js";
import { featuresOfFbnet } from "../src/space/fbnet/features.js";
import { featuresOfOfa } from "../src/space/ofa/features.js";
import { pearson } from "../src/tensor/stats.js";

const data = process.env.SAMARA_DATA ?? resolve(import.meta.dirname, "../../shared/data");
const isThere = ["help-fbnet", "help-ofa"].every((name) => existsSync(resolve(data, name)));
if (!isThere)
  console.warn(
    `skipped: no help-fbnet, help-ofa in ${data}; set SAMARA_DATA to the published data`,
  );

const architecturesOf = (folder: string): number[][] => {
  const bytes = readFileSync(resolve(data, folder, "architectures.csv.gz"));
  const [, ...lines] = gunzipSync(bytes).toString("utf8").trim().split("\n");
  return lines.map((line) => line.split(",").slice(1).map(Number));
};

function latenciesOf(folder: string, platform: string): Float32Array {
  const { rows, shape } = JSON.parse(readFileSync(resolve(data, folder, "latency.json"), "utf8"));
  const row = rows.findIndex(({ id }: { id: string }) => id === platform);
  const bytes = readFileSync(resolve(data, folder, "latency.f32"));
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return all.slice(row * shape[1], (row + 1) * shape[1]);
}

/** Sum of a number over the operators of each network. */
function totals({ signatures, counts, ids }: FeatureTable, of: "macs" | "outputElements") {
  return ids.map((_, row) =>
    signatures.reduce((sum, s, i) => sum + counts.all[row * signatures.length + i]! * s[of], 0),
  );
}

describe.skipIf(!isThere)("HELP's FBNet table", () => {
  const architectures = isThere ? architecturesOf("help-fbnet") : [];

  test("is of 5,000 different networks", () => {
    const { ids } = featuresOfFbnet(architectures);
    expect(new Set(ids).size).toBe(5000);
  });

  test.each(["fpga", "eyeriss", "pixel3", "raspi4"])(
    "%s follows the MACs at 32 x 32 pixels more than those at 224 x 224",
    (platform) => {
      const latency = latenciesOf("help-fbnet", platform);
      const [small, large] = (["cifar", "imagenet"] as const).map((form) =>
        pearson(totals(featuresOfFbnet(architectures, { form }), "macs"), latency),
      );
      expect(small).toBeGreaterThan(0.93);
      expect(small! - large!).toBeGreaterThan(0.03);
    },
  );

  test.each(["1080ti_64", "2080ti_64", "titanxp_64"])(
    "%s follows the elements written at 32 x 32 pixels",
    (platform) => {
      const latency = latenciesOf("help-fbnet", platform);
      const [small, large] = (["cifar", "imagenet"] as const).map((form) =>
        pearson(totals(featuresOfFbnet(architectures, { form }), "outputElements"), latency),
      );
      expect(small).toBeGreaterThan(0.9);
      expect(small! - large!).toBeGreaterThan(0.1);
    },
  );
});

describe.skipIf(!isThere)("HELP's once-for-all table", () => {
  const architectures = isThere ? architecturesOf("help-ofa") : [];

  test("is of 5,000 different networks whose latencies at batch 64 follow the elements written", () => {
    const table = featuresOfOfa(architectures);
    expect(new Set(table.ids).size).toBe(5000);
    const latency = latenciesOf("help-ofa", "titan_rtx_64");
    expect(pearson(totals(table, "outputElements"), latency)).toBeGreaterThan(0.9);
  });
});
