/**
 * Routes of decisions: the best networks within a budget, and the accuracies that they are ranked by.
 */
import { z } from "@hono/zod-openapi";
import { accuracyTableSchema, searchRequestSchema, searchResponseSchema } from "../api/schemas.js";
import {
  createRoutes,
  documentOf,
  problems,
  type RouteDeps,
  route,
  sendDocument,
  takes,
} from "./context.js";

const maxRequestBytes = 64 * 1024;
const maxTableBytes = 8 * 2 ** 20;
const params = z.object({ name: z.string().min(1).max(64) });

export function searchRoutes({ kernel }: RouteDeps) {
  const routes = createRoutes();
  routes.use("/search", takes(["application/json"], maxRequestBytes));
  routes.openapi(
    route({
      method: "post",
      path: "/search",
      operationId: "search",
      summary: "The best networks within a latency budget",
      request: {
        body: { required: true, content: { "application/json": { schema: searchRequestSchema } } },
      },
      responses: documentOf("The answer", searchResponseSchema),
    }),
    async (c) => sendDocument(c, await kernel.call("search", c.req.valid("json"))),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/accuracies",
      operationId: "listAccuracies",
      summary: "Accuracy tables that networks can be ranked by",
      responses: documentOf("All tables", accuracyTableSchema),
    }),
    async (c) => sendDocument(c, await kernel.call("accuracies")),
  );
  routes.on("PUT", "/accuracies/:name", takes(["text/csv"], maxTableBytes));
  routes.openapi(
    route({
      method: "put",
      path: "/accuracies/{name}",
      operationId: "putAccuracies",
      summary: "Keep a table: CSV with a column that names networks and one of accuracies",
      request: {
        params,
        query: z.object({ column: z.string().min(1).max(200).optional() }),
        body: { required: true, content: { "text/csv": { schema: z.string() } } },
      },
      responses: documentOf("The table", accuracyTableSchema),
    }),
    async (c) => {
      const text = await c.req.text();
      return sendDocument(
        c,
        await kernel.call("putAccuracies", {
          ...c.req.valid("param"),
          ...c.req.valid("query"),
          text,
        }),
      );
    },
  );
  routes.openapi(
    route({
      method: "delete",
      path: "/accuracies/{name}",
      operationId: "deleteAccuracies",
      summary: "Take an uploaded table away",
      request: { params },
      responses: { 204: { description: "It is gone" }, ...problems },
    }),
    async (c) => {
      await kernel.call("deleteAccuracies", { name: c.req.valid("param").name });
      return c.body(null, 204);
    },
  );
  return routes;
}
