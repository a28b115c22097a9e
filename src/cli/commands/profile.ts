/**
 * `samara profile`: run a platform's operators one by one, with counters, and write its descriptor.
 */
import { Option } from "commander";
import { InputError } from "../../errors.js";
import { counterLabel } from "../../record/counter.js";
import { userPool } from "../../store/paths.js";
import { formatMs } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import type { Register } from "../main.js";
import { integerOption } from "../settings.js";

interface ProfileOptions {
  platform?: string;
  out?: string;
  input: number;
  counters: "measured" | "simulated";
}

export function registerProfile(register: Register): void {
  register<ProfileOptions>(
    "profile",
    "measure a platform's operators and counters: its descriptor",
    (command) =>
      command
        .option("--platform <id>", "platform to profile")
        .option(
          "--input <pixels>",
          "input size of the networks to come",
          integerOption("input", 4, 4096),
          32,
        )
        .addOption(
          new Option(
            "--counters <kind>",
            "which counters: those of this machine, or simulated ones beside them (native runtimes, docs/runtimes.md)",
          )
            .choices(["measured", "simulated"])
            .default("measured"),
        )
        .option("-o, --out <file>", "descriptor file (default: descriptors/ of your pool)"),
    async (context) => {
      const { options, out, progress, signal } = context;
      if (options.platform === undefined) {
        throw new InputError("profile needs a platform", {
          hint: "name one with --platform; `samara platforms` lists them",
        });
      }
      const { findPlatforms } = await import("../platforms.js");
      const { profileInto } = await import("../measuring.js");
      const { Pool } = await import("../../store/pool.js");
      const { writeJsonAtomic } = await import("../../store/files.js");
      const [platform] = await findPlatforms([options.platform]);
      const pool = new Pool(userPool());
      const isSimulated = options.counters === "simulated";
      const { addSimulatedCounters, checkSimulation } = await import("../../measure/simulated.js");
      // Before minutes are spent on measuring.
      if (isSimulated) checkSimulation(platform!);
      const profiled = await profileInto(platform!, {
        pool,
        progress,
        signal,
        inputSize: options.input,
        resumeCommand: `samara profile --platform ${options.platform}`,
      });
      if (isSimulated) progress.update("simulate operators");
      const descriptor = isSimulated
        ? await addSimulatedCounters(profiled, platform!, { signal })
        : profiled;
      progress.clear();
      if (isSimulated) pool.writeDescriptor(descriptor);
      const path = options.out ?? pool.descriptorPath(descriptor.platform.id);
      if (options.out !== undefined) writeJsonAtomic(options.out, descriptor);
      const counterNames = [
        ...new Set(descriptor.rows.flatMap((row) => row.counters.map(counterLabel))),
      ];
      out.emit(
        {
          name: "profile",
          context: { ...context.settings, platform: descriptor.platform.id, path },
          results: descriptor.rows,
          warnings: context.warnings,
        },
        [
          { title: "operator", value: (row) => row.operator },
          { title: "latency", value: (row) => formatMs(row.latencyNs / 1e6), align: "right" },
          { title: "grade", value: (row) => row.grade },
          ...counterNames.map((name) => ({
            title: name,
            align: "right" as const,
            value: (row: (typeof descriptor.rows)[number]) =>
              row.counters
                .find((counter) => counterLabel(counter) === name)
                ?.perRun.toPrecision(3) ?? "absent",
          })),
        ],
        `\nDescriptor of ${descriptor.platform.id} saved in ${path}`,
      );
      return exitCodes.ok;
    },
  );
}
