/**
 * What the service counts, for Prometheus.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Upper ends of the buckets of request durations, s. */
const durationBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** Counters of one service. */
export class Metrics {
  readonly #registry = new Registry();
  readonly requestDuration = new Histogram({
    name: "samara_http_request_duration_seconds",
    help: "Duration of requests until their answer begins",
    labelNames: ["method", "route", "status"],
    buckets: durationBuckets,
    registers: [this.#registry],
  });
  readonly inFlight = new Gauge({
    name: "samara_http_requests_in_flight",
    help: "Requests without an answer yet",
    registers: [this.#registry],
  });
  readonly predictions = new Counter({
    name: "samara_predictions_total",
    help: "Networks predicted",
    registers: [this.#registry],
  });

  /** @param counts - read whenever the metrics are */
  constructor(counts: {
    readonly nWaiting: () => number;
  }) {
    collectDefaultMetrics({ register: this.#registry, prefix: "samara_" });
    new Gauge({
      name: "samara_calls_waiting",
      help: "Calls of worker threads without an answer yet",
      registers: [this.#registry],
      collect() {
        this.set(counts.nWaiting());
      },
    });
  }

  /** The exposition and its content type. */
  async exposition(): Promise<{ readonly text: string; readonly contentType: string }> {
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }
}
