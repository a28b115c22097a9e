/**
 * The service as one application: who may ask, what is counted and logged, which routes there are, how errors are told.
 *
 * Computing is up to worker threads (`kernel/`).
 */

import { join } from "node:path";
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import type { Logger } from "pino";
import { InputError, NotFoundError } from "../errors.js";
import { packageRoot, tool } from "../package.js";
import { dashboardRoutes } from "./dashboard-files.js";
import type { Kernel } from "./kernel/kernel.js";
import { Metrics } from "./metrics.js";
import { problemOf } from "./problems.js";
import { MethodError } from "./refusals.js";
import type { RouteDeps } from "./routes/context.js";
import { type JobsDeps, jobRoutes } from "./routes/jobs.js";
import { modelRoutes } from "./routes/models.js";
import { networkRoutes } from "./routes/networks.js";
import { platformRoutes } from "./routes/platforms.js";
import { predictionRoutes } from "./routes/predictions.js";
import { predictorRoutes } from "./routes/predictors.js";
import { searchRoutes } from "./routes/search.js";
import { checkOrigin, checkToken, type SecurityOptions, securityHeaders } from "./security.js";

/** What the application works with. */
export interface AppDeps {
  readonly kernel: Kernel;
  readonly security: SecurityOptions;
  readonly log: Logger;
  /** Jobs on this machine; without them their routes are not there. */
  readonly jobs?: JobsDeps;
  /** Folder of the dashboard's files; default where the build puts them. */
  readonly dashboard?: string;
  /** False while the service is stopping: it is then not ready for more. */
  readonly isReady?: () => boolean;
}

const apiPath = "/api/v1";

/** Paths of the interface as expressions, with the methods that they have. */
function methodsByPath(app: OpenAPIHono): { pattern: RegExp; method: string }[] {
  return app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ path, method }) => ({
      method,
      pattern: new RegExp(`^${path.replaceAll(/:[a-z]+/gi, "[^/]+")}$`),
    }));
}

/** Create the application. */
export function createApp(deps: AppDeps): OpenAPIHono {
  const { kernel, security, log, isReady = () => true } = deps;
  const metrics = new Metrics({ nWaiting: () => kernel.nWaiting });
  const app = new OpenAPIHono();

  app.use(async (c, next) => {
    const startedMs = performance.now();
    metrics.inFlight.inc();
    try {
      await next();
    } finally {
      metrics.inFlight.dec();
      const durationMs = performance.now() - startedMs;
      const { method } = c.req;
      const { status } = c.res;
      for (const [name, value] of Object.entries(securityHeaders)) {
        if (!c.res.headers.has(name)) c.res.headers.set(name, value);
      }
      const route = routePath(c, -1);
      metrics.requestDuration.observe(
        { method, route: status === 404 ? "none" : route, status: String(status) },
        durationMs / 1000,
      );
      log.info(
        { method, path: c.req.path, status, durationMs: Number(durationMs.toFixed(2)) },
        "request",
      );
    }
  });

  const tell = (thrown: unknown, c: Context) => {
    // The framework refuses bodies that are no JSON by itself.
    const error =
      thrown instanceof HTTPException && thrown.status < 500
        ? new InputError(`the request cannot be read: ${thrown.message}`, { cause: thrown })
        : thrown;
    const { problem, headers, isFault } = problemOf(error, c.req.method, c.req.path);
    if (isFault) log.error({ err: error, path: c.req.path }, "request failed");
    return c.body(JSON.stringify(problem), problem.status as 400, headers);
  };
  app.onError(tell);
  app.notFound((c) => {
    const allowed = known()
      .filter(({ pattern }) => pattern.test(c.req.path))
      .map(({ method }) => method);
    if (allowed.length > 0) {
      const methods = [...new Set(allowed)].join(", ");
      c.header("allow", methods);
      return tell(
        new MethodError(`${c.req.path} takes ${methods}, got ${c.req.method}`),
        c,
      ) as never;
    }
    return tell(
      new NotFoundError(`there is no ${c.req.path}`, {
        hint: "GET /openapi.json names all routes",
      }),
      c,
    ) as never;
  });

  app.use(checkOrigin(security));
  const needsToken = checkToken(security);
  for (const path of [`${apiPath}/*`, "/metrics", "/openapi.json"]) app.use(path, needsToken);

  const routeDeps: RouteDeps = { kernel, metrics };
  for (const routes of [
    platformRoutes,
    predictorRoutes,
    networkRoutes,
    predictionRoutes,
    modelRoutes,
    searchRoutes,
  ]) {
    app.route(apiPath, routes(routeDeps));
  }
  if (deps.jobs) app.route(apiPath, jobRoutes(deps.jobs));

  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", (c) => (isReady() ? c.text("ready\n") : c.text("stopping\n", 503)));
  app.get("/metrics", async (c) => {
    const { text, contentType } = await metrics.exposition();
    return c.body(text, 200, { "content-type": contentType });
  });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Samara",
      version: tool.version,
      description:
        "Latencies of neural networks on devices and runtimes. Errors are application/problem+json with the codes of docs/errors.md.",
    },
  });
  app.route("/", dashboardRoutes(deps.dashboard ?? join(packageRoot, "dist", "dashboard")));
  let paths: ReturnType<typeof methodsByPath> | undefined;
  const known = () => {
    paths ??= methodsByPath(app);
    return paths;
  };
  return app;
}
