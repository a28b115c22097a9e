// Rebuilt published methods. Fewer steps than by default: what is checked here is conduct, not accuracy.
import { createBrpNas } from "../../src/predict/published/brp-nas.js";
import { createHelp } from "../../src/predict/published/help.js";
import { createNasflat } from "../../src/predict/published/nasflat.js";
import { checkPredictor } from "./predictor-contract.js";

checkPredictor("help", () => createHelp({ episodes: 150 }), {
  readsDescriptor: false,
  leastWithinTenPercent: 0.2,
});
// It learns from the target's samples alone, and twelve are few.
checkPredictor("brp-nas", () => createBrpNas({ hidden: 32, epochs: 400 }), {
  readsDescriptor: false,
  leastWithinTenPercent: 0.1,
});
checkPredictor("nasflat", () => createNasflat({ steps: 100, adaptSteps: 10 }), {
  readsDescriptor: false,
  leastWithinTenPercent: 0.2,
});
