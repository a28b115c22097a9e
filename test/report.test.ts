// `samara report` on the shipped pool: one file that needs nothing else, its figures, and what it refuses.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { samara, samaraJson, Workplace } from "./command-line.js";

const platform = "amd-epyc-f26m2-2c.tflite2.9-xnnpack-t1.fp32";
const charts = ["card", "comparison", "coverage", "descriptor", "distribution", "pareto"];

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

/** Whether the optional package that draws PNGs can be loaded. */
const hasSharp = await import("sharp").then(
  () => true,
  () => false,
);

describe("samara report", { timeout: 120_000 }, () => {
  const quick = ["--platform", platform, "--no-learning-curve"];

  test("writes one self-contained page with every part and its figures", async () => {
    const [page, figures] = [place.path("report.html"), place.path("figures")];
    const { document, code } = await samaraJson(
      ...[
        "report",
        ...quick,
        "--budget",
        "1ms",
        "--budget",
        "1h",
        "-o",
        page,
        "--figures",
        figures,
      ],
    );
    expect(code).toBe(0);
    expect(document.schema).toBe("samara/report/1");
    expect(document.results[0]).toMatchObject({ file: page, platform, nTest: 100 });
    const html = readFileSync(page, "utf8");
    expect(html).not.toMatch(
      /<script|<link|<img|\b(?:src|href)=|url\((?!#)|https?:\/\/(?!www\.w3\.org)/,
    );
    for (const chart of charts) expect(html).toContain(`id="${chart}-720-title"`);
    expect(html).toContain("it was not asked for");
    for (const part of [
      "Best within a budget",
      "Fastest",
      "Platforms",
      "Context of the measurements",
    ])
      expect(html).toContain(part);
    expect(html).toContain(`samara report --platform ${platform} --budget 1ms --budget 1h`);
    expect(readdirSync(figures).sort()).toEqual(charts.map((chart) => `${chart}.svg`));
    for (const name of readdirSync(figures)) {
      const svg = readFileSync(`${figures}/${name}`, "utf8");
      expect(svg).toContain("<text");
      // Programs that draw for papers know no custom properties.
      expect(svg).not.toContain("var(");
    }
  });

  test("learns without the platform's family for the learning curve", async () => {
    const page = place.path("curve.html");
    expect((await samara("report", "--platform", platform, "-o", page)).code).toBe(0);
    const html = readFileSync(page, "utf8");
    expect(html).toContain("that has learned from no platform of the family tflite");
    expect(html).toContain('id="learning-720-title"');
  });

  test("shows accuracies of a table in place of multiply-accumulates", async () => {
    const table = place.file("acc.csv", "network,accuracy\n1462,91.5\n9374,93.25\n100,80\n");
    const page = place.path("accuracy.html");
    const { code } = await samara("report", ...quick, "--accuracy", table, "-o", page);
    expect(code).toBe(0);
    const html = readFileSync(page, "utf8");
    expect(html).toContain("accuracy (%)");
    expect(html).toContain("3 networks: NAS-Bench-201");
  });

  test("reports all wrong options at once and writes nothing", async () => {
    const page = place.path("wrong.html");
    const { code, stderr } = await samara(
      ...["report", ...quick, "-o", page, "--format", "gif", "--budget", "soon"],
      ...["--accuracy", place.path("missing.csv")],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('--format is one of svg, png, got "gif"');
    expect(stderr).toContain("--format needs --figures");
    expect(stderr).toContain('got "soon"');
    expect(stderr).toContain("missing.csv");
    expect(existsSync(page)).toBe(false);
  });

  test.skipIf(!hasSharp)(
    `draws PNGs of twice the size with text${hasSharp ? "" : " (skipped: sharp is not installed)"}`,
    async () => {
      const figures = place.path("png");
      const argv = ["report", ...quick, "-o", place.path("png.html")];
      const { code, stderr } = await samara(...argv, "--figures", figures, "--format", "png");
      if (code !== 0) {
        // No font: said, and nothing was written.
        expect(stderr).toContain("need a font");
        expect(existsSync(figures)).toBe(false);
        return;
      }
      const { default: sharp } = await import("sharp");
      const image = sharp(`${figures}/coverage.png`);
      expect((await image.metadata()).width).toBe(1440);
      // The axis name below the plot: some dark pixels in the lowest rows.
      const { height } = await image.metadata();
      const lowest = image.extract({ left: 0, top: height - 60, width: 1440, height: 60 });
      expect((await lowest.stats()).channels[0]!.min).toBeLessThan(100);
    },
  );
});
