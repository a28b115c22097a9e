/**
 * Encodings of a search space, for methods that read nothing else of a network.
 */
import { z } from "zod";
import { InputError } from "../errors.js";
import type { FeatureTable } from "../graph/features.js";

/** The search space that a method learned from, and the numbers of its encoding. Plain JSON. */
export const encodingFormSchema = z.object({
  space: z.string(),
  width: z.number().int().positive(),
});
export type EncodingForm = z.infer<typeof encodingFormSchema>;

/**
 * The form of a table's encodings.
 *
 * @param method - name of the predictor, for the message
 * @throws InputError when the networks have no encoding, or not all one of the same space
 */
export function encodingFormOf({ encoding }: FeatureTable, method: string): EncodingForm {
  if (encoding === undefined) {
    throw new InputError(`${method} learns from encodings of one search space; the pool has none`);
  }
  return { space: encoding.space, width: encoding.width };
}

/**
 * Encodings of rows of a table, (rows, width).
 *
 * @throws InputError when the table is of another search space than was learned from
 */
export function encodingsOf(
  networks: FeatureTable,
  rows: ArrayLike<number>,
  expected: EncodingForm,
  method: string,
): Float32Array {
  const { encoding } = networks;
  if (encoding?.space !== expected.space || encoding.width !== expected.width) {
    const got = encoding === undefined ? "have no encoding" : `are of "${encoding.space}"`;
    throw new InputError(
      `${method} reads encodings of the search space "${expected.space}", these networks ${got}`,
      { hint: "use the predictor operator-sum for networks outside that space" },
    );
  }
  const values = new Float32Array(rows.length * expected.width);
  for (let i = 0; i < rows.length; i++) {
    const start = rows[i]! * expected.width;
    values.set(encoding.values.subarray(start, start + expected.width), i * expected.width);
  }
  return values;
}
