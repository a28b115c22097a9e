/**
 * The service as a library.
 *
 * @packageDocumentation
 */
export type { Job, JobEvent, JobRequest, Problem } from "./api/schemas.js";
