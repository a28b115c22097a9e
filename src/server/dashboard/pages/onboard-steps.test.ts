import { describe, expect, test } from "vitest";
import type { JobEvent, JobState } from "../../api/schemas.js";
import { lastAttempt, stepsOf } from "./onboard-steps.js";

const time = (second: number) => `2026-11-26T10:00:${String(second).padStart(2, "0")}Z`;
const state = (second: number, value: JobState): JobEvent => ({
  type: "state",
  state: value,
  at: time(second),
});
const note = (second: number, text: string): JobEvent => ({ type: "note", text, at: time(second) });
const statesOf = (events: readonly JobEvent[]) => stepsOf(events).map((step) => step.state);

const begun = [state(0, "queued"), state(1, "running"), note(2, "platform    some.platform")];
const measured = [
  ...begun,
  note(31, "profiled    26 operators in 30 s"),
  note(47, "measured    10 networks, 0.185 ms to 1.86 ms, in 16 s"),
];
const predicted = [...measured, note(48, "predicted   15625 networks, 25.7 µs to 3.61 ms")];

describe("stepsOf()", () => {
  test("waits while the job waits", () => {
    expect(statesOf([state(0, "queued")])).toEqual(Array(5).fill("waiting"));
  });

  test("goes on with each line that ends a step", () => {
    expect(statesOf(begun)).toEqual(["now", "waiting", "waiting", "waiting", "waiting"]);
    expect(statesOf(measured)).toEqual(["done", "done", "now", "waiting", "waiting"]);
    expect(statesOf(predicted)).toEqual(["done", "done", "done", "done", "now"]);
    expect(statesOf([...predicted, state(60, "succeeded")])).toEqual(Array(5).fill("done"));
  });

  test("says when a step began and ended, where that was told", () => {
    const [profile, measure, adapt, predict, verify] = stepsOf(predicted);
    expect(profile).toMatchObject({ startedAt: time(1), endedAt: time(31) });
    expect(measure).toMatchObject({ startedAt: time(31), endedAt: time(47) });
    expect(adapt).toMatchObject({ startedAt: time(47), endedAt: null });
    expect(predict).toMatchObject({ startedAt: null, endedAt: null });
    expect(verify).toMatchObject({ startedAt: time(48), endedAt: null });
  });

  test("marks the step at which it failed or was stopped", () => {
    expect(statesOf([...begun, state(9, "failed")])[0]).toBe("failed");
    expect(statesOf([...measured, state(47, "cancelled")])[2]).toBe("stopped");
    expect(statesOf([...predicted, state(50, "interrupted")])[4]).toBe("stopped");
  });

  test("begins anew when the job is resumed", () => {
    const resumed = [...predicted, state(50, "cancelled"), state(51, "queued")];
    expect(statesOf(resumed)).toEqual(Array(5).fill("waiting"));
    expect(statesOf([...resumed, state(52, "running")])[0]).toBe("now");
    expect(lastAttempt(resumed)).toEqual([state(51, "queued")]);
  });

  test("does not wait for a job that never ran", () => {
    expect(statesOf([state(0, "queued"), state(1, "cancelled")])).toEqual(Array(5).fill("waiting"));
  });
});
