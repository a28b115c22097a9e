/**
 * The envelope of every JSON document, as a schema.
 */
import { z } from "zod";

/** `{schema, tool, context, results: [result…], warnings}`. */
export const envelopeOf = <Result extends z.ZodType>(result: Result) =>
  z.object({
    schema: z.string(),
    tool: z.object({ name: z.string(), version: z.string() }),
    context: z.record(z.string(), z.unknown()),
    results: z.array(result),
    warnings: z.array(
      z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
    ),
  });
