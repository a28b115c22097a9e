/**
 * Routes of jobs: asked for, watched, stopped, resumed; and of the machine that they measure on.
 */
import { z } from "@hono/zod-openapi";
import { envelopeOf } from "../api/envelope.js";
import { jobEventSchema, jobRequestSchema, jobSchema, machineSchema } from "../api/schemas.js";
import { eventStream } from "../jobs/event-stream.js";
import type { Jobs } from "../jobs/jobs.js";
import type { MachineFacts } from "../jobs/machine.js";
import { documentOf as bytesOf } from "../kernel/document.js";
import {
  createRoutes,
  documentOf,
  problem,
  problems,
  route,
  sendDocument,
  takes,
} from "./context.js";

/** What the routes of jobs work with. */
export interface JobsDeps {
  /** @throws BusyError when another service has the jobs */
  readonly jobs: () => Jobs;
  readonly machine: MachineFacts;
}

/** 2,000 networks of 400 characters. */
const maxRequestBytes = 2 ** 20;
const params = z.object({ id: z.string().min(1).max(64) });
const conflict = { 409: problem("Its state does not allow it, or another service has the jobs") };

/** A report is of our making, but the networks that it names are not: it may run nothing and fetch nothing. */
const reportPolicy =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

const one = { ...documentOf("The job", jobSchema), ...conflict };

const lastEventId = (text: string | undefined) =>
  /^\d{1,15}$/.test(text ?? "") ? Number(text) : 0;

export function jobRoutes({ jobs, machine }: JobsDeps) {
  const routes = createRoutes();
  routes.openapi(
    route({
      method: "get",
      path: "/machine",
      operationId: "getMachine",
      summary:
        "What can run on the machine that serves, and what would disturb a measurement there",
      request: {
        query: z.object({
          /** Ask again; not while a job measures. */
          refresh: z.enum(["0", "1"]).optional(),
        }),
      },
      responses: documentOf("The machine", machineSchema),
    }),
    async (c) => {
      const facts = await machine.facts({ refresh: c.req.valid("query").refresh === "1" });
      return sendDocument(c, bytesOf("machine", [facts]));
    },
  );
  routes.on("POST", "/jobs", takes(["application/json"], maxRequestBytes));
  routes.openapi(
    route({
      method: "post",
      path: "/jobs",
      operationId: "startJob",
      summary:
        "Onboard a platform, measure networks, or run a campaign, once those before it are done",
      request: {
        body: { required: true, content: { "application/json": { schema: jobRequestSchema } } },
      },
      responses: {
        202: {
          description: "It is queued; Location says where to ask for it",
          content: { "application/json": { schema: envelopeOf(jobSchema) } },
        },
        ...problems,
        ...conflict,
      },
    }),
    async (c) => {
      const job = await jobs().add(c.req.valid("json"));
      return c.body(bytesOf("job", [job]) as Uint8Array<ArrayBuffer>, 202, {
        "content-type": "application/json",
        "cache-control": "no-cache",
        location: `/api/v1/jobs/${job.id}`,
      }) as never;
    },
  );
  routes.openapi(
    route({
      method: "get",
      path: "/jobs",
      operationId: "listJobs",
      summary: "Jobs, the newest first, without their results",
      request: {
        query: z.object({ limit: z.coerce.number().int().min(1).max(1000).default(100) }),
      },
      responses: { ...documentOf("Jobs", jobSchema), ...conflict },
    }),
    (c) => sendDocument(c, bytesOf("jobs", jobs().list(c.req.valid("query").limit))),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/jobs/{id}",
      operationId: "getJob",
      summary: "One job with its results",
      request: { params },
      responses: one,
    }),
    (c) => sendDocument(c, bytesOf("job", [jobs().get(c.req.valid("param").id)])),
  );
  routes.openapi(
    route({
      method: "delete",
      path: "/jobs/{id}",
      operationId: "deleteJob",
      summary: "Delete a job that has ended; what it has measured stays",
      request: { params },
      responses: { 204: { description: "It is gone" }, ...problems, ...conflict },
    }),
    (c) => {
      jobs().remove(c.req.valid("param").id);
      return c.body(null, 204);
    },
  );
  routes.openapi(
    route({
      method: "post",
      path: "/jobs/{id}/cancel",
      operationId: "cancelJob",
      summary: "Stop a job; what it has measured is kept. A second time ends it at once",
      request: { params },
      responses: one,
    }),
    (c) => sendDocument(c, bytesOf("job", [jobs().cancel(c.req.valid("param").id)])),
  );
  routes.openapi(
    route({
      method: "post",
      path: "/jobs/{id}/resume",
      operationId: "resumeJob",
      summary: "Queue a job again that did not succeed; it goes on from what it has measured",
      request: { params },
      responses: one,
    }),
    (c) => sendDocument(c, bytesOf("job", [jobs().resume(c.req.valid("param").id)])),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/jobs/{id}/events",
      operationId: "followJob",
      summary: "What happens in a job, as server-sent events, until it ends",
      request: {
        params,
        headers: z.object({ "last-event-id": z.string().optional() }),
        query: z.object({
          /** As Last-Event-ID, for readers that cannot set headers. */
          after: z.coerce.number().int().min(0).optional(),
        }),
      },
      responses: {
        200: {
          description: "Events; comments in between keep the connection open",
          content: { "text/event-stream": { schema: jobEventSchema } },
        },
        204: { description: "It has ended and there is nothing after that event" },
        ...problems,
        ...conflict,
      },
    }),
    (c) => {
      const after = lastEventId(c.req.header("last-event-id")) || (c.req.valid("query").after ?? 0);
      const follower = jobs().follow(c.req.valid("param").id, after);
      if (follower === undefined) return c.body(null, 204);
      return c.body(eventStream(follower), 200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
      }) as never;
    },
  );
  routes.openapi(
    route({
      method: "get",
      path: "/jobs/{id}/report",
      operationId: "getJobReport",
      summary: "The report of an onboarding",
      request: { params },
      responses: {
        200: { description: "One HTML file", content: { "text/html": { schema: z.string() } } },
        ...problems,
        ...conflict,
      },
    }),
    (c) =>
      c.body(jobs().report(c.req.valid("param").id) as Uint8Array<ArrayBuffer>, 200, {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-cache",
        "content-security-policy": reportPolicy,
      }) as never,
  );
  return routes;
}
