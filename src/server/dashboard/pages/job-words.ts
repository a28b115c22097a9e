/**
 * How jobs are named.
 */
import type { Job, JobState } from "../../api/schemas.js";

/** Whether a job waits or runs. */
export const isActive = (state: JobState): boolean => state === "queued" || state === "running";

/** Whether what a job has begun can be gone on with. */
export const isResumable = (state: JobState): boolean => !isActive(state) && state !== "succeeded";

/** What a job does, in a few words. */
export function jobTitle({ request }: Pick<Job, "request">): string {
  switch (request.kind) {
    case "onboard":
      return `Onboard ${request.platform}`;
    case "measure":
      return `Measure on ${request.platform}`;
    case "campaign":
      return "Campaign";
    default:
      return request satisfies never;
  }
}
