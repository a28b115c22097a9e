/**
 * Routes of predictions: a few networks as JSON, or any number as lines.
 */
import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { InputError } from "../../errors.js";
import { tool } from "../../package.js";
import { predictionSchema, predictRequestSchema } from "../api/schemas.js";
import type { PredictOptions } from "../kernel/predictions.js";
import { toldOf } from "../kernel/told-error.js";
import {
  checkMediaType,
  createRoutes,
  documentOf,
  type RouteDeps,
  route,
  takes,
} from "./context.js";
import { linesOf } from "./lines.js";

const maxRequestBytes = 2 * 2 ** 20;
/** Lines that are predicted at once: some milliseconds of work, some hundred kilobytes. */
const linesOfBatch = 1000;

const lineOptions = z.object({
  predictor: z.string().max(300).optional(),
  coverage: z.coerce.number().gt(0).lt(1).optional(),
  budgetMs: z.coerce.number().positive().optional(),
  confidence: z.coerce.number().gt(0.5).lt(1).optional(),
});

/** Written out, because this is what the service does most. */
const headOfPredictions = `{"schema":"samara/predictions/1","tool":${JSON.stringify(tool)},"context":`;

export function predictionRoutes({ kernel, metrics }: RouteDeps) {
  const routes = createRoutes();
  const json = takes(["application/json"], maxRequestBytes);

  async function streamPredictions(c: Context): Promise<Response> {
    const parsed = lineOptions.safeParse(c.req.query());
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new InputError(`${issue!.path.join(".")}: ${issue!.message}`);
    }
    const options: PredictOptions = parsed.data;
    const batches = linesOf(c.req.raw.body, linesOfBatch);
    let firstLine = 1;
    // The first batch is predicted before the answer begins, so that an unknown predictor is a problem with a status.
    const first = await batches.next();
    let upcoming: Promise<Uint8Array | undefined> = predict(first.value ?? []);
    await upcoming;

    async function predict(lines: readonly string[]): Promise<Uint8Array> {
      const answer = await kernel.call("predictLines", { lines, firstLine, options });
      firstLine += lines.length;
      metrics.predictions.inc(lines.length);
      return answer;
    }

    /** The answer to the next batch, undefined when there is none. */
    async function following(): Promise<Uint8Array | undefined> {
      const { value, done } = await batches.next();
      return done === true ? undefined : predict(value);
    }

    const stream = new ReadableStream<Uint8Array>({
      // Pulled only when the client has read what came before: nothing piles up on either side.
      async pull(controller) {
        try {
          for (;;) {
            const answer = await upcoming;
            if (answer === undefined) {
              controller.close();
              return;
            }
            // One batch ahead; what goes wrong there is told when it is its turn.
            upcoming = following();
            upcoming.catch(() => {});
            if (answer.length <= 1) continue;
            controller.enqueue(answer);
            return;
          }
        } catch (error) {
          const { code, message, hint } = toldOf(error);
          const line = { line: firstLine, error: { code, detail: message, hint } };
          controller.enqueue(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
          controller.close();
          await batches.return(undefined);
        }
      },
      async cancel() {
        await batches.return(undefined);
      },
    });
    return new Response(stream, {
      headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
    });
  }

  routes.on("POST", "/predictions", async (c, next) => {
    const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
    if (type === "application/x-ndjson") {
      // A stream has no size; its lines have.
      checkMediaType(c, [type]);
      return streamPredictions(c);
    }
    return json(c, next);
  });
  routes.openapi(
    route({
      method: "post",
      path: "/predictions",
      operationId: "predict",
      summary: "Predict networks; as application/x-ndjson, one a line, any number of them",
      description:
        "A line is a network as a JSON string, or an object with `network`; `predictor`, `coverage`, `budgetMs` and `confidence` are then query parameters. A line that names no network is answered by `{line, error}`.",
      request: {
        body: {
          required: true,
          content: { "application/json": { schema: predictRequestSchema } },
        },
      },
      responses: documentOf("One prediction a network, in their order", predictionSchema),
    }),
    async (c) => {
      const request = c.req.valid("json");
      const { platform, predictions, warnings } = await kernel.predict(request);
      metrics.predictions.inc(predictions.length);
      const text = `${headOfPredictions}${JSON.stringify({ platform })},"results":${JSON.stringify(predictions)},"warnings":${JSON.stringify(warnings)}}`;
      return c.body(text, 200, { "content-type": "application/json" }) as never;
    },
  );
  return routes;
}
