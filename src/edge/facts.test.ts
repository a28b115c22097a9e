import { describe, expect, test } from "vitest";
import { contextSchema } from "../record/measurement.js";
import { contextFromAnswers } from "./facts.js";

const now = new Date("2026-10-01T12:00:00Z");

describe("contextFromAnswers()", () => {
  test("takes what a board says of itself", () => {
    const text = [
      "kernel=4.9.253-tegra",
      "cores=4",
      "model=NVIDIA Jetson Nano Developer Kit",
      "governor=schedutil",
      "frequency=1479000",
      "load=0.31",
      "temperatures=38500 41000 100000 ",
    ].join("\r\n");
    expect(contextSchema.parse(contextFromAnswers(text, "8.2", now))).toMatchObject({
      cpuModel: "NVIDIA Jetson Nano Developer Kit",
      nCores: 4,
      kernel: "4.9.253-tegra",
      governor: "schedutil",
      frequencyHz: 1_479_000_000,
      loadAverage: 0.31,
      temperatureC: 100,
      runtimeVersion: "8.2",
      takenAt: "2026-10-01T12:00:00.000Z",
    });
  });

  test("leaves null what is not told, and guesses nothing from errors", () => {
    const text = "kernel=\ncores=many\nsh: nproc: not found\ntemperatures=\nload=\n";
    expect(contextSchema.parse(contextFromAnswers(text, "8.2", now))).toMatchObject({
      cpuModel: "unknown",
      kernel: "unknown",
      governor: null,
      frequencyHz: null,
      loadAverage: null,
      temperatureC: null,
    });
  });
});
