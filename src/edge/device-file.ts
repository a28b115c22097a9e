/**
 * Device files: which tool measures on which device, and how it is reached. YAML, checked as a whole before anything
 * is connected.
 */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { FormatError, messageOf, NotFoundError } from "../errors.js";
import { createPlatform, type Device, type Platform } from "../record/platform.js";
import { edgeTools } from "./registry.js";
import type { EdgeTool, ToolSetup } from "./tool.js";

const toolNames = edgeTools.map(({ name }) => name) as [string, ...string[]];

/** A name that no program takes for an option, and no shell for anything but a word. */
const hostPattern = /^[A-Za-z0-9_][\w.@:%[\]-]*$/;

const fileSchema = z
  .strictObject({
    /** First part of the platform id. */
    device: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/, "must be of lower-case letters, digits and hyphens"),
    via: z.enum(["local", "ssh", "adb"]).default("local"),
    /** What `ssh HOST` takes, or the serial number of `adb devices`. */
    host: z
      .string()
      .regex(hostPattern, "must be a host, user@host or serial number, and not begin with a hyphen")
      .optional(),
    tool: z.enum(toolNames),
    /** Of the tool's runtime: part of the platform id. */
    version: z.string().regex(/^\w[\w.+-]*$/, 'must be a version, in quotes, such as "8.5.2"'),
    /** The executable, where it is not on the device's path. */
    path: z
      .string()
      .regex(/^[^\0\r\n-][^\0\r\n]*$/, "must be the path of an executable")
      .optional(),
    precision: z.enum(["fp32", "fp16", "int8"]).default("fp32"),
    /** Timed runs an invocation, at least. */
    runs: z.number().int().min(1).max(100_000).default(50),
    /** An invocation that takes longer is stopped and counts as failed. */
    timeoutS: z.number().positive().max(86_400).default(600),
    options: z.record(z.string(), z.unknown()).default({}),
  })
  .superRefine(({ via, host }, context) => {
    if (via === "ssh" && host === undefined) {
      context.addIssue({ code: "custom", path: ["host"], message: "is needed with via: ssh" });
    }
    if (via === "local" && host !== undefined) {
      context.addIssue({ code: "custom", path: ["host"], message: "needs via: ssh or via: adb" });
    }
  });

/** A device file, read and checked. */
export interface DeviceFile {
  readonly path: string;
  readonly platform: Platform;
  readonly via: "local" | "ssh" | "adb";
  readonly host: string | undefined;
  readonly tool: EdgeTool;
  readonly setup: ToolSetup;
  /** What to start. */
  readonly executable: string;
  readonly timeoutMs: number;
}

/** What nobody stated of a device. */
const unknownDevice: Omit<Device, "id"> = {
  cpuModel: "unknown",
  nCores: 1,
  architecture: "unknown",
  memoryBytes: 0,
  os: "unknown",
};

function readYaml(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new NotFoundError(`device file not found: ${path}`, {
      hint: "docs/your-own-device.md has complete ones",
      cause,
    });
  }
  try {
    return parseYaml(text);
  } catch (cause) {
    throw new FormatError(`device file ${path} is not YAML: ${messageOf(cause)}`, { path, cause });
  }
}

/**
 * Read a device file.
 *
 * @param runs - timed runs an invocation, instead of the file's
 * @throws NotFoundError; FormatError naming all fields that are wrong; InputError, UnsupportedError on what the tool
 *   cannot do
 */
export function readDeviceFile(path: string, runs?: number): DeviceFile {
  const result = fileSchema.safeParse(readYaml(path));
  if (!result.success) {
    const problems = result.error.issues.map(
      (issue) => `${issue.path.join(".") || "device file"}: ${issue.message}`,
    );
    throw new FormatError(`device file ${path}: ${problems.join("; ")}`, {
      path,
      field: result.error.issues[0]!.path.join("."),
      hint: problems.some((problem) => problem.startsWith("version"))
        ? edgeTools.map((tool) => `${tool.name}: ${tool.versionHint}`).join("; ")
        : "docs/your-own-device.md has complete ones",
    });
  }
  const file = result.data;
  const tool = edgeTools.find(({ name }) => name === file.tool)!;
  let setup: ToolSetup;
  try {
    setup = tool.configure({ ...file, runs: runs ?? file.runs });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`device file ${path}: ${error.message}`, {
      path,
      ...(error.field === undefined ? {} : { field: error.field }),
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
  const platform = createPlatform(
    { id: file.device, ...unknownDevice },
    {
      family: tool.family,
      name: tool.name.replaceAll("_", "-"),
      version: file.version,
      threads: setup.threads,
      settings: { ...setup.settings },
      ...(tool.removesDeadOperators ? { removesDeadOperators: true } : {}),
    },
    setup.slug,
    file.precision,
  );
  const stated = file.path ?? tool.name;
  return {
    path,
    platform,
    via: file.via,
    host: file.host,
    tool,
    setup,
    // Tools run in a folder of their own: a path with folders is relative to the device file.
    executable:
      file.via === "local" && stated.includes("/") ? resolve(dirname(path), stated) : stated,
    timeoutMs: file.timeoutS * 1000,
  };
}
