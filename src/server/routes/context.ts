/**
 * What all routes share: what they work with, how documents are answered, how bodies are taken.
 */
import { createRoute, OpenAPIHono, type z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { InputError, InputErrors } from "../../errors.js";
import { envelopeOf } from "../api/envelope.js";
import { problemSchema } from "../api/schemas.js";
import type { Kernel } from "../kernel/kernel.js";
import type { Metrics } from "../metrics.js";
import { MediaTypeError, TooLargeError } from "../refusals.js";

/** What routes work with. */
export interface RouteDeps {
  readonly kernel: Kernel;
  readonly metrics: Metrics;
}

/** Routes of one topic; a request that does not fit its schema is an input error naming every field. */
export const createRoutes = () =>
  new OpenAPIHono({
    defaultHook: (result) => {
      if (result.success) return;
      const errors = result.error.issues.map(
        ({ path, message }) =>
          new InputError(`${path.length === 0 ? "the request" : path.join(".")}: ${message}`),
      );
      throw errors.length === 1 ? errors[0]! : new InputErrors(errors);
    },
  });

/** An answer that is not good. */
export const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problemSchema } },
});

/** Answers of every route that is not good. */
export const problems = {
  400: problem("A parameter or field is wrong"),
  404: problem("There is no such thing"),
  422: problem("The body cannot be processed"),
  503: problem("Too much waits already; Retry-After says when to ask again"),
} as const;

/** A document of results as an answer. */
export const documentOf = <Schema extends z.ZodType>(description: string, result: Schema) => ({
  200: { description, content: { "application/json": { schema: envelopeOf(result) } } },
  ...problems,
});

/** A route of the interface; `operationId` is its name for generated clients. */
export const route = createRoute;

/** A document that a worker has written. */
export const sendDocument = (c: Context, bytes: Uint8Array) =>
  c.body(bytes as Uint8Array<ArrayBuffer>, 200, {
    "content-type": "application/json",
    "cache-control": "no-cache",
  }) as never;

/** A file to be saved. */
export const sendFile = (c: Context, bytes: Uint8Array, name: string, contentType: string) =>
  c.body(bytes as Uint8Array<ArrayBuffer>, 200, {
    "content-type": contentType,
    "content-disposition": `attachment; filename="${name.replaceAll(/[^A-Za-z0-9._-]/g, "_")}"`,
  }) as never;

/** Refuse bodies of other media types, and compressed ones, because nobody knows what they become. */
export function checkMediaType(c: Context, mediaTypes: readonly string[]): void {
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === undefined || !mediaTypes.includes(type)) {
    throw new MediaTypeError(
      `the body must be ${mediaTypes.join(" or ")}, got ${type ?? "no content type"}`,
    );
  }
  const encoding = c.req.header("content-encoding");
  if (encoding !== undefined && encoding !== "identity") {
    throw new MediaTypeError(`compressed bodies are not taken, got ${encoding}`, {
      hint: "send it as it is",
    });
  }
}

/** Take bodies of these media types up to a size only. They are read whole: for streams there is `checkMediaType`. */
export function takes(mediaTypes: readonly string[], maxBytes: number): MiddlewareHandler {
  const limit = bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new TooLargeError(`a body may have ${maxBytes} bytes here, this one has more`);
    },
  });
  return async (c, next) => {
    checkMediaType(c, mediaTypes);
    return limit(c, next);
  };
}
