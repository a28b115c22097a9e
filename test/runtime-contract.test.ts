// Every runtime fulfils the same contract; those that cannot run here are skipped with their reason in the name.
import { runtimes } from "../src/platform/registry.js";
import { checkRuntime } from "./contract/runtime-contract.js";

process.env.SAMARA_FAKE_RUNTIME = "1";
for (const runtime of runtimes) await checkRuntime(runtime);
