/**
 * What machine this is: a `Device` whose id is the first part of every platform id.
 *
 * The id names what changes latency and lasts: the board where there is one, else processor, family, model and
 * the number of usable cores. Not here: what varies from hour to hour (frequency, load), see `measure/environment`.
 */
import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, release, totalmem, type } from "node:os";
import type { Device } from "../record/platform.js";

/** What the id is made of, as read from the system. */
export interface DeviceFacts {
  /** Model name as the processor gives it, e.g. `Intel(R) Xeon(R) CPU @ 2.20GHz`. */
  readonly cpuModel: string;
  /** Processor family and model of x86 (`cpu family`, `model` in /proc/cpuinfo). */
  readonly cpuFamily?: string;
  readonly cpuModelNumber?: string;
  /** Implementer and part of Arm, e.g. `0x41`, `0xd08`. */
  readonly cpuImplementer?: string;
  readonly cpuPart?: string;
  /** Board name of the device tree, e.g. `Raspberry Pi 4 Model B Rev 1.4`. */
  readonly boardModel?: string;
  /** Cores that this process may use, and cores there are. */
  readonly nUsableCores: number;
  readonly nCores: number;
}

function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
}

function boardSlug(boardModel: string): string | undefined {
  const pi = /^Raspberry Pi(?: Compute Module)? (\w+)(?: Model (\w+)( Plus)?)?/.exec(boardModel);
  if (pi) {
    const prefix = boardModel.includes("Compute Module") ? "rpi-cm" : "rpi";
    return slugOf(`${prefix}${pi[1]}${pi[2] ?? ""}${pi[3] ? "plus" : ""}`);
  }
  const jetson = /Jetson[- ](.*?)(?: Developer Kit.*| Module.*)?$/.exec(boardModel);
  if (jetson) return slugOf(`jetson-${jetson[1]}`);
  return undefined;
}

/** Cores of Arm that boards are built with; others keep their part number. Source: Arm's MIDR part numbers. */
const armParts: Readonly<Record<string, string>> = {
  "0xd03": "cortex-a53",
  "0xd05": "cortex-a55",
  "0xd07": "cortex-a57",
  "0xd08": "cortex-a72",
  "0xd09": "cortex-a73",
  "0xd0b": "cortex-a76",
  "0xd0c": "neoverse-n1",
  "0xd40": "neoverse-v1",
  "0xd49": "neoverse-n2",
  "0xd42": "cortex-a78ae",
  "0xd4f": "neoverse-v2",
};

function processorSlug(facts: DeviceFacts): string {
  const named = slugOf(
    facts.cpuModel
      .replace(/\((?:r|tm|c)\)/gi, "")
      .replace(/@.*$/, "")
      .replace(/\b(?:cpu|processor|\d+-core|with .* graphics)\b/gi, ""),
  );
  if (facts.cpuFamily !== undefined && facts.cpuModelNumber !== undefined) {
    return `${named || "x86"}-f${facts.cpuFamily}m${facts.cpuModelNumber}`;
  }
  if (facts.cpuPart !== undefined) {
    const part = facts.cpuImplementer === "0x41" ? armParts[facts.cpuPart] : undefined;
    return part ?? slugOf(`arm-${facts.cpuImplementer ?? ""}-${facts.cpuPart}`);
  }
  return named === "" || named === "unknown" ? slugOf(`cpu-${arch()}`) : named;
}

/** The id of a device, e.g. `amd-epyc-f25m17-2c`, `rpi4b`; a board shows its cores only when some are withheld. */
export function deviceIdFrom(facts: DeviceFacts): string {
  const board = facts.boardModel === undefined ? undefined : boardSlug(facts.boardModel);
  if (board !== undefined && facts.nUsableCores === facts.nCores) return board;
  return `${board ?? processorSlug(facts)}-${facts.nUsableCores}c`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // not Linux, or no such board
  }
}

function readFacts(): DeviceFacts {
  const cpuinfo = readText("/proc/cpuinfo") ?? "";
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}\\s*:\\s*(.+)$`, "m").exec(cpuinfo)?.[1]?.trim();
  const optional = (name: string, value: string | undefined) =>
    value === undefined ? {} : { [name]: value };
  const processors = cpus();
  return {
    cpuModel: field("model name") ?? processors[0]?.model.trim() ?? "",
    ...optional("cpuFamily", field("cpu family")),
    ...optional("cpuModelNumber", field("model")),
    ...optional("cpuImplementer", field("CPU implementer")),
    ...optional("cpuPart", field("CPU part")),
    ...optional("boardModel", readText("/proc/device-tree/model")?.replace(/\0/g, "").trim()),
    nUsableCores: availableParallelism(),
    nCores: processors.length || availableParallelism(),
  };
}

/** This machine. */
export function readDevice(): Device {
  const facts = readFacts();
  return {
    id: deviceIdFrom(facts),
    cpuModel: facts.cpuModel || facts.boardModel || "unknown",
    nCores: facts.nUsableCores,
    architecture: arch(),
    memoryBytes: totalmem(),
    os: `${type()} ${release()}`,
  };
}
