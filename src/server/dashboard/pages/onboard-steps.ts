/**
 * How far an onboarding is, read from the events of its job.
 */
import type { JobEvent } from "../../api/schemas.js";

/** In the order in which they are done. */
export const stepNames = ["profile", "measure", "adapt", "predict", "verify"] as const;
export type StepName = (typeof stepNames)[number];

/** A step; times are those of the service, ISO. */
export interface Step {
  readonly name: StepName;
  readonly state: "waiting" | "now" | "done" | "stopped" | "failed";
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** Lines that say that a step has ended, and how many steps are done then. Adapting and predicting take an instant. */
const milestones: readonly { readonly line: RegExp; readonly nDone: number }[] = [
  { line: /^profiled\s/, nDone: 1 },
  { line: /^measured\s/, nDone: 2 },
  { line: /^predicted\s/, nDone: 4 },
];

/** Events since the job was started last; those before are of attempts that were stopped. */
export function lastAttempt(events: readonly JobEvent[]): readonly JobEvent[] {
  const start = events.findLastIndex((event) => event.type === "state" && event.state === "queued");
  return start < 0 ? events : events.slice(start);
}

/** The five steps as the events of the last attempt tell them. */
export function stepsOf(events: readonly JobEvent[]): Step[] {
  let nDone = 0;
  let isRunning = false;
  let end: "stopped" | "failed" | undefined;
  const startedAt: (string | null)[] = stepNames.map(() => null);
  const endedAt: (string | null)[] = stepNames.map(() => null);
  const advance = (to: number, at: string) => {
    // Of steps that ended together only the first and last moment are known.
    if (to === nDone + 1) endedAt[nDone] = at;
    nDone = to;
    if (nDone < stepNames.length) startedAt[nDone] = at;
  };
  for (const event of lastAttempt(events)) {
    if (event.type === "note") {
      const found = milestones.find(({ line }) => line.test(event.text));
      if (found !== undefined && found.nDone > nDone) advance(found.nDone, event.at);
    }
    if (event.type !== "state") continue;
    switch (event.state) {
      case "queued":
        break;
      case "running":
        isRunning = true;
        startedAt[0] = event.at;
        break;
      case "succeeded":
        advance(stepNames.length, event.at);
        break;
      case "failed":
        end = "failed";
        break;
      case "cancelled":
      case "interrupted":
        end = "stopped";
        break;
      default:
        event.state satisfies never;
    }
  }
  return stepNames.map((name, i) => ({
    name,
    state: i < nDone ? "done" : i > nDone || !isRunning ? "waiting" : (end ?? "now"),
    startedAt: startedAt[i]!,
    endedAt: endedAt[i]!,
  }));
}
