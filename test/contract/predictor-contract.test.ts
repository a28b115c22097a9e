import { createPredictor } from "../../src/predict/registry.js";
import { checkPredictor } from "./predictor-contract.js";

checkPredictor("operator-sum", () => createPredictor("operator-sum"), {
  readsDescriptor: true,
  leastWithinTenPercent: 0.9,
});
checkPredictor("flops-line", () => createPredictor("flops-line"), {
  readsDescriptor: false,
  leastWithinTenPercent: 0.2,
});
