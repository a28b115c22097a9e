// Campaigns in real processes that crash and hang.
import { describe, expect, test } from "vitest";
import {
  createMemorySink,
  inLab,
  labPlatform,
  labReference,
  labSubject,
  trueLatencyMs,
} from "../../test/fake-lab.js";
import { startSampler } from "../platform/sampler.js";
import { bulkProtocol, runCampaign } from "./campaign.js";

const platform = labPlatform();
const protocol = { ...bulkProtocol, nProcesses: 1, nPairs: 4, warmupRuns: 1, nExtraProcesses: 0 };

describe("runCampaign() in real processes", () => {
  test("a crash and a hang cost the subject that caused them", { timeout: 240_000 }, async () => {
    const sink = createMemorySink();
    const faults = [labSubject(1, "fault:run-crash"), labSubject(1, "fault:run-hang")];
    const { failures, lines } = await runCampaign({
      platforms: [inLab(platform)],
      subjects: [labSubject(1), faults[0]!, labSubject(2), faults[1]!, labSubject(3)],
      reference: labReference,
      protocol,
      doneLines: [],
      sink,
      startSampler: (on, options) => startSampler(on, { ...options, commandTimeoutMs: 8000 }),
    });
    expect(lines.map(({ subjectId }) => subjectId)).toEqual(["net/1", "net/2", "net/3"]);
    expect(new Set(lines.map(({ processId }) => processId)).size).toBe(3);
    expect(failures.map(({ subjectId }) => subjectId)).toEqual(faults.map(({ id }) => id));
    expect(failures[0]!.reason).toContain('ended (SIGABRT) while loading "target"');
    expect(failures[1]!.reason).toContain("gave no answer within 8 s");
    for (const line of lines) {
      expect(Math.min(...line.wallMs)).toBeGreaterThan(
        0.9 * trueLatencyMs(labSubject(Number(line.subjectId.slice(4))), platform),
      );
    }
  });
});
