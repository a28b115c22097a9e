/**
 * Reading saved predictors back: method, version, settings and tensors checked before anything is built of them.
 */
import type { z } from "zod";
import { FormatError } from "../errors.js";
import type { SavedPredictor } from "./predictor.js";

/**
 * Check method and version of a saved predictor and parse its settings.
 *
 * @throws FormatError on another method, a newer version, or settings of another form
 */
export function readSettings<Schema extends z.ZodType>(
  saved: SavedPredictor,
  expected: { readonly method: string; readonly formatVersion: number },
  schema: Schema,
): z.infer<Schema> {
  if (saved.method !== expected.method) {
    throw new FormatError(
      `predictor file is of method "${saved.method}", not "${expected.method}"`,
      { field: "method" },
    );
  }
  if (saved.formatVersion > expected.formatVersion) {
    throw new FormatError(
      `predictor file has version ${saved.formatVersion} of method "${saved.method}", this program reads up to ${expected.formatVersion}`,
      { field: "formatVersion", hint: "update samara, or train the predictor again" },
    );
  }
  const parsed = schema.safeParse(saved.settings);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new FormatError(
      `settings of predictor "${saved.method}": ${issue.path.join(".")}: ${issue.message}`,
      { field: `settings.${issue.path.join(".")}`, cause: parsed.error },
    );
  }
  return parsed.data;
}

/**
 * A tensor of a saved predictor as float64.
 *
 * @throws FormatError when it is missing, of another shape, or holds a NaN or infinity
 */
export function readTensor(
  saved: SavedPredictor,
  name: string,
  shape: readonly number[],
): Float64Array {
  const tensor = saved.tensors.get(name);
  if (tensor === undefined) {
    throw new FormatError(`predictor "${saved.method}": tensor "${name}" is missing`, {
      field: name,
    });
  }
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (tensor.shape.join() !== shape.join() || tensor.values.length !== size) {
    throw new FormatError(
      `predictor "${saved.method}": tensor "${name}" must have shape [${shape.join(", ")}], got [${tensor.shape.join(", ")}]`,
      { field: name },
    );
  }
  const values = Float64Array.from(tensor.values);
  if (!values.every(Number.isFinite)) {
    throw new FormatError(
      `predictor "${saved.method}": tensor "${name}" holds a value that is not finite`,
      { field: name, hint: "the file is damaged: train or adapt again" },
    );
  }
  return values;
}

/** A tensor of a saved predictor as float32; else as `readTensor`. */
export function readFloats(
  saved: SavedPredictor,
  name: string,
  shape: readonly number[],
): Float32Array {
  return Float32Array.from(readTensor(saved, name, shape));
}
