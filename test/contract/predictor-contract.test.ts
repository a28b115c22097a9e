import { createMapleEdge } from "../../src/predict/maple-edge.js";
import { createMaple } from "../../src/predict/published/maple.js";
import { createPredictor } from "../../src/predict/registry.js";
import { checkPredictor } from "./predictor-contract.js";

checkPredictor("hypothesis-mixture", () => createPredictor("hypothesis-mixture"), {
  readsDescriptor: false,
  leastWithinTenPercent: 0.9,
});
checkPredictor("operator-sum", () => createPredictor("operator-sum"), {
  readsDescriptor: true,
  leastWithinTenPercent: 0.9,
});
// Fewer steps than by default: what is checked here is conduct, not accuracy.
const fewSteps = { steps: 200, adaptSteps: 60, heldOutFamilies: 2 };
checkPredictor("maple-edge", () => createMapleEdge(fewSteps), {
  readsDescriptor: true,
  leastWithinTenPercent: 0.2,
});
checkPredictor("maple", () => createMaple(fewSteps), {
  readsDescriptor: true,
  leastWithinTenPercent: 0.2,
});
checkPredictor("flops-line", () => createPredictor("flops-line"), {
  readsDescriptor: false,
  leastWithinTenPercent: 0.2,
});
checkPredictor("best-proxy", () => createPredictor("best-proxy"), {
  readsDescriptor: false,
  leastWithinTenPercent: 0.2,
});
checkPredictor("gaussian-process", () => createPredictor("gaussian-process"), {
  readsDescriptor: false,
  leastWithinTenPercent: 0.5,
});
