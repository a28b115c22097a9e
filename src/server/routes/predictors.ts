/**
 * Routes of predictors: where they come from, how good they are, what they say of all cells.
 */
import { z } from "@hono/zod-openapi";
import { compress } from "hono/compress";
import {
  evaluationSchema,
  learningCurveSchema,
  networkColumnsSchema,
  nextSchema,
  predictorSummarySchema,
} from "../api/schemas.js";
import { createRoutes, documentOf, type RouteDeps, route, sendDocument } from "./context.js";

const params = z.object({ predictor: z.string().min(1).max(300) });

export function predictorRoutes({ kernel }: RouteDeps) {
  const routes = createRoutes();
  routes.use("/predictors/:predictor/networks", compress());
  routes.openapi(
    route({
      method: "get",
      path: "/predictors",
      operationId: "listPredictors",
      summary: "Predictors: adapted ones by their platform, the general one as `pool`",
      responses: documentOf("All predictors", predictorSummarySchema),
    }),
    async (c) => sendDocument(c, await kernel.call("predictors")),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/predictors/{predictor}",
      operationId: "getPredictor",
      summary: "A predictor's accuracy card",
      request: { params },
      responses: documentOf("The card", predictorSummarySchema),
    }),
    async (c) =>
      sendDocument(c, await kernel.call("predictor", { id: c.req.valid("param").predictor })),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/predictors/{predictor}/evaluation",
      operationId: "evaluatePredictor",
      summary: "Predictions beside the measurements of its platform's test networks",
      request: { params },
      responses: documentOf("Scores, coverage, networks", evaluationSchema),
    }),
    async (c) =>
      sendDocument(c, await kernel.call("evaluation", { id: c.req.valid("param").predictor })),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/predictors/{predictor}/learning-curve",
      operationId: "getLearningCurve",
      summary: "Scores by number of samples, learned without the platform's runtime family",
      request: {
        params,
        query: z.object({ select: z.enum(["random", "designed"]).default("random") }),
      },
      responses: documentOf("The curve", learningCurveSchema),
    }),
    async (c) =>
      sendDocument(
        c,
        await kernel.call("learningCurve", {
          id: c.req.valid("param").predictor,
          select: c.req.valid("query").select,
        }),
      ),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/predictors/{predictor}/next",
      operationId: "nextNetworks",
      summary: "Which networks to measure next",
      request: {
        params,
        query: z.object({ count: z.coerce.number().int().min(1).max(100).default(5) }),
      },
      responses: documentOf("Networks, the most telling first", nextSchema),
    }),
    async (c) =>
      sendDocument(
        c,
        await kernel.call("next", {
          id: c.req.valid("param").predictor,
          count: c.req.valid("query").count,
        }),
      ),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/predictors/{predictor}/networks",
      operationId: "listNetworks",
      summary: "All 15,625 cells of NAS-Bench-201, in columns",
      request: {
        params,
        query: z.object({
          coverage: z.coerce.number().gt(0).lt(1).default(0.9),
          accuracy: z.string().max(64).optional(),
        }),
      },
      responses: documentOf("Columns; entry i is architecture i", networkColumnsSchema),
    }),
    async (c) =>
      sendDocument(
        c,
        await kernel.call("columns", {
          id: c.req.valid("param").predictor,
          ...c.req.valid("query"),
        }),
      ),
  );
  return routes;
}
