/**
 * `samara adapt`: tune a predictor to a platform with a few measured networks, or by its descriptor alone.
 */
import { dirname, join } from "node:path";
import { InputError } from "../../errors.js";
import { adaptedPredictors, userPool } from "../../store/paths.js";
import { formatDuration } from "../../units.js";
import { exitCodes } from "../exit-codes.js";
import type { Register } from "../main.js";

interface AdaptOptions {
  predictor?: string;
  platform?: string;
  measurements?: string;
  descriptor?: string;
  out?: string;
}

export function registerAdapt(register: Register): void {
  register<AdaptOptions>(
    "adapt",
    "tune a predictor to a platform with a few measured networks, or none",
    (command) =>
      command
        .option("--predictor <dir>", "predictor to adapt (default: the shipped one)")
        .option(
          "--platform <id>",
          "platform measured here: uses your pool's measurements and descriptor",
        )
        .option(
          "--measurements <file>",
          "measured latencies: a pool's .parquet, .csv or .jsonl with network,latencyMs, or what measure printed",
        )
        .option(
          "--descriptor <file>",
          "descriptor of the platform (default: your pool's, if there is one); alone: adapt without any network",
        )
        .option("-o, --out <dir>", "folder to write the adapted predictor to"),
    async ({ options, out, settings, signal, warn, warnings }) => {
      const isDescriptorAlone =
        options.platform === undefined && options.measurements === undefined;
      if (isDescriptorAlone && options.descriptor === undefined) {
        throw new InputError(
          "adapt needs --platform (measured here), --measurements FILE or --descriptor FILE",
        );
      }
      const { folderNameOf, loadFitted, shippedPredictor } = await import(
        "../../catalogue/predictors.js"
      );
      const { Pool, readDescriptor } = await import("../../store/pool.js");
      const { readMeasuredNetworks, samplesFromNetworks } = await import("../measured-file.js");
      const { writePredictor } = await import("../../store/predictors.js");
      const { importedPlatform } = await import("../imported.js");
      const { findPlatform } = await import("../../platform/registry.js");
      const fitted = await loadFitted(options.predictor ?? shippedPredictor());
      const pool = new Pool(userPool());
      const here =
        options.platform === undefined
          ? undefined
          : await findPlatform(options.platform).catch(() => undefined);
      const given =
        options.descriptor === undefined ? undefined : readDescriptor(options.descriptor);
      const wantedId = here?.platform.id ?? options.platform;
      const path = options.measurements ?? join(pool.folder, "measurements.parquet");
      const { networks, platformId, skipped } = isDescriptorAlone
        ? { networks: [], platformId: given!.platform.id, skipped: [] }
        : await readMeasuredNetworks(path, wantedId);
      if (skipped.length > 0) {
        warn("rows-left-out", `${path}: left out ${skipped.join(", ")}`);
      }
      const id = platformId ?? wantedId ?? "imported";
      const descriptor = given ?? pool.descriptor(id);
      if (descriptor !== undefined && descriptor.platform.id !== id) {
        throw new InputError(
          `the descriptor is of ${descriptor.platform.id}, the measurements of ${id}`,
          {
            hint: "profile the platform that was measured",
          },
        );
      }
      if (descriptor === undefined) {
        warn(
          "no-descriptor",
          `no descriptor of ${id}: adapting from its latencies alone`,
          here === undefined ? undefined : "profile it with `samara profile`",
        );
      }
      if (isDescriptorAlone) {
        warn(
          "no-samples",
          `no network of ${id} was measured: predicting from its descriptor alone`,
          "ten measured networks make intervals far narrower",
        );
      }
      const platform =
        descriptor?.platform ??
        here?.platform ??
        // A pool in another folder knows its platforms, too.
        [pool, new Pool(dirname(path))]
          .flatMap((one) => one.platforms())
          .find((p) => p.id === id) ??
        importedPlatform(id);
      const startMs = performance.now();
      const { samples, table } = samplesFromNetworks(networks, id, platform.runtime);
      const adapted = await fitted.predictor.adapt(
        { ...samples, platform, ...(descriptor ? { descriptor } : {}) },
        table,
        { seed: options.seed, signal },
      );
      const durationMs = performance.now() - startMs;
      const folder = options.out ?? join(adaptedPredictors(), folderNameOf(id));
      writePredictor(folder, adapted.save(), {
        ...fitted.provenance,
        seed: options.seed,
        platform,
        nSamples: networks.length,
        accuracy: null,
      });
      out.emit(
        {
          name: "adapt",
          context: settings,
          results: [
            {
              folder,
              platform: id,
              predictor: adapted.name,
              nSamples: networks.length,
              durationS: durationMs / 1000,
            },
          ],
          warnings,
        },
        [
          { title: "predictor", value: (r) => r.predictor },
          { title: "platform", value: (r) => r.platform },
          { title: "samples", value: (r) => String(r.nSamples), align: "right" },
          { title: "took", value: (r) => formatDuration(r.durationS * 1000), align: "right" },
        ],
        `\nSaved in ${folder}; predict with: samara predict --predictor ${folder} --all`,
      );
      return exitCodes.ok;
    },
  );
}
