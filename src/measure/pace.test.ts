import { describe, expect, test } from "vitest";
import { Pace } from "./pace.js";

describe("Pace", () => {
  test("tells nothing before ten are finished", () => {
    const pace = new Pace();
    pace.plan("a", "network", 100);
    for (let i = 0; i < 9; i += 1) pace.finish("a", "network", 5);
    expect(pace.remainingMs()).toBeNull();
    pace.finish("a", "network", 5);
    expect(pace.remainingMs()).toBe(90 * 5);
  });

  test("takes each platform and kind at its own pace", () => {
    const pace = new Pace();
    pace.plan("fast", "network", 20);
    pace.plan("slow", "network", 20);
    for (let i = 0; i < 10; i += 1) {
      pace.finish("fast", "network", 1);
      pace.finish("slow", "network", 100);
    }
    expect(pace.remainingMs()).toBe(10 * 1 + 10 * 100);
  });

  test("takes the mean for what has not been tried, and nothing for more than was planned", () => {
    const pace = new Pace();
    pace.plan("a", "network", 10);
    pace.plan("b", "operator", 4);
    for (let i = 0; i < 12; i += 1) pace.finish("a", "network", 3);
    expect(pace.remainingMs()).toBe(4 * 3);
  });
});
