/**
 * The dashboard's files, as Vite has written them: read once, hashed ones kept by browsers for ever.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { Hono } from "hono";

/** Addresses that the page itself knows what to show at. */
const pagePaths = [
  "/",
  "/platforms",
  "/predictor",
  "/predictor/:id",
  "/explore",
  "/budget",
  "/onboard",
  "/onboard/:job",
  "/model",
];

const mediaTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".md": "text/markdown; charset=utf-8",
};

interface StaticFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly zipped: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
}

function readFiles(folder: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const path = join(folder, name);
    if (!statSync(path).isFile()) continue;
    const bytes = new Uint8Array(readFileSync(path));
    files.set(`/${name.replaceAll("\\", "/")}`, {
      bytes,
      zipped: new Uint8Array(gzipSync(bytes)),
      mediaType: mediaTypes[extname(name)] ?? "application/octet-stream",
    });
  }
  return files;
}

const notBuilt = "The dashboard is not built: run `npm run build`.\n";

/** Routes of the page and its files. */
export function dashboardRoutes(folder: string): Hono {
  const routes = new Hono();
  const files = existsSync(join(folder, "index.html")) ? readFiles(folder) : undefined;
  const send = (name: string, isForEver: boolean, acceptsGzip: boolean) => {
    const { bytes, zipped, mediaType } = files!.get(name)!;
    return new Response(acceptsGzip ? zipped : bytes, {
      headers: {
        "content-type": mediaType,
        vary: "accept-encoding",
        "cache-control": isForEver ? "public, max-age=31536000, immutable" : "no-cache",
        ...(acceptsGzip ? { "content-encoding": "gzip" } : {}),
      },
    });
  };
  const acceptsGzip = (header: string | undefined) => /\bgzip\b/.test(header ?? "");
  for (const path of pagePaths) {
    routes.get(path, (c) =>
      files
        ? send("/index.html", false, acceptsGzip(c.req.header("accept-encoding")))
        : c.text(notBuilt, 500),
    );
  }
  for (const name of files?.keys() ?? []) {
    routes.get(name, (c) =>
      send(name, name.startsWith("/assets/"), acceptsGzip(c.req.header("accept-encoding"))),
    );
  }
  return routes;
}
