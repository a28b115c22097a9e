/**
 * The caches that a simulation gets: those of this machine's first processor as Linux describes them. What callgrind
 * finds by itself is wrong where a virtual machine tells another last level than it has.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Cache {
  readonly level: number;
  /** `Data`, `Instruction` or `Unified`. */
  readonly type: string;
  readonly sizeBytes: number;
  readonly ways: number;
  readonly lineBytes: number;
}

function readCache(folder: string): Cache {
  const text = (name: string) => readFileSync(join(folder, name), "utf8").trim();
  const size = /^(\d+)([KM]?)$/.exec(text("size"));
  const unit = { "": 1, K: 1024, M: 1024 ** 2 }[size?.[2] ?? ""] ?? 1;
  return {
    level: Number(text("level")),
    type: text("type"),
    sizeBytes: Number(size?.[1]) * unit,
    ways: Number(text("ways_of_associativity")),
    lineBytes: Number(text("coherency_line_size")),
  };
}

/** Whether callgrind can simulate it: lines and sets in powers of two. */
function isSimulable({ sizeBytes, ways, lineBytes }: Cache): boolean {
  const isPower = (value: number) =>
    Number.isInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
  return isPower(lineBytes) && lineBytes >= 16 && isPower(sizeBytes / (ways * lineBytes));
}

/**
 * Options of callgrind for the first and last levels; none for a cache that is not described or cannot be simulated,
 * for which callgrind then chooses.
 *
 * @param folder - of a processor's caches, as in sysfs
 */
export function simulatedCacheOptions(folder = "/sys/devices/system/cpu/cpu0/cache"): string[] {
  let caches: Cache[];
  try {
    const names = readdirSync(folder).filter((name) => name.startsWith("index"));
    caches = names.map((name) => readCache(join(folder, name))).filter(isSimulable);
  } catch {
    return [];
  }
  const last = Math.max(2, ...caches.map(({ level }) => level));
  const option = (name: string, cache: Cache | undefined): string[] =>
    cache ? [`--${name}=${cache.sizeBytes},${cache.ways},${cache.lineBytes}`] : [];
  const find = (level: number, type: string) =>
    caches.find((cache) => cache.level === level && cache.type === type);
  return [
    ...option("I1", find(1, "Instruction")),
    ...option("D1", find(1, "Data")),
    ...option("LL", find(last, "Unified")),
  ];
}
