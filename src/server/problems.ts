/**
 * The only place that knows HTTP statuses: errors as `application/problem+json` (RFC 9457), with the codes of
 * docs/errors.md.
 */
import type { Problem } from "./api/schemas.js";
import { type ToldError, toldOf } from "./kernel/told-error.js";

/** Statuses by code; what is not listed is a fault of ours. */
const statusOfCode: Readonly<Record<string, number>> = {
  input: 400,
  inputs: 400,
  format: 422,
  shape: 422,
  unsupported: 422,
  "not-found": 404,
  "not-fitted": 409,
  "platform-unavailable": 409,
  busy: 409,
  conflict: 409,
  unauthorised: 401,
  forbidden: 403,
  "method-not-allowed": 405,
  "too-large": 413,
  "media-type": 415,
  overloaded: 503,
  timeout: 504,
};

const titleOfStatus: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Token needed",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  413: "Too large",
  415: "Unsupported media type",
  422: "Cannot be processed",
  500: "Fault of the service",
  503: "Busy",
  504: "Timeout",
};

/** Seconds after which a busy service may be asked again. */
const retryAfterS = 2;

/**
 * Told before the body was read, mostly: a connection whose rest nobody reads cannot take another request.
 */
const statusesOfUnreadBodies: readonly number[] = [401, 403, 404, 405, 413, 415, 503];
const bodiless: readonly string[] = ["GET", "HEAD"];

/** What an error is told as, and whether it is a fault of ours. */
export interface Told {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
  readonly isFault: boolean;
}

const detailOf = ({ code, message, hint }: ToldError) => ({
  code,
  detail: message,
  ...(hint === undefined ? {} : { hint }),
});

/** An error as a problem document, the answer to a request of this method and path. */
export function problemOf(error: unknown, method: string, instance: string): Told {
  const told = toldOf(error);
  const status = statusOfCode[told.code] ?? 500;
  const errors =
    told.errors ?? (error as { errors?: readonly ToldError[] } | undefined)?.errors ?? [];
  const isFault = status === 500;
  return {
    isFault,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...(status === 503 ? { "retry-after": String(retryAfterS) } : {}),
      ...(statusesOfUnreadBodies.includes(status) && !bodiless.includes(method)
        ? { connection: "close" }
        : {}),
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    },
    problem: {
      type: "about:blank",
      title: titleOfStatus[status] ?? titleOfStatus[500]!,
      status,
      ...detailOf(told),
      ...(told.code === "internal"
        ? { detail: "internal error; the service's log says more" }
        : {}),
      ...(errors.length > 1 ? { errors: errors.map(detailOf) } : {}),
      instance,
    },
  };
}
