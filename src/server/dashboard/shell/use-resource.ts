/**
 * A document of the service in a component: loading, there, or failed, with a way to try again.
 */
import { useCallback, useEffect, useState } from "preact/hooks";

/** What a component knows of something that it loads. */
export interface Resource<T> {
  readonly state: "idle" | "loading" | "ready" | "failed";
  /** The last that came for this key. */
  readonly data: T | undefined;
  readonly error: unknown;
  readonly retry: () => void;
}

interface Loaded<T> {
  readonly key: string;
  readonly data?: T;
  readonly error?: unknown;
}

/**
 * Load again whenever `key` changes; null loads nothing.
 *
 * @param load - gets the key and a signal that is aborted when the answer is no longer wanted
 */
export function useResource<T>(
  key: string | null,
  load: (key: string, signal: AbortSignal) => Promise<T>,
): Resource<T> {
  const [loaded, setLoaded] = useState<Loaded<T> | null>(null);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (key === null) return;
    const controller = new AbortController();
    load(key, controller.signal).then(
      (data) => {
        if (!controller.signal.aborted) setLoaded({ key, data });
      },
      (error: unknown) => {
        if (!controller.signal.aborted) setLoaded({ key, error });
      },
    );
    return () => controller.abort();
  }, [key, attempt]);
  const retry = useCallback(() => {
    setLoaded(null);
    setAttempt((n) => n + 1);
  }, []);
  if (key === null) return { state: "idle", data: undefined, error: undefined, retry };
  if (loaded?.key !== key) return { state: "loading", data: undefined, error: undefined, retry };
  return "error" in loaded
    ? { state: "failed", data: undefined, error: loaded.error, retry }
    : { state: "ready", data: loaded.data, error: undefined, retry };
}
