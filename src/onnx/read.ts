/**
 * ONNX files as operator graphs: any file whose shapes can be known. Nothing in the file is trusted.
 *
 * Shapes come from `graph/shape.ts`; where an operator has no rule there, from what the file states. Computations of
 * shapes become constants. Not here: running the network, and its weights unless they are asked for.
 */
import { readFileSync, statSync } from "node:fs";
import { FormatError, InputError, NotFoundError, StorageError } from "../errors.js";
import type { Encoding, OperatorGraph } from "../graph/graph.js";
import { Dimensions } from "./dimensions.js";
import { inferGraph } from "./infer.js";
import { Budget, type ReadLimits } from "./limits.js";
import { operatorsOfNodes } from "./nodes.js";
import { decodeModel, type GraphProto, type ModelProto } from "./proto.js";
import { dataTypeOf, maxRank } from "./tensors.js";
import { defaultOpset, encodingKey, opsetKey } from "./write.js";

/** What to know of a file beforehand, and what to read of it. */
export interface ReadOptions {
  /**
   * Sizes of dimensions that the file only names, e.g. `{ height: 224 }`; one without a name is called by its input
   * and place, `input.2`. An input's first dimension is 1 unless given.
   */
  readonly dimensions?: Readonly<Record<string, number>>;
  /** Read the values of weights too (default false: only shapes matter to a predictor). */
  readonly values?: boolean;
  /** Path of the file whose bytes are given: for errors, and to find external data beside it. */
  readonly path?: string;
  /** Most that the file may hold; see `limits.ts`. `uploadLimits` suits files of strangers. */
  readonly limits?: Partial<ReadLimits>;
}

function readModelFile(path: string, budget: Budget): Uint8Array {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw new InputError(`${path} must be a file`);
    budget.check("modelBytes", stat.size, "bytes of the file");
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof InputError || cause instanceof FormatError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new NotFoundError(`${path} does not exist`, { cause });
    }
    throw new StorageError(`${path} cannot be read`, {
      path,
      ...(code === undefined ? {} : { errno: code }),
      cause,
    });
  }
}

/** Most numbers that a search space writes a network in; there are 24 to some hundred. */
const maxEncodingValues = 4096;

function encodingOf(text: string, fail: (problem: string) => never): Encoding {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail(`metadata ${encodingKey} is no JSON`);
  }
  const { space, values } = (value ?? {}) as Partial<Encoding>;
  const isNumbers =
    Array.isArray(values) &&
    values.length <= maxEncodingValues &&
    values.every((item) => Number.isFinite(item));
  if (typeof space !== "string" || !isNumbers) {
    return fail(`metadata ${encodingKey} must have space and values`);
  }
  return { space, values };
}

function metadataOf(model: ModelProto, fail: (problem: string) => never) {
  const opsets = model.opsetImport ?? [];
  if (opsets.length === 0) fail("states no operator set (opset_import)");
  const entries = (model.metadataProps ?? []).map(({ key = "", value = "" }): [string, string] => [
    key,
    value,
  ]);
  const encoding = entries.findLast(([key]) => key === encodingKey)?.[1];
  const kept = entries.filter(([key]) => key !== encodingKey);
  for (const { domain = "", version = 0 } of opsets) {
    const isStandard = domain === "" || domain === "ai.onnx";
    const usual = isStandard ? defaultOpset : 1;
    if (version === usual) continue;
    kept.push([isStandard ? opsetKey : `${opsetKey}.${domain}`, String(version)]);
  }
  return {
    metadata: Object.fromEntries(kept),
    ...(encoding === undefined ? {} : { encoding: encodingOf(encoding, fail) }),
  };
}

function graphOf(model: ModelProto, fail: (problem: string, field?: string) => never): GraphProto {
  const { graph } = model;
  if (graph === undefined) return fail("has no graph, so it is no ONNX network", "graph");
  if ((graph.node ?? []).length === 0) return fail("has a graph without operators", "graph.node");
  if ((graph.output ?? []).length === 0) return fail("has a graph without outputs", "graph.output");
  if ((graph.sparseInitializer ?? []).length > 0) fail("has sparse weights", "sparseInitializer");
  return graph;
}

/**
 * Read an ONNX file.
 *
 * Weights are `unread` unless `options.values`; tensors small enough to decide shapes always have values. Operators
 * that compute shapes are replaced by constants. An opset other than 13 is kept as metadata `onnx.opset`.
 *
 * @param file - path or bytes
 * @throws NotFoundError, StorageError when the file cannot be read; FormatError when it is damaged or no ONNX file;
 *   ShapeError when shapes do not fit each other or what the file states; UnsupportedError for operators without
 *   known shapes; InputError when a free dimension needs a size. Messages name file and node.
 */
export function readOnnx(file: string | Uint8Array, options: ReadOptions = {}): OperatorGraph {
  const path = typeof file === "string" ? file : options.path;
  const name = path ?? "the model";
  const fail = (problem: string, field?: string): never => {
    throw new FormatError(`${name} ${problem}`, {
      ...(path === undefined ? {} : { path }),
      ...(field === undefined ? {} : { field }),
    });
  };
  const budget = new Budget(options.limits, path);
  const bytes = typeof file === "string" ? readModelFile(file, budget) : file;
  const model = decodeModel(bytes, path, budget);
  const proto = graphOf(model, fail);
  const { metadata, encoding } = metadataOf(model, fail);

  const dimensions = new Dimensions(options.dimensions ?? {});
  // Before IR version 4 initializers were listed among the inputs as well.
  const initializers = new Set((proto.initializer ?? []).map((tensor) => tensor.name ?? ""));
  const inputs = (proto.input ?? [])
    .filter((input) => !initializers.has(input.name ?? ""))
    .map((input) => {
      const { name: inputName = "", type } = input;
      if (!type?.tensorType) fail(`has an input "${inputName}" that is no tensor`, inputName);
      const dataType = dataTypeOf(type!.tensorType!.elemType, `${name}: input "${inputName}"`);
      const dims = type!.tensorType!.shape?.dim;
      if ((dims?.length ?? 0) > maxRank) {
        fail(`has an input "${inputName}" of more than ${maxRank} dimensions`, inputName);
      }
      return { name: inputName, shape: dimensions.inputShape(inputName, dims), dataType };
    });
  dimensions.check(name);
  const given = new Set([...inputs.map((input) => input.name), ...initializers]);
  if (given.has("")) fail("has an input or weights without a name", "graph");
  const { length: nGiven } = [...inputs, ...(proto.initializer ?? [])];
  if (given.size !== nGiven) fail("has two inputs or weights of one name", "graph");
  const operators = operatorsOfNodes(proto.node ?? [], given, path, budget);

  const context = { path, readsValues: options.values ?? false, dimensions, budget };
  const inferred = inferGraph(proto, inputs, operators, context);
  return {
    name: proto.name ?? "",
    inputs,
    ...inferred,
    metadata,
    ...(encoding ? { encoding } : {}),
  };
}
