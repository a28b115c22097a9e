/**
 * A job in a component: what it is and what happens in it, as it happens.
 */
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Job, JobEvent } from "../../api/schemas.js";
import { getResult, pathPart } from "./api.js";
import { followEvents } from "./events.js";

/** What is known of a job. */
export interface FollowedJob {
  readonly job: Job | null;
  /** Those that are kept, in order. */
  readonly events: readonly JobEvent[];
  /** What is being done now, in words. */
  readonly progress: string | null;
  readonly isConnected: boolean;
  readonly error: unknown;
  /** Ask for everything again, e.g. once it was resumed. */
  readonly restart: () => void;
}

/**
 * Follow a job until it has ended.
 *
 * @param onState - called whenever its state has changed, once the job is known anew
 */
export function useJob(id: string, onState: (job: Job) => void): FollowedJob {
  const [job, setJob] = useState<Job | null>(null);
  const [events, setEvents] = useState<readonly JobEvent[]>([]);
  const [progress, setProgress] = useState<string | null>(null);
  const [isConnected, setIsConnected] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const path = `/jobs/${pathPart(id)}`;
    setEvents([]);
    setProgress(null);
    setError(null);
    const fail = (thrown: unknown) => {
      if (!signal.aborted) setError(thrown);
    };
    const load = async () => {
      const loaded = await getResult<Job>(path, signal);
      if (signal.aborted) return;
      setJob(loaded);
      onState(loaded);
    };
    load().catch(fail);
    followEvents<JobEvent>(`${path}/events`, {
      signal,
      onConnection: setIsConnected,
      onEvent(event) {
        if (event.type === "progress") {
          setProgress(event.text);
          return;
        }
        setProgress(null);
        setEvents((before) => [...before, event]);
        if (event.type === "state") load().catch(fail);
      },
    }).catch(fail);
    return () => controller.abort();
  }, [id, attempt]);

  const restart = useCallback(() => setAttempt((n) => n + 1), []);
  return { job, events, progress, isConnected, error, restart };
}
