/**
 * One job: how far it is, what it says, stopping it and going on with it, and what it ended with.
 */
import { useEffect, useRef, useState } from "preact/hooks";
import { formatDuration } from "../../../units.js";
import type { Job, JobEvent } from "../../api/schemas.js";
import { Card } from "../parts/card.js";
import { Loading, ProblemNote } from "../parts/states.js";
import { pathPart, postResults, request } from "../shell/api.js";
import { platformChanges } from "../shell/selector.js";
import { useJob } from "../shell/use-job.js";
import { isActive, isResumable, jobTitle } from "./job-words.js";
import { JobResult } from "./onboard-result.js";
import { type Step, stepsOf } from "./onboard-steps.js";

const stateWords: Readonly<Record<Step["state"], string>> = {
  waiting: "waiting",
  now: "now",
  done: "done",
  stopped: "stopped",
  failed: "failed",
};

/** The time, each second while it is needed. */
function useNow(isNeeded: boolean): number {
  const [nowMs, setNowMs] = useState(Date.now());
  useEffect(() => {
    if (!isNeeded) return;
    const timer = setInterval(() => setNowMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isNeeded]);
  return nowMs;
}

function timeOf({ state, startedAt, endedAt }: Step, nowMs: number): string | null {
  if (startedAt === null) return null;
  if (endedAt === null && state !== "now") return null;
  const endMs = endedAt === null ? nowMs : Date.parse(endedAt);
  return formatDuration(endMs - Date.parse(startedAt));
}

function Steps({ steps, nowMs }: { readonly steps: readonly Step[]; readonly nowMs: number }) {
  return (
    <ol class="steps" aria-label="Steps">
      {steps.map((step) => {
        const time = timeOf(step, nowMs);
        return (
          <li
            key={step.name}
            data-state={step.state}
            {...(step.state === "now" && { "aria-current": "step" as const })}
          >
            <strong>{step.name}</strong>
            <div class="muted">
              {stateWords[step.state]}
              {time !== null && `, ${time}`}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

const lineOf = (event: JobEvent) => (event.type === "state" ? event.state : event.text);

/** What was said, oldest first; it follows its end unless the reader has scrolled up. */
function Log({ events }: { readonly events: readonly JobEvent[] }) {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    if (isAtEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [events.length]);
  return (
    <div
      class="log"
      ref={box}
      role="log"
      aria-label="What was done"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        isAtEnd.current = scrollTop + clientHeight >= scrollHeight - 8;
      }}
    >
      {events.map((event, i) => (
        <div key={i} class={`log-${event.type}`}>
          <time dateTime={event.at}>{event.at.slice(11, 19)}</time> {lineOf(event)}
        </div>
      ))}
    </div>
  );
}

function stateText({ state, position, nAttempts }: Job): string {
  const place = position === null ? "" : `, place ${position} in the queue`;
  return `${state}${place}${nAttempts > 1 ? `, attempt ${nAttempts}` : ""}`;
}

/** Stop it, go on with it, take it away. */
function Actions({
  job,
  restart,
  onDeleted,
}: {
  readonly job: Job;
  readonly restart: () => void;
  readonly onDeleted: () => void;
}) {
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const [isAskedToStop, setIsAskedToStop] = useState(false);
  const path = `/jobs/${pathPart(job.id)}`;

  async function act(action: () => Promise<unknown>, then: () => void): Promise<void> {
    setIsBusy(true);
    setError(null);
    try {
      await action();
      then();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setIsBusy(false);
    }
  }

  return (
    <>
      <div class="row">
        {isActive(job.state) && (
          <button
            type="button"
            disabled={isBusy}
            onClick={() =>
              void act(
                () => postResults(`${path}/cancel`),
                () => setIsAskedToStop(true),
              )
            }
          >
            {isAskedToStop ? "Stop at once" : "Cancel"}
          </button>
        )}
        {isResumable(job.state) && (
          <button
            type="button"
            class="primary"
            disabled={isBusy}
            onClick={() =>
              void act(
                () => postResults(`${path}/resume`),
                () => {
                  setIsAskedToStop(false);
                  restart();
                },
              )
            }
          >
            Resume
          </button>
        )}
        {!isActive(job.state) && (
          <button
            type="button"
            disabled={isBusy}
            onClick={() => void act(() => request(path, { method: "DELETE" }), onDeleted)}
          >
            Take off the list
          </button>
        )}
        {isAskedToStop && isActive(job.state) && (
          <span class="muted">Finishing the network in work; what was measured is kept.</span>
        )}
        {isResumable(job.state) && (
          <span class="muted">What was measured is kept; resuming goes on from there.</span>
        )}
      </div>
      {error !== null && <ProblemNote error={error} />}
    </>
  );
}

/** The job that the address names. */
export function JobView({
  id,
  onChange,
  onDeleted,
}: {
  readonly id: string;
  readonly onChange: () => void;
  readonly onDeleted: () => void;
}) {
  const { job, events, progress, isConnected, error, restart } = useJob(id, ({ state }) => {
    onChange();
    if (state === "succeeded") platformChanges.value += 1;
  });
  const isRunning = job?.state === "running";
  const nowMs = useNow(isRunning);
  if (job === null) {
    return error === null ? (
      <Loading what="the job" />
    ) : (
      <ProblemNote error={error} retry={restart} />
    );
  }
  const startMs = job.startedAt === null ? null : Date.parse(job.startedAt);
  const endMs = job.endedAt === null ? nowMs : Date.parse(job.endedAt);
  return (
    <>
      <Card title={jobTitle(job)}>
        <p role="status">
          <strong>{stateText(job)}</strong>
          {!isConnected && " (the connection is lost; trying again)"}
        </p>
        {startMs !== null && (
          <p class="muted">
            {isRunning ? "for" : "took"} {formatDuration(endMs - startMs)}
          </p>
        )}
        {job.request.kind === "onboard" && <Steps steps={stepsOf(events)} nowMs={nowMs} />}
        {isRunning && <p class="progress-line">{progress ?? " "}</p>}
        {job.error !== null && (
          <div class="problem" role="alert">
            {job.error}
          </div>
        )}
        {error !== null && <ProblemNote error={error} retry={restart} />}
        <Actions job={job} restart={restart} onDeleted={onDeleted} />
        {events.length > 0 && <Log events={events} />}
      </Card>
      <JobResult job={job} />
    </>
  );
}
