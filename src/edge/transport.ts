/**
 * The variation point for where a tool runs: here, over `ssh`, or over `adb`.
 *
 * A session is a private temporary folder on the device: files go in, a program runs in it, files come out, and closing
 * removes it. Implementations are in `transports/`.
 */
import type { DeviceFile } from "./device-file.js";
import { openAdb } from "./transports/adb.js";
import { openLocal } from "./transports/local.js";
import { openSsh } from "./transports/ssh.js";

/** What a program on the device ended with. */
export interface RemoteEnded {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A private folder on a device. Every method throws PlatformUnavailableError when the device cannot be reached. */
export interface DeviceSession {
  /** Said in errors: `here`, `user@jetson by ssh`. */
  readonly where: string;
  /** Write a file of the folder; an older one is replaced. */
  put(name: string, content: Uint8Array): Promise<void>;
  /**
   * Run a program in the folder, arguments as a list.
   *
   * @throws PlatformUnavailableError when there is no such program; TimeoutError when it took longer and was killed
   */
  run(argv: readonly string[], options: { timeoutMs: number }): Promise<RemoteEnded>;
  /** The content of a file of the folder, or undefined when there is none. */
  fetch(name: string): Promise<Uint8Array | undefined>;
  /** Remove a file of the folder, if it is there. */
  remove(name: string): Promise<void>;
  /** Remove the folder. Never throws: what is left lies in a temporary folder. */
  close(): Promise<void>;
}

/**
 * Reach a device and make a private folder there.
 *
 * @throws PlatformUnavailableError when it cannot be reached; says why and what would help
 */
export async function openDevice(device: DeviceFile): Promise<DeviceSession> {
  switch (device.via) {
    case "local":
      return openLocal(device.tool.name);
    case "ssh":
      return openSsh(device.host!, device.tool.name);
    case "adb":
      return openAdb(device.host, device.tool.name);
    default:
      return device.via satisfies never;
  }
}
