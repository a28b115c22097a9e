import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../package.js";
import { type FileServer, startFileServer } from "./file-server.js";

let server: FileServer;

beforeAll(async () => {
  server = await startFileServer(
    new Map([
      ["index.html", { text: "<p>ü</p>" }],
      ["packages/samara/package.json", { file: join(packageRoot, "package.json") }],
      ["gone.js", { file: join(packageRoot, "there-is-no-such-file.js") }],
    ]),
  );
});
afterAll(() => server.close());

/** Status of a path sent as it is: `fetch` would resolve the dots itself. */
function statusOf(path: string, method = "GET"): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port: new URL(server.url).port, host: "127.0.0.1", path, method }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

describe("startFileServer()", () => {
  test("serves its files so that a page is cross-origin isolated", async () => {
    const page = await fetch(`${server.url}index.html`);
    expect(await page.text()).toBe("<p>ü</p>");
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(page.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    const file = await fetch(`${server.url}packages/samara/package.json`);
    expect(await file.json()).toMatchObject({ name: "samara-latency" });
  });

  test.each([
    "packages/samara/README.md",
    "packages/samara/../samara/package.json",
    "packages/samara/..%2f..%2fpackage.json",
    "../../../../etc/passwd",
    "",
  ])("knows no other path: %s", async (path) => {
    expect(await statusOf(`${new URL(server.url).pathname}${path}`)).toBe(404);
  });

  test("serves nothing outside its secret path, and takes nothing", async () => {
    expect(await statusOf("/index.html")).toBe(404);
    expect(await statusOf(`${new URL(server.url).pathname}index.html`, "POST")).toBe(404);
  });

  test("drops the connection when a file is gone", async () => {
    await expect(fetch(`${server.url}gone.js`)).rejects.toThrow("fetch failed");
  });

  test("gives a parcel once, as it was when it was offered", async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const path = server.offer(bytes);
    bytes.fill(9);
    const first = await fetch(server.url + path);
    expect([...new Uint8Array(await first.arrayBuffer())]).toEqual([1, 2, 3]);
    expect((await fetch(server.url + path)).status).toBe(404);
  });
});
