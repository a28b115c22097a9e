/**
 * All commands, in the order in which help lists them.
 */
import type { Register } from "../main.js";
import { registerCampaign } from "./campaign.js";
import { registerDoctor } from "./doctor.js";
import { registerGenerate } from "./generate.js";
import { registerMeasure } from "./measure.js";
import { registerPlatforms } from "./platforms.js";
import { registerProfile } from "./profile.js";

export function registerCommands(register: Register): void {
  registerPlatforms(register);
  registerGenerate(register);
  registerProfile(register);
  registerMeasure(register);
  registerCampaign(register);
  registerDoctor(register);
}
