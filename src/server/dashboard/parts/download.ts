/**
 * Files that the page saves: text that it made, or what the service answers, which a plain link could not ask for with
 * the session's token.
 */
import { request } from "../shell/api.js";

/** Browsers read the file after the click has been handled. */
const keptMs = 10_000;

function saveBlob(blob: Blob, fileName: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), keptMs);
}

/** Save text as a file. */
export function saveText(text: string, fileName: string, mediaType: string): void {
  saveBlob(new Blob([text], { type: mediaType }), fileName);
}

/**
 * Save what the service answers.
 *
 * @param path - below `/api/v1`
 * @throws ApiError when it answers no success
 */
export async function saveAnswer(
  path: string,
  fileName: string,
  init?: RequestInit,
): Promise<void> {
  saveBlob(await (await request(path, init)).blob(), fileName);
}
