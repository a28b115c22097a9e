/**
 * Routes of single networks of search spaces.
 */
import { z } from "@hono/zod-openapi";
import { netronAttachmentSchema, networkDetailSchema } from "../api/schemas.js";
import {
  createRoutes,
  documentOf,
  problems,
  type RouteDeps,
  route,
  sendDocument,
  sendFile,
} from "./context.js";

const params = z.object({
  space: z.string().min(1).max(40),
  architecture: z.string().min(1).max(400),
});
const predictor = z.string().max(300).optional();

const nameOf = ({ space, architecture }: z.infer<typeof params>) => `${space}/${architecture}`;

export function networkRoutes({ kernel }: RouteDeps) {
  const routes = createRoutes();
  routes.openapi(
    route({
      method: "get",
      path: "/networks/{space}/{architecture}",
      operationId: "getNetwork",
      summary: "A network: prediction, operators with their shares of it, neighbours",
      request: {
        params,
        query: z.object({ predictor, accuracy: z.string().max(64).optional() }),
      },
      responses: documentOf("The network", networkDetailSchema),
    }),
    async (c) =>
      sendDocument(
        c,
        await kernel.call("network", {
          network: nameOf(c.req.valid("param")),
          ...c.req.valid("query"),
        }),
      ),
  );
  routes.openapi(
    route({
      method: "get",
      path: "/networks/{space}/{architecture}/model",
      operationId: "getModel",
      summary: "A network as an ONNX file",
      request: { params },
      responses: {
        200: {
          description: "The file",
          content: { "application/octet-stream": { schema: z.string() } },
        },
        ...problems,
      },
    }),
    async (c) => {
      const network = nameOf(c.req.valid("param"));
      const bytes = await kernel.call("model", { network });
      return sendFile(c, bytes, `${network.replace("/", "-")}.onnx`, "application/octet-stream");
    },
  );
  routes.openapi(
    route({
      method: "get",
      path: "/networks/{space}/{architecture}/layers",
      operationId: "getLayers",
      summary: "Predicted latency of every node, as a file that Netron shows beside the model",
      request: { params, query: z.object({ predictor }) },
      responses: {
        200: {
          description: "The attachment",
          content: { "application/json": { schema: netronAttachmentSchema } },
        },
        ...problems,
      },
    }),
    async (c) => {
      const network = nameOf(c.req.valid("param"));
      const bytes = await kernel.call("networkLayers", { network, ...c.req.valid("query") });
      return sendFile(c, bytes, `${network.replace("/", "-")}.netron.json`, "application/json");
    },
  );
  return routes;
}
