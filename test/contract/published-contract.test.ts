// Rebuilt published methods. Fewer steps than by default: what is checked here is conduct, not accuracy.
import { createHelp } from "../../src/predict/published/help.js";
import { checkPredictor } from "./predictor-contract.js";

checkPredictor("help", () => createHelp({ episodes: 150 }), {
  readsDescriptor: false,
  leastWithinTenPercent: 0.2,
});
