import { describe, expect, test } from "vitest";
import { sampleReport } from "../../test/onboarding-report.js";
import { onboardingReportSchema } from "../record/onboarding.js";
import { renderOnboardingReport } from "./report.js";
import { html } from "./report-html.js";

const report = sampleReport();
const page = renderOnboardingReport(report);
/** What a reader sees: no style sheet, no drawing, no tags. */
const textOf = (text: string) =>
  text
    .replaceAll(/<(style|svg)[\s\S]*?<\/\1>/g, "")
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll(/\s+/g, " ");

describe("renderOnboardingReport()", () => {
  test("gives the same page for the same report", () => {
    onboardingReportSchema.parse(report);
    expect(renderOnboardingReport(sampleReport())).toBe(page);
  });

  test("begins with the verdict and its binomial interval", () => {
    expect(textOf(page)).toMatch(/27 of 30 predicted latencies are within ±10 %/);
    expect(textOf(page)).toContain("95 % binomial interval 74 % to 98 %");
    expect(page.indexOf("27 of 30")).toBeLessThan(page.indexOf("<svg"));
  });

  test("asks for nothing: no request, no script, no font, and says so to the browser", () => {
    expect(page).toContain("default-src 'none'");
    expect(page.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(
      /https?:|\/\/[a-z]/,
    );
    expect(page).not.toMatch(
      /<script|<link|<img|<image|<iframe|@import|@font-face|url\((?!#)| on\w+=/,
    );
  });

  test("shows no NaN, no null, no undefined", () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined/);
    expect(textOf(page)).not.toMatch(/\bnull\b/);
  });

  test("has unique ids", () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("closes every element it opens", () => {
    const empty = new Set(["meta", "wbr", "br"]);
    const open: string[] = [];
    const body = page.replaceAll(/<style[\s\S]*?<\/style>/g, "");
    for (const [, slash, name, selfClosing] of body.matchAll(
      /<(\/?)([a-zA-Z][\w]*)[^>]*?(\/?)>/g,
    )) {
      if (empty.has(name!) || selfClosing) continue;
      if (slash) expect(open.pop()).toBe(name);
      else open.push(name!);
    }
    expect(open).toEqual([]);
  });

  test("escapes whatever was read from a machine or a file", () => {
    const hostile = `<script>alert("x")</script><img src=x onerror='y'>&amp;`;
    const compared = report.compared.map((network) => ({ ...network, id: hostile, arch: hostile }));
    const changed = renderOnboardingReport({
      ...report,
      tool: { name: hostile, version: hostile },
      createdAt: hostile,
      result: {
        ...report.result,
        platform: hostile,
        predictor: hostile,
        heldOutFamilies: [hostile],
      },
      compared,
      fastest: report.fastest.map((network) => ({ ...network, id: hostile, arch: hostile })),
      descriptor: {
        ...report.descriptor!,
        platform: { ...report.descriptor!.platform, id: hostile },
        rows: report.descriptor!.rows.map((row) => ({
          ...row,
          operator: hostile,
          counters: [{ name: hostile, source: "software", perRun: 1, runningShare: 1 }],
        })),
      },
      context: { ...report.context, cpuModel: hostile, kernel: hostile, governor: hostile },
      settings: { [hostile]: hostile },
      findings: [hostile],
    });
    expect(changed).not.toMatch(/<script|<img/);
    expect(changed).toContain("&lt;script&gt;");
    expect(changed).toContain("&amp;amp;");
  });

  test("says when the family was seen in training", () => {
    const seen = renderOnboardingReport({
      ...report,
      result: { ...report.result, familySeenInTraining: true },
    });
    expect(textOf(seen)).toContain("has learned from platforms of this runtime family");
    expect(textOf(page)).toContain("has learned from no platform of this runtime family");
  });

  test("tells apart what missed, what was not measured and what is not usable", () => {
    expect(textOf(page)).toContain("not measured");
    const compared = report.compared.map((network, i) =>
      i === 12 ? { ...network, grade: "X" as const } : network,
    );
    expect(textOf(renderOnboardingReport({ ...report, compared }))).toContain("not usable");
  });

  test("holds up where nothing could be measured, ranked or described", () => {
    const { descriptor: _, ...rest } = report;
    const bare = renderOnboardingReport({
      ...rest,
      result: {
        ...report.result,
        mape: Number.NaN,
        spearman: null,
        coverage90: Number.NaN,
        intervalWidth: Number.NaN,
      },
      compared: report.compared.map((network) => ({
        ...network,
        measuredMs: null,
        measuredLowerMs: null,
        measuredUpperMs: null,
        grade: "X",
      })),
      findings: [],
    });
    expect(bare).not.toMatch(/NaN|Infinity|undefined/);
    expect(textOf(bare)).toContain("adapted without a descriptor");
  });
});

describe("html``", () => {
  test("escapes text and keeps HTML", () => {
    expect(html`<p>${"a < b"} ${html`<b>${'"'}</b>`} ${[1, "&"]}</p>`.text).toBe(
      "<p>a &lt; b <b>&quot;</b> 1&amp;</p>",
    );
  });
});
