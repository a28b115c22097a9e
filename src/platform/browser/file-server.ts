/**
 * The local web server behind a page: the few files that the page needs, and parcels of bytes for it. A page that
 * fetches 5 MB does so in 60 ms; as an argument of a call they would take 500 ms and more.
 *
 * It listens on 127.0.0.1 only, under a path that cannot be guessed, and knows exact paths only.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";

/** What is served under a path. */
export type ServedFile = { readonly file: string } | { readonly text: string };

/** A web server for one page. */
export interface FileServer {
  /** Where the paths begin; ends with a slash. */
  readonly url: string;
  /** Keep bytes until they are fetched once; gives the path to fetch. */
  offer(bytes: Uint8Array): string;
  close(): void;
}

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

/** These make a page cross-origin isolated: its clock then ticks every 5 µs, otherwise every 100. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/**
 * Start a server.
 *
 * @param files - by path, without a leading slash
 */
export async function startFileServer(files: ReadonlyMap<string, ServedFile>): Promise<FileServer> {
  const root = `/${randomBytes(16).toString("hex")}/`;
  const parcels = new Map<string, Uint8Array>();
  let nParcels = 0;

  async function contentOf(path: string): Promise<Uint8Array | string | undefined> {
    const parcel = parcels.get(path);
    if (parcel !== undefined) {
      parcels.delete(path);
      return parcel;
    }
    const served = files.get(path);
    if (served === undefined) return undefined;
    return "file" in served ? readFile(served.file) : served.text;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.startsWith(root) ? request.url.slice(root.length) : undefined;
    const content = path === undefined ? undefined : await contentOf(path);
    if (path === undefined || content === undefined || request.method !== "GET") {
      response.writeHead(404, isolation).end();
      return;
    }
    response
      .writeHead(200, {
        ...isolation,
        "Content-Type": contentTypes[extname(path)] ?? "application/octet-stream",
        "Content-Length": Buffer.byteLength(content),
      })
      .end(content);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${root}`,
    offer(bytes) {
      const path = `parcels/${nParcels++}`;
      // A copy: it is sent later, and the caller may write over it.
      parcels.set(path, bytes.slice());
      return path;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
