/**
 * The service as the pages use it: paths below `/api/v1`, the token of the session, problems as errors.
 */
import type { Problem } from "../../api/schemas.js";

const tokenKey = "samara-token";

/** Move `#token=…` of the address into the session, so that it is in no history entry and no link. */
export function keepTokenOfUrl(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  sessionStorage.setItem(tokenKey, token);
  history.replaceState(null, "", location.pathname + location.search);
}

/** Whether this session has a token: then links and frames, which cannot carry it, lead nowhere. */
export const hasToken = (): boolean => sessionStorage.getItem(tokenKey) !== null;

/** What the service answered instead of a result; `problem` is null when nothing came back that it would say. */
export class ApiError extends Error {
  readonly problem: Problem | null;
  readonly hint: string | undefined;

  constructor(message: string, problem: Problem | null, hint: string | undefined) {
    super(message);
    this.problem = problem;
    this.hint = hint;
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  if (response.headers.get("content-type")?.includes("problem+json")) {
    const problem = (await response.json()) as Problem;
    return new ApiError(problem.detail, problem, problem.hint);
  }
  return new ApiError(`the service answered ${response.status}`, null, undefined);
}

/**
 * The answer of the service to a request.
 *
 * @param path - below `/api/v1`, e.g. `/platforms`
 * @throws ApiError on every answer that is no success, and when there is none
 */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const token = sessionStorage.getItem(tokenKey);
  const headers = new Headers(init.headers);
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError("the service does not answer", null, "see whether samara serve still runs");
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** `results` of the document at a path. */
export async function getResults<T>(path: string, signal?: AbortSignal): Promise<T[]> {
  const response = await request(path, signal === undefined ? {} : { signal });
  return ((await response.json()) as { results: T[] }).results;
}

/** The one result of the document at a path. */
export async function getResult<T>(path: string, signal?: AbortSignal): Promise<T> {
  const [result] = await getResults<T>(path, signal);
  if (result === undefined) throw new ApiError(`${path} has no result`, null, undefined);
  return result;
}

/** `results` of the answer to a document that is posted as JSON. */
export async function postResults<T>(
  path: string,
  body: unknown = {},
  signal?: AbortSignal,
): Promise<T[]> {
  const response = await request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal !== undefined && { signal }),
  });
  return ((await response.json()) as { results: T[] }).results;
}

/** An id as a part of a path. */
export const pathPart = encodeURIComponent;
