/**
 * A predictor folder: `predictor.json` (method, settings, features, provenance) and `weights.safetensors`.
 *
 * The folder is written beside its final place and renamed, so that a reader finds the old predictor or the new one.
 * The description holds the hash of the weights, so that halves of two saves never pass for one predictor.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { FormatError, InternalError, StorageError } from "../errors.js";
import { tool } from "../package.js";
import { platformSchema } from "../record/platform.js";
import {
  ensureFolder,
  readBytes,
  storageError,
  writeFileAtomic,
  writeJsonAtomic,
} from "./files.js";
import { readJsonAs } from "./pool.js";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./safetensors.js";

/** Version of `predictor.json` itself; each method has its own for its settings and tensors. */
const fileVersion = 1;

const accuracySchema = z.object({
  withinTenPercent: z.number(),
  mape: z.number(),
  coverage90: z.number(),
  nTest: z.number().int(),
  /** What it was tested on, in words. */
  how: z.string(),
});

/** How a method does on platforms of families that it has not learned from, adapted with a few samples. */
const cardSchema = z.object({
  /** Protocol in words, with the command that repeats it. */
  how: z.string(),
  nSamples: z.number().int(),
  nTrials: z.number().int(),
  seed: z.number().int(),
  /** Means over trials, and their standard deviation. */
  platforms: z.array(
    z.object({
      platformId: z.string(),
      family: z.string(),
      nTest: z.number().int(),
      withinTenPercent: z.number(),
      withinTenPercentSd: z.number(),
      mape: z.number(),
      spearman: z.number(),
      coverage90: z.number(),
    }),
  ),
});
/** Accuracy on platforms that were held out. */
export type AccuracyCard = Readonly<z.infer<typeof cardSchema>>;

const provenanceSchema = z.object({
  /** SHA-256 (16 hex digits) of the pool's measurements. */
  poolHash: z.string(),
  seed: z.number().int(),
  trainedFamilies: z.array(z.string()),
  heldOutFamilies: z.array(z.string()),
  /** The platform it is adapted to; null for one that only learned. */
  platform: platformSchema.nullable(),
  /** Latencies read: of the pool, or of the target when adapted. */
  nSamples: z.number().int().nonnegative(),
  accuracy: accuracySchema.nullable(),
  card: cardSchema.optional(),
});

/** Where a predictor comes from and what is known of it. */
export type PredictorProvenance = Readonly<z.infer<typeof provenanceSchema>>;

const featureSchema = z.object({ name: z.string(), unit: z.string() });

const predictorFileSchema = z.object({
  schema: z.string(),
  tool: z.object({ name: z.string(), version: z.string() }),
  createdAt: z.string(),
  method: z.string(),
  formatVersion: z.number().int().positive(),
  settings: z.record(z.string(), z.unknown()),
  features: z.array(featureSchema).default([]),
  /** SHA-256 of the tensor file. */
  weightsHash: z.string().optional(),
  tensors: z.array(z.object({ name: z.string(), shape: z.array(z.number().int().nonnegative()) })),
  provenance: provenanceSchema,
});

/** The saved form that methods give and take (see predict/predictor.ts). */
export interface StoredPredictor {
  readonly method: string;
  readonly formatVersion: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What the method reads of networks and platforms, with units. */
  readonly features?: readonly { readonly name: string; readonly unit: string }[];
}

const jsonName = "predictor.json";
const tensorsName = "weights.safetensors";
const schemaPrefix = "samara/predictor/";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** NaN and infinity would silently become null in JSON. */
function requireFinite(value: unknown, path: string): void {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new InternalError(`setting ${path} of a predictor is ${value}`);
  }
  if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) requireFinite(item, `${path}.${key}`);
  }
}

/** What is at the target goes away when the new one is complete: only a predictor may. */
function requireReplaceable(target: string): void {
  if (!existsSync(target)) return;
  if (!statSync(target).isDirectory()) {
    throw new StorageError(`cannot write predictor ${target}: it is a file`, {
      path: target,
      errno: "ENOTDIR",
      hint: "name a folder",
    });
  }
  const others = readdirSync(target).filter((name) => name !== jsonName && name !== tensorsName);
  if (others.length > 0) {
    throw new StorageError(
      `cannot write predictor ${target}: the folder holds other files (${others.slice(0, 3).join(", ")})`,
      { path: target, errno: "ENOTEMPTY", hint: "name a new folder" },
    );
  }
}

/**
 * Write a predictor folder whole; an older one of the same name is replaced.
 *
 * @throws StorageError when the path cannot be written; nothing is left behind
 */
export function writePredictor(
  folder: string,
  saved: StoredPredictor,
  provenance: Omit<PredictorProvenance, "accuracy" | "trainedFamilies" | "heldOutFamilies"> & {
    readonly trainedFamilies: readonly string[];
    readonly heldOutFamilies: readonly string[];
    readonly accuracy?: PredictorProvenance["accuracy"];
  },
): void {
  const target = resolve(folder);
  requireFinite(saved.settings, "settings");
  const weights = encodeSafetensors(saved.tensors);
  ensureFolder(dirname(target));
  requireReplaceable(target);
  let temporary: string;
  try {
    temporary = mkdtempSync(join(dirname(target), `.${basename(target)}.`));
  } catch (cause) {
    throw storageError("write predictor", folder, cause);
  }
  try {
    writeFileAtomic(join(temporary, tensorsName), weights);
    writeJsonAtomic(join(temporary, jsonName), {
      schema: `${schemaPrefix}${fileVersion}`,
      tool,
      createdAt: new Date().toISOString(),
      method: saved.method,
      formatVersion: saved.formatVersion,
      settings: saved.settings,
      features: saved.features ?? [],
      weightsHash: sha256(weights),
      tensors: [...saved.tensors].map(([name, { shape }]) => ({ name, shape })),
      provenance: { accuracy: null, ...provenance },
    });
    replaceFolder(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

function replaceFolder(from: string, to: string): void {
  const old = `${from}.old`;
  try {
    try {
      renameSync(to, old);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
    try {
      renameSync(from, to);
    } catch (error) {
      if (existsSync(old)) renameSync(old, to);
      throw error;
    }
    rmSync(old, { recursive: true, force: true });
  } catch (cause) {
    throw storageError("write predictor", to, cause);
  }
}

/**
 * Read a predictor folder.
 *
 * @throws NotFoundError when there is none; FormatError when a file is damaged, incomplete or of a newer version
 */
export function readPredictor(folder: string): {
  saved: StoredPredictor;
  provenance: PredictorProvenance;
} {
  const path = join(folder, jsonName);
  const file = readJsonAs(predictorFileSchema, path, "predictor file");
  const version = Number(file.schema.slice(schemaPrefix.length));
  if (!file.schema.startsWith(schemaPrefix) || !Number.isInteger(version)) {
    throw new FormatError(`${path} is no predictor file: its schema is "${file.schema}"`, {
      path,
      field: "schema",
    });
  }
  if (version > fileVersion) {
    throw new FormatError(
      `predictor file ${path} has version ${version}, this is samara ${tool.version}, which reads up to ${fileVersion}`,
      { path, field: "schema", hint: "install a newer samara, or train the predictor again" },
    );
  }
  const tensorsPath = join(folder, tensorsName);
  const weights = readBytes(tensorsPath, "tensor file");
  const tensors = decodeSafetensors(weights, tensorsPath);
  for (const { name, shape } of file.tensors) {
    const found = tensors.get(name)?.shape;
    if (!found || found.join() !== shape.join()) {
      throw new FormatError(
        `tensor file ${tensorsPath}: tensor "${name}" must have shape [${shape.join(", ")}], got ${found ? `[${found.join(", ")}]` : "none"}`,
        { path: tensorsPath, field: name, hint: "train the predictor again" },
      );
    }
  }
  if (file.weightsHash !== undefined && file.weightsHash !== sha256(weights)) {
    throw new FormatError(`tensor file ${tensorsPath} is not the one that ${jsonName} describes`, {
      path: tensorsPath,
      hint: "copy the whole folder again, or train or adapt again",
    });
  }
  const { method, formatVersion, settings, features, provenance } = file;
  return { saved: { method, formatVersion, settings, features, tensors }, provenance };
}
