import { describe, expect, test } from "vitest";
import { ownClock, type ProcessSummary } from "../record/measurement.js";
import { anchorOf, summarise } from "./summarise.js";

const line = (changes: Partial<ProcessSummary> = {}): ProcessSummary => ({
  schema: "samara/process-summary/1",
  platformId: "device.fake1-t1.fp32",
  kind: "network",
  subjectId: "nasbench201/1",
  modelHash: "a",
  referenceHash: "r",
  processId: "p1",
  startedAt: "2026-01-01T00:00:00.000Z",
  contextId: "c",
  runsPerBlock: 1,
  warmupRuns: 5,
  steady: true,
  ratios: [2, 2, 2],
  wallMs: [4, 4, 4],
  waitShares: [0, 0, 0],
  cleanReferenceMs: [2, 2, 2, 2],
  referenceMs: 2,
  counters: [],
  ...changes,
});

const processes = (ratios: number[]) =>
  ratios.map((ratio, i) => line({ processId: `p${i}`, ratios: [ratio, ratio, ratio] }));

describe("anchorOf()", () => {
  test("is the median over processes of their undisturbed reference latencies", () => {
    const anchor = anchorOf([
      line({ processId: "p1", cleanReferenceMs: [1, 1, 1] }),
      line({ processId: "p2", cleanReferenceMs: [2, 2, 9] }),
      line({ processId: "p3", cleanReferenceMs: [4, 4, 4] }),
    ]);
    expect(anchor).toMatchObject({ latencyMs: 2, nCleanProcesses: 3, clean: true });
  });

  test("falls back to corrected latencies, marked unclean, without a quiet window", () => {
    const anchor = anchorOf([line({ cleanReferenceMs: [2, 2], referenceMs: 3 })]);
    expect(anchor).toMatchObject({ latencyMs: 3, nCleanProcesses: 0, clean: false });
  });

  test("counts a process once, however many subjects it timed", () => {
    const anchor = anchorOf([
      line({ processId: "p1", subjectId: "a", cleanReferenceMs: [1, 1, 1] }),
      line({ processId: "p1", subjectId: "b", cleanReferenceMs: [1, 1, 1] }),
      line({ processId: "p2", cleanReferenceMs: [3, 3, 3] }),
    ]);
    expect(anchor.latencyMs).toBe(2);
  });
});

describe("summarise()", () => {
  test("takes lines of an own clock as milliseconds, grades them C at best and says why", () => {
    const lines = processes([1.5, 1.51, 1.49]).map((one) => ({
      ...one,
      referenceHash: ownClock,
      referenceMs: 1,
      cleanReferenceMs: [],
      waitShares: [],
      steady: false,
    }));
    const [measurement] = summarise(lines);
    expect(measurement?.latencyMs).toBeCloseTo(1.5, 10);
    expect(measurement).toMatchObject({
      grade: "C",
      reasons: [
        "timed by the tool's own clock, without a reference: a disturbed device would not show",
      ],
    });
    const [wild] = summarise(lines.map((one, i) => ({ ...one, ratios: [1 + i] })));
    expect(wild?.grade).toBe("X");
  });

  test("multiplies the median ratio over processes by the anchor", () => {
    const [measurement] = summarise(processes([1.5, 3, 2]));
    expect(measurement?.latencyMs).toBeCloseTo(4, 10);
    expect(measurement).toMatchObject({ nProcesses: 3, nRuns: 9 });
  });

  test("narrows the interval with more processes that agree", () => {
    const width = (n: number) => {
      const [m] = summarise(processes(new Array(n).fill(2)));
      return Math.log(m!.upperMs / m!.lowerMs);
    };
    expect(width(5)).toBeLessThan(width(3));
    expect(width(3)).toBeLessThan(width(2));
  });

  test("widens the interval and lowers the grade when processes disagree", () => {
    const [calm] = summarise(processes([2, 2, 2, 2, 2]));
    const [wild] = summarise(processes([2, 3, 1.4, 2.6, 1.6]));
    expect(calm!.grade).toBe("A");
    expect(wild!.grade).toBe("X");
    expect(wild!.upperMs / wild!.lowerMs).toBeGreaterThan(calm!.upperMs / calm!.lowerMs);
  });

  test("takes the spread that is expected of one process from subjects of the same kind", () => {
    const of = (kind: "network" | "operator", factor: number) =>
      Array.from({ length: 10 }, (_, i) =>
        processes([2, 2 * factor]).map((one) => ({ ...one, kind, subjectId: `${kind}/${i}` })),
      ).flat();
    const lines = [...of("network", 1.01), ...of("operator", 1.5)];
    const alone = [...lines, { ...line(), subjectId: "network/alone" }];
    const half = ({ lowerMs, upperMs }: { lowerMs: number; upperMs: number }) =>
      Math.log(upperMs / lowerMs) / 2;
    const found = summarise(alone).find(({ subjectId }) => subjectId === "network/alone")!;
    const operator = summarise(alone).find(({ subjectId }) => subjectId === "operator/0")!;
    expect(half(found)).toBeLessThan(0.03);
    expect(half(operator)).toBeGreaterThan(0.2);
  });

  test("grades at best C, with the reason, without a quiet window for the reference", () => {
    const lines = processes([2, 2, 2]).map((l) => ({ ...l, cleanReferenceMs: [] }));
    const [measurement] = summarise(lines);
    expect(measurement!.grade).toBe("C");
    expect(measurement!.reasons.join()).toContain("no quiet window");
  });

  test("keeps platforms, references and model files apart", () => {
    const measurements = summarise([
      line(),
      line({ platformId: "device.fake1-t2.fp32" }),
      line({ referenceHash: "other" }),
      line({ modelHash: "b" }),
    ]);
    expect(measurements).toHaveLength(4);
  });

  test("starts from the platform's own spread when it has shown one", () => {
    const subject = (i: number, ratios: number[]) =>
      processes(ratios).map((l) => ({ ...l, subjectId: `nasbench201/${i}` }));
    const quiet = Array.from({ length: 10 }, (_, i) => subject(i, [2, 2.002, 1.998])).flat();
    const [among] = summarise(quiet);
    const [alone] = summarise(subject(0, [2, 2.002, 1.998]));
    expect(Math.log(among!.upperMs / among!.lowerMs)).toBeLessThan(
      Math.log(alone!.upperMs / alone!.lowerMs),
    );
  });
});
