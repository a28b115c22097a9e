/**
 * `samara profile`: run a platform's operators one by one, with counters, and write its descriptor.
 */
import { InputError } from "../../errors.js";
import { formatMs } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import type { Register } from "../main.js";
import { userPool } from "../paths.js";
import { integerOption } from "../settings.js";

interface ProfileOptions {
  platform?: string;
  out?: string;
  input: number;
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
      const descriptor = await profileInto(platform!, {
        pool,
        progress,
        signal,
        inputSize: options.input,
        resumeCommand: `samara profile --platform ${options.platform}`,
      });
      const path = options.out ?? pool.descriptorPath(descriptor.platform.id);
      if (options.out !== undefined) writeJsonAtomic(options.out, descriptor);
      const counterNames = [
        ...new Set(descriptor.rows.flatMap((row) => row.counters.map(({ name }) => name))),
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
              row.counters.find((counter) => counter.name === name)?.perRun.toPrecision(3) ??
              "absent",
          })),
        ],
        `\nDescriptor of ${descriptor.platform.id} saved in ${path}`,
      );
      return exitCodes.ok;
    },
  );
}
