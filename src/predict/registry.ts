/**
 * Predictors by name: what `--predictor` and a predictor file's `method` refer to.
 */
import { NotFoundError } from "../errors.js";
import { pruningSemantics, rewriteSemantics } from "../graph/features.js";
import { createFlopsLine } from "./flops-line.js";
import { createHypothesisMixture } from "./hypothesis-mixture.js";
import { createMapleEdge } from "./maple-edge.js";
import { createOperatorSum } from "./operator-sum.js";
import type { Predictor } from "./predictor.js";
import { createBestProxy } from "./published/best-proxy.js";
import { createBrpNas } from "./published/brp-nas.js";
import { createGaussianProcess } from "./published/gaussian-process.js";
import { createHelp } from "./published/help.js";
import { createMaple } from "./published/maple.js";
import { createNasflat } from "./published/nasflat.js";

const factories: Readonly<Record<string, () => Predictor>> = {
  "hypothesis-mixture": () => createHypothesisMixture(),
  "operator-sum": () => createOperatorSum(),
  "maple-edge": () => createMapleEdge(),
  maple: () => createMaple(),
  "flops-line": createFlopsLine,
  "best-proxy": createBestProxy,
  "gaussian-process": createGaussianProcess,
  "brp-nas": () => createBrpNas(),
  help: () => createHelp(),
  nasflat: () => createNasflat(),
};

/** Methods with an ingredient left out: what each of them buys (`docs/benchmarks.md`), or what it costs. */
const ablations: Readonly<Record<string, () => Predictor>> = {
  "hypothesis-mixture/no-archetypes": () => createHypothesisMixture({ archetypes: false }),
  "hypothesis-mixture/no-single-sources": () => createHypothesisMixture({ sources: false }),
  "hypothesis-mixture/no-parallel-branches": () => createHypothesisMixture({ parallel: false }),
  "hypothesis-mixture/no-unread-no-merging": () =>
    createHypothesisMixture({ semantics: pruningSemantics }),
  "hypothesis-mixture/no-rewriting": () => createHypothesisMixture({ semantics: ["all"] }),
  "hypothesis-mixture/with-fusion": () => createHypothesisMixture({ semantics: rewriteSemantics }),
  // Of slow methods, what `scripts/claims.mjs` can run often enough.
  "maple-edge/unchecked-intervals": () => createMapleEdge({ heldOutFamilies: 0 }),
  "maple/unchecked-intervals": () => createMaple({ heldOutFamilies: 0 }),
  "help/500-episodes": () => createHelp({ episodes: 500 }),
};

/** Names of all methods, the recommended one first. */
export const predictorNames: readonly string[] = Object.keys(factories);

/**
 * The method of a name, with its default settings, or one of its ablations (`METHOD/what-is-left-out`).
 *
 * @throws NotFoundError listing the known names
 */
export function createPredictor(name: string): Predictor {
  const known = { ...factories, ...ablations };
  const create = Object.hasOwn(known, name) ? known[name] : undefined;
  if (create === undefined) {
    throw new NotFoundError(`no predictor is named "${name}"; known: ${predictorNames.join(", ")}`);
  }
  return create();
}
