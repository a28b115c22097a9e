/**
 * Routes for model files: an ONNX file in, its latency on every platform out.
 */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { InputError } from "../../errors.js";
import { modelPredictionsSchema, netronAttachmentSchema } from "../api/schemas.js";
import { OverloadedError } from "../kernel/kernel.js";
import {
  createRoutes,
  documentOf,
  problems,
  type RouteDeps,
  route,
  sendDocument,
  sendFile,
  takes,
} from "./context.js";

const mediaTypes = ["application/octet-stream", "application/x-onnx", "application/onnx"];
/** Of a file with its weights in it. */
const maxModelBytes = 64 * 2 ** 20;
/** Uploads in memory at once. */
const mostUploads = 4;

const body = {
  required: true,
  description: "The bytes of an ONNX file, at most 64 MiB",
  content: { "application/octet-stream": { schema: z.string() } },
} as const;

export function modelRoutes({ kernel }: RouteDeps) {
  const routes = createRoutes();
  let nUploads = 0;

  async function withUpload<T>(c: Context, work: (bytes: Uint8Array) => Promise<T>): Promise<T> {
    if (nUploads >= mostUploads) {
      throw new OverloadedError(
        `${nUploads} model files are being read, which is as many as it takes`,
        {
          hint: "try again in a few seconds",
        },
      );
    }
    nUploads += 1;
    try {
      const bytes = new Uint8Array(await c.req.arrayBuffer());
      if (bytes.length === 0) throw new InputError("the body must hold an ONNX file, it is empty");
      return await work(bytes);
    } finally {
      nUploads -= 1;
    }
  }

  routes.use("/models", takes(mediaTypes, maxModelBytes));
  routes.use("/models/layers", takes(mediaTypes, maxModelBytes));
  routes.openapi(
    route({
      method: "post",
      path: "/models",
      operationId: "predictModel",
      summary: "Predict an ONNX file on every platform, or on those named",
      request: {
        body,
        query: z.object({
          name: z.string().max(200).default("model.onnx"),
          predictor: z.union([z.string(), z.array(z.string())]).optional(),
        }),
      },
      responses: documentOf("The network and its latencies", modelPredictionsSchema),
    }),
    async (c) => {
      const { name, predictor } = c.req.valid("query");
      const predictors = predictor === undefined ? undefined : [predictor].flat();
      return withUpload(c, async (bytes) =>
        sendDocument(
          c,
          await kernel.call("models", { bytes, name, predictors }, [bytes.buffer as ArrayBuffer]),
        ),
      );
    },
  );
  routes.openapi(
    route({
      method: "post",
      path: "/models/layers",
      operationId: "predictModelLayers",
      summary: "Predicted latency of every node of an ONNX file, for Netron",
      request: {
        body,
        query: z.object({
          name: z.string().max(200).default("model.onnx"),
          predictor: z.string().optional(),
        }),
      },
      responses: {
        200: {
          description: "The attachment",
          content: { "application/json": { schema: netronAttachmentSchema } },
        },
        ...problems,
      },
    }),
    async (c) => {
      const { name, predictor } = c.req.valid("query");
      return withUpload(c, async (bytes) =>
        sendFile(
          c,
          await kernel.call("modelLayers", { bytes, predictor }, [bytes.buffer as ArrayBuffer]),
          `${name.replace(/\.onnx$/i, "")}.netron.json`,
          "application/json",
        ),
      );
    },
  );
  return routes;
}
