import { describe, expect, test } from "vitest";
import { secondNumber, systemWaits } from "./run-queue.js";

describe("secondNumber()", () => {
  test("reads the wait of a schedstat line, whatever follows in the buffer", () => {
    const line = Buffer.from("319329974 86042481 57\n999999");
    expect(secondNumber(line, 22)).toBe(86042481);
    expect(secondNumber(Buffer.from("0 0 1\n"), 6)).toBe(0);
  });
});

describe("systemWaits", () => {
  test.skipIf(process.platform !== "linux")("finds this thread's wait on Linux", () => {
    const reader = systemWaits.open([]);
    if (reader === null) return; // a kernel without schedstat
    const waits = new Float64Array(1);
    reader.read(waits);
    expect(reader.nThreads).toBe(1);
    expect(waits[0]).toBeGreaterThanOrEqual(0);
    reader.close();
  });

  test("knows nothing of a thread that is not there: null, not zero", () => {
    expect(systemWaits.open([2 ** 30])).toBeNull();
  });
});
