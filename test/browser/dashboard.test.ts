// The dashboard's pages and what one does on them, on the shipped pool, in Chromium. Needs the build.
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeOnnx } from "../../src/onnx/write.js";
import { cellFromIndex } from "../../src/space/nasbench201/cell.js";
import { networkFromCell } from "../../src/space/nasbench201/network.js";
import { Lab, reasonWithoutBrowser } from "./harness.js";

const reason = await reasonWithoutBrowser();
const skipped = reason === undefined ? "" : `: skipped, ${reason}`;
const platform = "amd-epyc-f26m2-2c.ort1.30-cpu-all-t1.fp32";
const other = "amd-epyc-f26m2-2c.onednn2.6-avx2-t1.fp32";

describe.skipIf(reason !== undefined)(`the dashboard${skipped}`, () => {
  const lab = new Lab();
  beforeAll(() => lab.start());
  afterAll(() => lab.stop());

  describe.each([
    ["platforms", `/platforms?platform=${platform}&with=${other}`, "Second over first"],
    ["predictor", `/predictor/${platform}`, "Accuracy by number of samples"],
    ["explore", `/explore?platform=${platform}&network=1462`, "Neighbours: one operation changed"],
    ["budget", `/budget?platform=${platform}&budget=0.5`, "Given up for certainty"],
    ["onboard", "/onboard", "What would disturb a measurement now"],
    ["model", "/model", "An ONNX network"],
  ])("%s", (name, path, text) => {
    test.each([
      [1280, "light"],
      [390, "dark"],
    ] as const)("is sound at %i pixels, %s", async (width, colorScheme) => {
      const page = await lab.open(path, { viewport: { width, height: 960 }, colorScheme });
      const words = page.getByText(text).first();
      const chart = page.getByRole("img", { name: text }).first();
      await words.or(chart).first().waitFor();
      await lab.expectSound(page);
      await lab.expectLooksAs(page, `${name}-${width}`);
      await page.close();
    });
  });

  test("platforms: filter, choose, compare", async () => {
    const page = await lab.open("/");
    await page.getByRole("status").filter({ hasText: "26 of 26 platforms" }).waitFor();
    await page.getByRole("searchbox").fill("onednn");
    await page.getByRole("status").filter({ hasText: "3 of 26" }).waitFor();
    await page.getByRole("button", { name: other }).click();
    await page.getByRole("heading", { name: other }).waitFor();
    await page.getByLabel("Second").selectOption(platform);
    await page.getByText("Rank correlation").waitFor();
    expect(page.url()).toContain(`with=${platform}`);
    await lab.expectSound(page);
    await page.close();
  });

  test("explore: find a network, walk to a neighbour, upload accuracies", async () => {
    const page = await lab.open(`/explore?platform=${platform}`);
    await page.getByText("multiply-accumulates stand in").waitFor();
    await page.getByLabel("Network, by index").fill("1462");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("img", { name: /^Cell: nor_conv_1x1 from input to 2/ }).waitFor();
    await page.getByRole("button", { name: "0→3: nor_conv_3x3 becomes none" }).click();
    await page.getByRole("img", { name: /^Cell: nor_conv_1x1 from input to 2/ }).waitFor();
    expect(page.url()).not.toContain("network=1462");
    await page.getByLabel("Network, by index").fill("nonsense");
    await page.getByRole("button", { name: "Show" }).click();
    await page.getByRole("alert").waitFor();
    const table = "network,accuracy\n1462,70\n9410,65\n15624,60\n";
    await page.getByLabel("Accuracies of your own").setInputFiles({
      name: "mine.csv",
      mimeType: "text/csv",
      buffer: Buffer.from(table),
    });
    await page.getByText("3 networks of NAS-Bench-201").waitFor();
    await lab.expectSound(page);
    await page.close();
  });

  test("explore: an area of the chart becomes a table, and the chart shows it closer", async () => {
    const page = await lab.open(`/explore?platform=${platform}&accuracy=none`);
    await page.getByRole("button", { name: "Select an area" }).click();
    const canvas = (await page.locator("canvas").first().boundingBox())!;
    await page.mouse.move(canvas.x + 120, canvas.y + 60);
    await page.mouse.down();
    await page.mouse.move(canvas.x + canvas.width - 60, canvas.y + canvas.height - 90, {
      steps: 4,
    });
    await page.mouse.up();
    await page.getByText(/networks selected/).waitFor();
    await page.getByRole("button", { name: "Save them as CSV" }).waitFor();
    await page.getByRole("button", { name: "Look closer" }).click();
    await page.getByRole("button", { name: "Show all" }).click();
    await page.getByRole("button", { name: "Clear the selection" }).click();
    expect(await page.getByText(/networks selected/).count()).toBe(0);
    await lab.expectSound(page);
    await page.close();
  });

  test("explore: the pointer names the nearest network, a click chooses it, buttons walk along the front", async () => {
    const page = await lab.open(`/explore?platform=${platform}&accuracy=none`);
    await page.getByRole("button", { name: "Better on the front" }).click();
    await page.waitForURL(/network=\d+/);
    const numberOf = () => Number(new URL(page.url()).searchParams.get("network"));
    const fastest = numberOf();
    await page.getByRole("button", { name: "Better on the front" }).click();
    await page.waitForURL((url) => Number(url.searchParams.get("network")) !== fastest);
    await page.getByRole("button", { name: "Faster on the front" }).click();
    await page.waitForURL((url) => Number(url.searchParams.get("network")) === fastest);
    expect(await page.getByRole("button", { name: "Faster on the front" }).isDisabled()).toBe(true);

    const canvas = page.locator(".chart-box").first();
    const { width, height } = (await canvas.boundingBox())!;
    const pointed = page.getByText(/^nasbench201\/\d+: .* ms \(/);
    for (let across = 0.3; across < 0.8 && (await pointed.count()) === 0; across += 0.04) {
      await canvas.hover({ position: { x: width * across, y: height * 0.5 } });
    }
    const words = (await pointed.textContent())!;
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForURL((url) => url.searchParams.get("network") !== String(fastest));
    expect(words).toContain(`nasbench201/${numberOf()}:`);
    await lab.expectSound(page);
    await page.close();
  });

  test("budget: the keyboard moves it, and the winner is the service's", async () => {
    const page = await lab.open(`/budget?platform=${platform}&accuracy=none&budget=0.5`);
    const slider = page.getByRole("slider", { name: "Budget" });
    await slider.focus();
    const before = await slider.inputValue();
    for (let i = 0; i < 30; i++) await page.keyboard.press("ArrowLeft");
    expect(Number(await slider.inputValue())).toBe(Number(before) - 30);
    await page.waitForURL((url) => Number(url.searchParams.get("budget")) < 0.5);
    const budgetMs = Number(new URL(page.url()).searchParams.get("budget"));
    const response = await page.request.post(new URL("/api/v1/search", page.url()).href, {
      data: { predictor: platform, budgetMs, confidence: 0.9 },
    });
    const [answer] = (await response.json()).results;
    await page.getByText(answer.winner.id, { exact: true }).first().waitFor();
    await page.getByLabel("Budget in ms").fill("0.001");
    await page.keyboard.press("Enter");
    await page.getByText("No network is within").waitFor();
    await lab.expectSound(page);
    await page.close();
  });

  test("drop a file: latencies on every platform, or what is unknown, or what is wrong", async () => {
    const page = await lab.open("/model");
    const choose = (name: string, bytes: Uint8Array) =>
      page.getByLabel("Drop it here").setInputFiles({
        name,
        mimeType: "application/octet-stream",
        buffer: Buffer.from(bytes),
      });
    await choose("mine.onnx", writeOnnx(networkFromCell(cellFromIndex(1462))));
    await page.getByRole("table", { name: /Predicted latency of mine.onnx/ }).waitFor();
    expect(await page.getByRole("cell", { name: "known", exact: true }).count()).toBe(26);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: `layer on ${platform}` }).click();
    const saved = join(tmpdir(), `samara-layers-${process.pid}.json`);
    await (await download).saveAs(saved);
    expect(JSON.parse(readFileSync(saved, "utf8")).signature).toBe("netron:attachment");
    rmSync(saved);
    const larger = writeOnnx(networkFromCell(cellFromIndex(1462), { inputSize: 64 }));
    await choose("larger.onnx", larger);
    await page.getByText("outside the known range: the figures below are guesses").waitFor();
    await page.getByRole("table", { name: "Operators outside the known range" }).waitFor();
    await choose("broken.onnx", larger.subarray(0, 1000));
    await page.getByRole("alert").filter({ hasText: "Cannot be processed" }).waitFor();
    await page.close();
  });

  test("onboard: start it, watch its steps, stop it, go on, see the report", {
    timeout: 180_000,
  }, async () => {
    const page = await lab.open("/onboard");
    await page.getByLabel("Platform of this machine").selectOption({ label: "fake1-t1.fp32" });
    await page.getByLabel("Samples").fill("5");
    await page.getByRole("button", { name: "Start onboarding" }).click();
    await page.waitForURL(/\/onboard\/[^/]+$/);
    const steps = page.getByRole("list", { name: "Steps" });
    await steps.getByText(/^now/).waitFor();
    await lab.expectSound(page);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("status").filter({ hasText: "cancelled" }).waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("status").filter({ hasText: "succeeded" }).waitFor({ timeout: 120_000 });
    await page.getByRole("heading", { name: "How good it is" }).waitFor();
    expect(await steps.getByText(/^done/).count()).toBe(5);
    const report = page.frameLocator("iframe[title=Report]");
    await report.getByRole("heading", { level: 1 }).waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save it" }).click();
    expect((await download).suggestedFilename()).toMatch(/^samara-report-.*\.html$/);
    await lab.expectSound(page);
    await page.setViewportSize({ width: 390, height: 960 });
    await page.emulateMedia({ colorScheme: "dark" });
    await lab.expectSound(page);
    // The platform is known from now on.
    await page.getByRole("link", { name: "Explore all networks" }).click();
    await page.locator("canvas").first().waitFor();
    await page.close();
  });
});

describe.skipIf(reason !== undefined)(`the dashboard where a token is needed${skipped}`, () => {
  const token = "0123456789abcdef0123456789abcdef";
  const lab = new Lab({ token });
  beforeAll(() => lab.start());
  afterAll(() => lab.stop());

  test("it is taken out of the address, and files can be saved", async () => {
    const page = await lab.open(`/explore?platform=${platform}&network=1462#token=${token}`);
    const link = page.getByRole("button", { name: "ONNX model" });
    await link.waitFor();
    expect(page.url()).not.toContain(token);
    const download = page.waitForEvent("download");
    await link.click();
    expect((await download).suggestedFilename()).toBe("nasbench201-1462.onnx");
    await lab.expectSound(page);
    await page.close();
  });

  test("without it a page says what is missing", async () => {
    const page = await lab.open("/platforms");
    await page.getByRole("alert").filter({ hasText: "token" }).first().waitFor();
    await page.close();
  });
});
