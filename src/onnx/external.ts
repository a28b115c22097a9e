/**
 * Data that an ONNX file keeps in other files: only files in its own folder are read, whatever the file says.
 */
import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep, win32 } from "node:path";
import { FormatError, NotFoundError, StorageError, UnsupportedError } from "../errors.js";
import type { TensorProto } from "./proto.js";

/** Where a tensor's values lie in another file. */
export interface ExternalData {
  /** As the file states it, relative to its folder. */
  readonly location: string;
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

function fieldOf(tensor: TensorProto, key: string): string | undefined {
  return tensor.externalData?.find((entry) => entry.key === key)?.value;
}

/**
 * Check what a tensor says of its external data; nothing is opened.
 *
 * @param expectedBytes - what its shape and type need
 * @throws FormatError when the location is outside the folder, or offset or length are wrong
 */
export function externalDataOf(
  tensor: TensorProto,
  expectedBytes: number,
  path: string | undefined,
): ExternalData {
  const fail = (problem: string): never => {
    const file = path ?? "the model";
    throw new FormatError(`${file}: external data of tensor "${tensor.name}" ${problem}`, {
      ...(path === undefined ? {} : { path }),
      field: "externalData",
    });
  };
  const location = fieldOf(tensor, "location") ?? fail("have no location");
  const isOutside =
    isAbsolute(location) ||
    win32.isAbsolute(location) ||
    /^[A-Za-z]:/.test(location) ||
    location.includes("\0") ||
    location.split(/[\\/]/).includes("..");
  if (location === "" || isOutside) {
    fail(`must lie in the folder of the file, got location ${JSON.stringify(location)}`);
  }
  const numberOf = (key: string, missing: number): number => {
    const text = fieldOf(tensor, key);
    if (text === undefined || text === "") return missing;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return Number.isNaN(value) ? fail(`must have an integer ${key} >= 0, got "${text}"`) : value;
  };
  const length = numberOf("length", expectedBytes);
  if (length !== expectedBytes) {
    fail(`have ${length} bytes, its shape and type need ${expectedBytes}`);
  }
  return { location, offset: numberOf("offset", 0), length };
}

/**
 * Read external data. Links are followed only to files inside the folder.
 *
 * @param path - of the ONNX file; undefined when only its bytes are known
 * @throws UnsupportedError without a path; NotFoundError, FormatError or StorageError when the data cannot be read
 */
export function readExternalData(
  { location, offset, length }: ExternalData,
  path: string | undefined,
): Uint8Array {
  if (path === undefined) {
    throw new UnsupportedError(`the model keeps data in another file, "${location}"`, {
      hint: "read it by its path, with that file beside it",
    });
  }
  let file: string;
  let descriptor: number;
  try {
    const folder = realpathSync(dirname(path));
    file = realpathSync(join(folder, location));
    const inside = relative(folder, file);
    if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
      throw new FormatError(
        `${path}: external data "${location}" must lie in the folder of the file; it is a link out of it`,
        { path, field: "externalData" },
      );
    }
    // Asked before opening: opening a pipe would wait for its writer.
    if (!statSync(file).isFile()) {
      throw new FormatError(`${path}: external data "${location}" are no file`, { path });
    }
    descriptor = openSync(file, "r");
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new NotFoundError(`${path} keeps data in "${location}", which is not beside it`, {
        cause,
      });
    }
    throw new StorageError(`external data "${location}" of ${path} cannot be read`, {
      path,
      ...(code === undefined ? {} : { errno: code }),
      cause,
    });
  }
  try {
    const stat = fstatSync(descriptor);
    if (stat.size < offset + length) {
      throw new FormatError(
        `${path}: external data "${location}" must have ${offset + length} bytes, has ${stat.size}`,
        { path, field: "externalData" },
      );
    }
    const bytes = new Uint8Array(length);
    let nRead = 0;
    while (nRead < length) {
      const n = readSync(descriptor, bytes, nRead, length - nRead, offset + nRead);
      if (n === 0) {
        throw new FormatError(`${path}: external data "${location}" shrank while read`, { path });
      }
      nRead += n;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}
