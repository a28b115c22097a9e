/**
 * All commands, in the order in which help lists them.
 */
import type { Register } from "../main.js";
import { registerAdapt } from "./adapt.js";
import { registerBenchmark } from "./benchmark.js";
import { registerCampaign } from "./campaign.js";
import { registerDoctor } from "./doctor.js";
import { registerEvaluate } from "./evaluate.js";
import { registerGenerate } from "./generate.js";
import { registerMeasure } from "./measure.js";
import { registerOnboard } from "./onboard.js";
import { registerPlatforms } from "./platforms.js";
import { registerPredict } from "./predict.js";
import { registerProfile } from "./profile.js";
import { registerReport } from "./report.js";
import { registerSearch } from "./search.js";
import { registerServe } from "./serve.js";
import { registerTrain } from "./train.js";

export function registerCommands(register: Register): void {
  registerOnboard(register);
  registerPlatforms(register);
  registerGenerate(register);
  registerProfile(register);
  registerMeasure(register);
  registerCampaign(register);
  registerTrain(register);
  registerAdapt(register);
  registerPredict(register);
  registerSearch(register);
  registerEvaluate(register);
  registerBenchmark(register);
  registerReport(register);
  registerServe(register);
  registerDoctor(register);
}
