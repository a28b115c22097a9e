/**
 * Documents as the service sends them: the envelope of the command line, already as bytes, so that the thread that
 * answers requests writes no JSON of thousands of numbers.
 */
import { tool } from "../../package.js";

/** Something to know of an answer, as the command line warns of it. */
export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** A JSON document as UTF-8. */
export function documentOf(
  name: string,
  results: readonly unknown[],
  context: Readonly<Record<string, unknown>> = {},
  warnings: readonly Warning[] = [],
): Uint8Array {
  const envelope = { schema: `samara/${name}/1`, tool, context, results, warnings };
  return new TextEncoder().encode(JSON.stringify(envelope));
}
