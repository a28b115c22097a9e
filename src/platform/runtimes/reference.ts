/**
 * A fake runtime whose latency is known: a sum of costs over the operators and weights of the model file.
 *
 * In tests of measuring, time passes on a step clock; from end to end, runs busy-wait on the system clock. It
 * computes nothing, so outputs mean nothing, but they are the same every time. It appears among the platforms
 * only when SAMARA_FAKE_RUNTIME is 1. A graph named `fault:load-crash`, `fault:run-crash`, `fault:run-hang` or
 * `fault:run-error` does as it is called, for tests of the sampler.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { FormatError, messageOf } from "../../errors.js";
import type { RuntimeInfo } from "../../record/platform.js";
import { sizeOf, theOnlyTensor } from "../onnx-session.js";
import type { Availability, Runtime, RuntimeVariant, Session } from "../runtime.js";

/** What a run costs, ns; the variants' settings hold these. */
export interface ReferenceCosts {
  /** Once a run. */
  readonly overheadNs: number;
  /** For each operator. */
  readonly nodeNs: number;
  /** In addition for each pooling operator. */
  readonly poolNs: number;
  /** For each weight. */
  readonly weightNs: number;
}

const singleThreadCosts: ReferenceCosts = {
  overheadNs: 40_000,
  nodeNs: 2_000,
  poolNs: 6_000,
  weightNs: 0.5,
};

/** What the fake runtime reads of an ONNX file. */
interface ModelScan {
  readonly name: string;
  readonly operatorTypes: readonly string[];
  readonly nWeights: number;
  readonly inputs: readonly TensorScan[];
  readonly outputs: readonly TensorScan[];
}

interface TensorScan {
  readonly name: string;
  readonly dataType: string;
  readonly dims: readonly (number | string)[];
}

type FieldReader = (field: number, reader: BinaryReader, wireType: WireType) => boolean;

/** Read a message: `read` takes the fields it wants and returns true, others are skipped. */
function readFields(bytes: Uint8Array, read: FieldReader): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!read(field, reader, wireType)) reader.skip(wireType, field);
  }
}

/** The length-delimited fields of a message with this number. */
function fieldsOf(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  readFields(bytes, (field, reader, wireType) => {
    if (field !== wanted || wireType !== WireType.LengthDelimited) return false;
    found.push(reader.bytes());
    return true;
  });
  return found;
}

const textOf = (bytes: Uint8Array | undefined) => (bytes ? Buffer.from(bytes).toString() : "");

/** The integers of a repeated field, packed or not. */
function integersOf(bytes: Uint8Array, wanted: number): number[] {
  const values: number[] = [];
  readFields(bytes, (field, reader, wireType) => {
    if (field !== wanted) return false;
    const end = wireType === WireType.LengthDelimited ? reader.uint32() + reader.pos : reader.pos;
    do values.push(Number(reader.int64()));
    while (reader.pos < end);
    return true;
  });
  return values;
}

function scanTensor(valueInfo: Uint8Array): TensorScan {
  const tensor = fieldsOf(valueInfo, 2).flatMap((type) => fieldsOf(type, 1))[0] ?? Uint8Array.of();
  const dims = fieldsOf(tensor, 2).flatMap((shape) => fieldsOf(shape, 1));
  return {
    name: textOf(fieldsOf(valueInfo, 1)[0]),
    dataType: integersOf(tensor, 1)[0] === 1 ? "float32" : "another type",
    dims: dims.map((dim) => integersOf(dim, 1)[0] ?? textOf(fieldsOf(dim, 2)[0])),
  };
}

function scanModel(model: Uint8Array): ModelScan {
  try {
    const graph = fieldsOf(model, 7)[0];
    if (graph === undefined) throw new Error("it has no graph");
    const weights = fieldsOf(graph, 5);
    const weightNames = new Set(weights.map((tensor) => textOf(fieldsOf(tensor, 8)[0])));
    return {
      name: textOf(fieldsOf(graph, 2)[0]),
      operatorTypes: fieldsOf(graph, 1).map((node) => textOf(fieldsOf(node, 4)[0])),
      nWeights: weights.reduce((sum, tensor) => sum + sizeOf(integersOf(tensor, 1)), 0),
      inputs: fieldsOf(graph, 11)
        .map(scanTensor)
        .filter(({ name }) => !weightNames.has(name)),
      outputs: fieldsOf(graph, 12).map(scanTensor),
    };
  } catch (cause) {
    throw new FormatError(`the fake runtime cannot read the model: ${messageOf(cause)}`, { cause });
  }
}

function costOf(scan: ModelScan, costs: ReferenceCosts): number {
  const nPools = scan.operatorTypes.filter((type) => type.includes("Pool")).length;
  return (
    costs.overheadNs +
    costs.nodeNs * scan.operatorTypes.length +
    costs.poolNs * nPools +
    costs.weightNs * scan.nWeights
  );
}

function costsOf(info: RuntimeInfo): ReferenceCosts {
  const cost = (name: keyof ReferenceCosts) => Number(info.settings[name] ?? 0);
  return {
    overheadNs: cost("overheadNs"),
    nodeNs: cost("nodeNs"),
    poolNs: cost("poolNs"),
    weightNs: cost("weightNs"),
  };
}

/**
 * The latency of a model on a variant of the fake runtime, ns: what a perfect measurement would find.
 *
 * @throws FormatError when the bytes are not ONNX
 */
export function referenceLatencyNs(model: Uint8Array, info: RuntimeInfo): number {
  return costOf(scanModel(model), costsOf(info));
}

function spin(ns: number): void {
  const end = process.hrtime.bigint() + BigInt(Math.round(ns));
  while (process.hrtime.bigint() < end);
}

function loadReference(model: Uint8Array, info: RuntimeInfo, spend: (ns: number) => void): Session {
  const scan = scanModel(model);
  const input = theOnlyTensor("input", scan.inputs);
  const output = theOnlyTensor("output", scan.outputs);
  const latencyNs = costOf(scan, costsOf(info));
  const outputValues = new Float32Array(sizeOf(output.shape));
  let inputMean = 0;
  if (scan.name === "fault:load-crash") process.abort();
  return {
    inputShape: input.shape,
    outputShape: output.shape,
    setInput(values) {
      inputMean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    },
    run() {
      if (scan.name === "fault:run-crash") process.abort();
      if (scan.name === "fault:run-error") throw new Error("the model asked for an error");
      while (scan.name === "fault:run-hang");
      spend(latencyNs);
      for (let i = 0; i < outputValues.length; i++) outputValues[i] = inputMean * Math.cos(i);
    },
    output: () => outputValues.slice(),
    dispose() {},
  };
}

/**
 * A fake runtime.
 *
 * @param spend - lets time pass for a run, e.g. `(ns) => clock.advance(ns)` of a step clock; default a busy loop
 */
export function createReferenceRuntime(spend: (ns: number) => void = spin): Runtime {
  const family = "fake";
  return {
    name: family,
    family,
    slugPattern: /^fake/,
    isForTests: true,
    title: "Fake runtime of known latency",
    modelFormat: "onnx",

    async probe(): Promise<Availability> {
      if (process.env.SAMARA_FAKE_RUNTIME === "1") return { available: true, version: "1.0.0" };
      return {
        available: false,
        reason: "it computes nothing and is for tests only",
        remedy: "set SAMARA_FAKE_RUNTIME=1",
      };
    },

    variants(version: string, nCores: number): readonly RuntimeVariant[] {
      const { overheadNs, nodeNs, poolNs, weightNs } = singleThreadCosts;
      // Two threads share the work on weights, and each operator costs more to hand out.
      const twoThreads = { overheadNs, nodeNs: 1.25 * nodeNs, poolNs, weightNs: 0.6 * weightNs };
      return [
        { slug: "fake1-t1", info: { family, version, threads: 1, settings: singleThreadCosts } },
        { slug: "fake1-t2", info: { family, version, threads: 2, settings: twoThreads } },
      ]
        .filter(({ info }) => info.threads <= nCores)
        .map(({ slug, info }) => ({ slug, info: { ...info, settings: { ...info.settings } } }));
    },

    async load(model: Uint8Array, info: RuntimeInfo): Promise<Session> {
      return loadReference(model, info, spend);
    },
  };
}

/** The fake runtime that busy-waits. */
export const runtime: Runtime = createReferenceRuntime();
