// Platforms that fuse operators and change layouts, among sources that do not: made-up latencies of real cells.
import { expect, test } from "vitest";
import { withinShare } from "../src/evaluate/metrics.js";
import { type RewriteSemantics, rewriteSemantics } from "../src/graph/features.js";
import { createHypothesisMixture } from "../src/predict/hypothesis-mixture.js";
import { createOperatorSum } from "../src/predict/operator-sum.js";
import type { PlatformSamples } from "../src/predict/predictor.js";
import { nCells } from "../src/space/nasbench201/cell.js";
import { featuresOfCells } from "../src/space/nasbench201/features.js";
import { createRandom, deriveSeed, drawWithoutReplacement } from "../src/tensor/random.js";

const seed = 3;
const networks = featuresOfCells(drawWithoutReplacement(createRandom(seed), nCells, 500));

/** Latency of every network on a platform: rates for multiply-accumulates and bytes, and for every operator. */
function latenciesOf(name: string, semantics: RewriteSemantics): Float64Array {
  const random = createRandom(deriveSeed(seed, name));
  const vary = () => Math.exp(0.3 * random.normal());
  const [perMac, perByte, perOperator] = [1e-8 * vary(), 2e-8 * vary(), 2e-3 * vary()];
  const costMs = networks.signatures.map(
    ({ macs, bytesMoved }) => macs * perMac + bytesMoved * perByte + perOperator,
  );
  return Float64Array.from(networks.ids, (_, row) => {
    let sum = 0.01;
    costMs.forEach((cost, s) => {
      sum += cost * networks.counts[semantics][row * costMs.length + s]!;
    });
    return sum * Math.exp(0.01 * random.normal());
  });
}

function samplesOf(name: string, semantics: RewriteSemantics, n: number): PlatformSamples {
  const latencies = latenciesOf(name, semantics);
  const random = createRandom(deriveSeed(seed, `${name}/${n}`));
  const rows = drawWithoutReplacement(random, networks.ids.length, n);
  return {
    platformId: name,
    family: name,
    rows,
    latencyMs: Float64Array.from(rows, (row) => latencies[row]!),
  };
}

const sources = (["all", "forward+shared", "forward", "all"] as const).map((semantics, i) =>
  samplesOf(`source-${i}`, semantics, 150),
);

test.each([
  ["operator-sum", createOperatorSum()],
  ["hypothesis-mixture with fusion", createHypothesisMixture({ semantics: rewriteSemantics })],
])(
  "%s finds out from twelve samples that a platform fuses, though no source does",
  async (_, method) => {
    const fitted = await method.fit({ networks, platforms: sources }, { seed });
    const truth = latenciesOf("target", "forward+fused");
    const adapted = await fitted.adapt(samplesOf("target", "forward+fused", 12), networks, {
      seed,
    });
    const { latencyMs } = await adapted.predict(networks, { coverage: 0.9 });
    expect(withinShare(truth, latencyMs, 0.1)).toBeGreaterThan(0.9);
    const views = adapted.save().settings.views as { semantics: string; weight: number }[];
    const fused = views.filter(({ semantics }) => semantics.endsWith("+fused"));
    expect(fused.reduce((sum, { weight }) => sum + weight, 0)).toBeGreaterThan(0.8);
  },
);
