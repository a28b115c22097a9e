/**
 * Counters of a native runtime's operators by simulation: valgrind's callgrind runs the library outside of Node
 * (`native/simulate.cc`), all graphs in one process. Totals repeat exactly, on machines without hardware counters, too.
 *
 * What is described is one thread, the instructions of processors without AVX-512 (valgrind knows none), and an ideal
 * cache of two levels. Such readings are marked `simulated` and never mixed with a processor's own.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseCallgrind, readingsFromTotals } from "../counters/callgrind.js";
import {
  InputError,
  InterruptedError,
  MeasurementError,
  TimeoutError,
  UnsupportedError,
} from "../errors.js";
import type { OperatorGraph } from "../graph/graph.js";
import { writeOnnx } from "../onnx/write.js";
import type { CounterReading } from "../record/counter.js";
import type { RuntimeInfo } from "../record/platform.js";
import { nativeError, nativeFolder, nativeLibraryPath, settingsText } from "./native-library.js";
import type { NativeForm, Runtime } from "./runtime.js";
import { simulatedCacheOptions } from "./simulated-caches.js";

/** A graph by the name under which its counters come back. */
export interface NamedGraph {
  readonly name: string;
  readonly graph: OperatorGraph;
}

export interface SimulateOptions {
  /** Counted runs of each graph; they differ only while caches fill. Default 10. */
  readonly nRuns?: number;
  readonly signal?: AbortSignal;
  /** Default 2 minutes and 30 s a graph. */
  readonly timeoutMs?: number;
}

const simulatorPath = () => join(nativeFolder(), "samara_simulate");

const isOnPath = (program: string): boolean =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));

/**
 * How to simulate a runtime's variant.
 *
 * @throws UnsupportedError when the runtime is not native, the variant has several threads, or the simulator is missing
 */
export function simulationOf(runtime: Runtime, info: RuntimeInfo): NativeForm {
  const { native, title } = runtime;
  if (native === undefined) {
    throw new UnsupportedError(
      `counters of ${title} cannot be simulated: it runs inside Node only`,
      {
        hint: "native runtimes can (docs/runtimes.md); others are profiled without --counters simulated",
      },
    );
  }
  if (info.threads > 1) {
    throw new UnsupportedError(
      `counters are simulated on one thread only, this platform has ${info.threads}`,
      { hint: "simulate the platform with one thread (…-t1)" },
    );
  }
  const missing = !isOnPath("valgrind")
    ? "valgrind is not installed"
    : !existsSync(simulatorPath())
      ? "native/simulate.cc is not built"
      : undefined;
  if (missing !== undefined) {
    throw new UnsupportedError(`counters cannot be simulated here: ${missing}`, {
      hint: "node scripts/build-native.mjs simulate --install",
    });
  }
  return native;
}

/** What a program said and how it ended. */
interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function runProgram(program: string, args: readonly string[], options: SimulateOptions) {
  const { signal, timeoutMs } = options;
  return new Promise<Ended>((resolve, reject) => {
    const child = spawn(program, args, {
      // The same for everyone: an environment lies on the stack, where it shifts what shares a cache line.
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C", OMP_WAIT_POLICY: "passive" },
      stdio: ["ignore", "ignore", "pipe"],
      ...(signal === undefined ? {} : { signal }),
      killSignal: "SIGKILL",
    });
    let stderr = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new TimeoutError(`the simulation took longer than ${timeoutMs} ms`));
    }, timeoutMs);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", (cause) => {
      clearTimeout(timer);
      reject(
        signal?.aborted
          ? new InterruptedError("stopped while simulating counters", { cause })
          : cause,
      );
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, stderr });
    });
  });
}

function failureOf({ code, stderr }: Ended, graphs: readonly NamedGraph[], title: string): Error {
  const [, index, message] = /^samara_simulate: (\d+): (.*)$/m.exec(stderr) ?? [];
  const graph = graphs[Number(index)];
  if (message !== undefined && graph !== undefined) return nativeError(title, message, graph.name);
  const own = /^samara_simulate: (.*)$/m.exec(stderr)?.[1];
  const lastLine = stderr.trim().split("\n").at(-1) ?? "";
  return new MeasurementError(`the simulation failed (exit code ${code}): ${own ?? lastLine}`);
}

/**
 * Simulate graphs on a native runtime.
 *
 * @param graphs - names must differ
 * @returns readings per run, by the graphs' names
 * @throws UnsupportedError when the variant cannot be simulated here or the runtime cannot run a graph (named)
 */
export async function simulateCounters(
  runtime: Runtime,
  info: RuntimeInfo,
  graphs: readonly NamedGraph[],
  options: SimulateOptions = {},
): Promise<Map<string, CounterReading[]>> {
  const native = simulationOf(runtime, info);
  const { library } = native;
  const { nRuns = 10 } = options;
  if (!Number.isInteger(nRuns) || nRuns < 1) {
    throw new InputError(`nRuns must be an integer >= 1, got ${nRuns}`);
  }
  if (new Set(graphs.map(({ name }) => name)).size < graphs.length) {
    throw new InputError("two graphs to simulate have the same name");
  }
  if (graphs.length === 0) return new Map();
  const folder = mkdtempSync(join(tmpdir(), "samara-simulate-"));
  try {
    const models = graphs.map((_, i) => join(folder, `${i}.model`));
    for (const [i, { graph }] of graphs.entries()) {
      writeFileSync(models[i]!, await native.modelFor(writeOnnx(graph)));
    }
    const ended = await runProgram(
      "valgrind",
      [
        "--tool=callgrind",
        "--cache-sim=yes",
        "--instr-atstart=no",
        ...simulatedCacheOptions(),
        `--callgrind-out-file=${join(folder, "out")}`,
        simulatorPath(),
        nativeLibraryPath(library),
        settingsText(native.simulatorSettings(info.settings)),
        String(nRuns),
        ...models,
      ],
      { timeoutMs: 120_000 + 30_000 * graphs.length, ...options },
    );
    if (ended.code !== 0) throw failureOf(ended, graphs, runtime.title);
    return readDumps(folder, graphs, nRuns);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Readings of the dumps in a folder; each graph has one, triggered by its place in the list. */
function readDumps(
  folder: string,
  graphs: readonly NamedGraph[],
  nRuns: number,
): Map<string, CounterReading[]> {
  const readings = new Map<string, CounterReading[]>();
  for (const file of readdirSync(folder).filter((name) => /^out\.\d+$/.test(name))) {
    const path = join(folder, file);
    const { trigger, totals } = parseCallgrind(readFileSync(path, "utf8"), path);
    // Others are those that end a warm-up.
    const graph = /^\d+$/.test(trigger ?? "") ? graphs[Number(trigger)] : undefined;
    if (graph !== undefined) readings.set(graph.name, readingsFromTotals(totals, nRuns));
  }
  return new Map(
    graphs.map(({ name }) => {
      const found = readings.get(name);
      if (found !== undefined) return [name, found];
      throw new MeasurementError(`the simulation gave no counters for ${name}`);
    }),
  );
}
