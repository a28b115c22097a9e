/**
 * What a network is called that comes from a file: by the file's name and its bytes.
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";

/** First 16 hex digits of the SHA-256 of a model file. */
export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

/** The id of the network in a model file: `file/<name>#<hash>`. */
export function fileId(path: string, bytes: Uint8Array): string {
  return `file/${basename(path)}#${hashOf(bytes)}`;
}
