/**
 * Predictor `maple` (Abbasi, Wong and Shafiee 2021, arXiv 2111.15106): MAPLE-Edge's predecessor, which reads counters as
 * they are. A module of its own, because finished benchmark trials are kept by the code of a method's module.
 */
import { createMapleMethod, type MapleEdgeSettings } from "../maple-edge.js";
import type { Predictor } from "../predictor.js";

/** Create MAPLE: MAPLE-Edge's network on counters per run, whose size tells a platform's speed as well. */
export function createMaple(settings: MapleEdgeSettings = {}): Predictor {
  return createMapleMethod({ name: "maple", dividedByLatency: false }, settings);
}
