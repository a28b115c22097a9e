/**
 * Routes of platforms: what was measured on them.
 */
import { z } from "@hono/zod-openapi";
import {
  descriptorDocumentSchema,
  measurementRowSchema,
  platformDetailSchema,
  platformSummarySchema,
} from "../api/schemas.js";
import { createRoutes, documentOf, type RouteDeps, route, sendDocument } from "./context.js";

const id = z.object({ platform: z.string().min(1).max(300) });

export function platformRoutes({ kernel }: RouteDeps) {
  const routes = createRoutes();
  routes.openapi(
    route({
      method: "get",
      path: "/platforms",
      operationId: "listPlatforms",
      summary: "Platforms that something was measured on",
      responses: documentOf("All platforms", platformSummarySchema),
    }),
    async (c) => sendDocument(c, await kernel.call("platforms")),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/platforms/{platform}",
      operationId: "getPlatform",
      summary: "One platform with the circumstances of its measurements",
      request: { params: id },
      responses: documentOf("The platform", platformDetailSchema),
    }),
    async (c) =>
      sendDocument(c, await kernel.call("platform", { id: c.req.valid("param").platform })),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/platforms/{platform}/descriptor",
      operationId: "getDescriptor",
      summary: "A platform's operators, one by one, with counters",
      request: { params: id },
      responses: documentOf("The descriptor", descriptorDocumentSchema),
    }),
    async (c) =>
      sendDocument(c, await kernel.call("descriptor", { id: c.req.valid("param").platform })),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/platforms/{platform}/measurements",
      operationId: "listMeasurements",
      summary: "Measured networks of a platform",
      request: {
        params: id,
        query: z.object({ split: z.enum(["train", "test", "all"]).default("all") }),
      },
      responses: documentOf("Measurements", measurementRowSchema),
    }),
    async (c) =>
      sendDocument(
        c,
        await kernel.call("measurements", {
          id: c.req.valid("param").platform,
          split: c.req.valid("query").split,
        }),
      ),
  );
  return routes;
}
