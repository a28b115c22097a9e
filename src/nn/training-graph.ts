/**
 * The training step as an ONNX graph: K steps of forward, backward and Adam inside one `Loop`.
 *
 * Parameters are one flat vector with two flat states; rows are gathered from resident data by a permutation;
 * per-step factors come as vectors, so any schedule is free. Losses are scan outputs. See docs/architecture.md.
 */
import type { GraphProto } from "../onnx/proto.js";
import { castNode, constant, modelBytes, node, type Precision, valueInfo } from "./emit.js";
import type { Inputs, Network } from "./layers.js";
import { type Parameter, Tape, type Value } from "./tape.js";

/** Loss on a batch: a scalar of the prediction and the batch's columns by name. */
export type Loss = (tape: Tape, predicted: Value, columns: Inputs) => Value;

/** What is learned, from what. */
export interface Task {
  readonly network: Network;
  readonly loss: Loss;
  /** Width of each column of data by name: the network's inputs, the target, weights. */
  readonly columns: Readonly<Record<string, number>>;
}

/** Adam (Kingma and Ba 2015), with weight decay beside the gradient (Loshchilov and Hutter 2019). */
export interface AdamSettings {
  readonly beta1: number;
  readonly beta2: number;
}

/** Total number of parameters. */
export function parameterCount(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { size }) => sum + size, 0);
}

/**
 * The parameters that a network declares.
 *
 * @param nRows - rows of its inputs, where their number matters to the network
 */
export function parametersOf(
  network: Network,
  columns: Readonly<Record<string, number>>,
  nRows = 1,
): readonly Parameter[] {
  const tape = new Tape();
  const entries = Object.entries(columns);
  network(
    tape,
    Object.fromEntries(entries.map(([name, width]) => [name, tape.input(name, [nRows, width])])),
  );
  return tape.parameters;
}

/** Nodes that cut a flat vector into the parameters' tensors. */
function unpack(tape: Tape, flat: string): void {
  const { parameters } = tape;
  const sizes = tape.fresh("sizes");
  tape.constants.push(
    constant(
      sizes,
      "int64",
      [parameters.length],
      parameters.map(({ size }) => size),
    ),
  );
  const pieces = parameters.map(({ name }) => `${name}/flat`);
  const nodes = [node("Split", [flat, sizes], pieces, { axis: 0 })];
  parameters.forEach(({ name, shape }, i) => {
    const to = tape.fresh("shape");
    tape.constants.push(constant(to, "int64", [shape.length], shape));
    nodes.push(node("Reshape", [pieces[i]!, to], [name]));
  });
  // The parameters must exist before the nodes that use them.
  tape.nodes.unshift(...nodes);
}

/** Nodes that join gradients to one flat vector. */
function pack(tape: Tape, gradients: readonly Value[], flat: string): void {
  const minusOne = tape.fresh("flat");
  tape.constants.push(constant(minusOne, "int64", [1], [-1]));
  const pieces = gradients.map((gradient) => {
    const piece = tape.fresh("flat");
    tape.nodes.push(node("Reshape", [gradient.name, minusOne], [piece]));
    return piece;
  });
  tape.nodes.push(node("Concat", pieces, [flat], { axis: 0 }));
}

function lossAndGradient(
  task: Task,
  tape: Tape,
  batchSize: number,
  columnName: (column: string) => string,
): Value {
  const columns = Object.fromEntries(
    Object.entries(task.columns).map(([name, width]) => [
      name,
      tape.input(columnName(name), [batchSize, width]),
    ]),
  );
  const loss = task.loss(tape, task.network(tape, columns), columns);
  const gradients = tape.gradientsOf(loss);
  unpack(tape, "theta");
  pack(tape, gradients, "gradient");
  return loss;
}

/** A graph from `theta` and one batch to `loss` and `gradient`; for tests and closed loops. */
export function gradientGraph(
  task: Task,
  batchSize: number,
  precision: Precision = "float32",
): { bytes: Uint8Array; parameters: readonly Parameter[] } {
  const tape = new Tape({ precision, isTraining: true });
  const loss = lossAndGradient(task, tape, batchSize, (column) => `data.${column}`);
  tape.nodes.push(node("Identity", [loss.name], ["loss"]));
  const graph: GraphProto = {
    name: "gradient",
    node: tape.nodes,
    initializer: tape.constants,
    input: [
      valueInfo("theta", precision, [parameterCount(tape.parameters)]),
      ...Object.entries(task.columns).map(([name, width]) =>
        valueInfo(`data.${name}`, precision, [batchSize, width]),
      ),
    ],
    output: [valueInfo("loss", precision, []), valueInfo("gradient", precision, ["parameters"])],
  };
  return { bytes: modelBytes(graph), parameters: tape.parameters };
}

/**
 * A graph that runs `steps` training steps a call.
 *
 * Inputs: `steps` (int64 scalar), `theta`, `m`, `v`, `order` (int32: row numbers, batch after batch), `rate`,
 * `epsilon`, `decay` (per step), and `data.<column>` (rows, width). Outputs: the three vectors and `losses`.
 */
export function trainingGraph(
  task: Task,
  batchSize: number,
  adam: AdamSettings,
): { bytes: Uint8Array; parameters: readonly Parameter[] } {
  const type = "float32";
  const tape = new Tape({ prefix: "b", isTraining: true });
  const loss = lossAndGradient(task, tape, batchSize, (column) => `batch.${column}`);
  const { beta1, beta2 } = adam;
  const scalar = (name: string, value: number) => constant(name, type, [], [value]);
  const select = [
    castNode("iteration", "iteration32", "int32"),
    node("Mul", ["iteration32", "batch_size"], ["start"]),
    node("Add", ["start", "batch_size"], ["end"]),
    castNode("start", "start64", "int64"),
    castNode("end", "end64", "int64"),
    node("Slice", ["order", "start64", "end64", "axis0"], ["rows"]),
    ...Object.keys(task.columns).map((name) =>
      node("Gather", [`data.${name}`, "rows"], [`batch.${name}`], { axis: 0 }),
    ),
  ];
  const step = [
    node("Gather", ["rate", "iteration"], ["rate_t"], { axis: 0 }),
    node("Gather", ["epsilon", "iteration"], ["epsilon_t"], { axis: 0 }),
    node("Gather", ["decay", "iteration"], ["decay_t"], { axis: 0 }),
    node("Mul", ["m", "beta1"], ["m_kept"]),
    node("Mul", ["gradient", "one_minus_beta1"], ["m_new"]),
    node("Add", ["m_kept", "m_new"], ["m_next"]),
    node("Mul", ["gradient", "gradient"], ["gradient2"]),
    node("Mul", ["v", "beta2"], ["v_kept"]),
    node("Mul", ["gradient2", "one_minus_beta2"], ["v_new"]),
    node("Add", ["v_kept", "v_new"], ["v_next"]),
    node("Sqrt", ["v_next"], ["v_root"]),
    node("Add", ["v_root", "epsilon_t"], ["v_safe"]),
    node("Mul", ["m_next", "rate_t"], ["m_scaled"]),
    node("Div", ["m_scaled", "v_safe"], ["change"]),
    node("Mul", ["theta", "decay_t"], ["theta_kept"]),
    node("Sub", ["theta_kept", "change"], ["theta_next"]),
    node("Identity", [loss.name], ["loss_t"]),
    node("Identity", ["go_on"], ["go_on_next"]),
  ];
  const size = parameterCount(tape.parameters);
  const state = ["theta", "m", "v"];
  const body: GraphProto = {
    name: "step",
    node: [...select, ...tape.nodes, ...step],
    input: [
      valueInfo("iteration", "int64", []),
      valueInfo("go_on", "bool", []),
      ...state.map((name) => valueInfo(name, type, [size])),
    ],
    output: [
      valueInfo("go_on_next", "bool", []),
      ...state.map((name) => valueInfo(`${name}_next`, type, [size])),
      valueInfo("loss_t", type, []),
    ],
  };
  const outputs = [...state.map((name) => `${name}_out`), "losses"];
  const graph: GraphProto = {
    name: "training",
    node: [node("Loop", ["steps", "", ...state.map((name) => `${name}_in`)], outputs, { body })],
    initializer: [
      ...tape.constants,
      constant("batch_size", "int32", [1], [batchSize]),
      constant("axis0", "int64", [1], [0]),
      scalar("beta1", beta1),
      scalar("one_minus_beta1", 1 - beta1),
      scalar("beta2", beta2),
      scalar("one_minus_beta2", 1 - beta2),
    ],
    input: [
      valueInfo("steps", "int64", []),
      ...state.map((name) => valueInfo(`${name}_in`, type, [size])),
      valueInfo("order", "int32", ["picked"]),
      ...["rate", "epsilon", "decay"].map((name) => valueInfo(name, type, ["per_step"])),
      ...Object.entries(task.columns).map(([name, width]) =>
        valueInfo(`data.${name}`, type, ["rows_total", width]),
      ),
    ],
    output: [
      ...state.map((name) => valueInfo(`${name}_out`, type, [size])),
      valueInfo("losses", type, ["per_step"]),
    ],
  };
  return { bytes: modelBytes(graph), parameters: tape.parameters };
}

/** A graph with constant weights from `data.<column>` (rows, width) to `predicted` (rows, outputs). */
export function predictionGraph(
  network: Network,
  columns: Readonly<Record<string, number>>,
  weights: Float32Array,
): Uint8Array {
  const tape = new Tape();
  const inputs = Object.fromEntries(
    Object.entries(columns).map(([name, width]) => [
      name,
      // Backward nodes alone would need the number of rows.
      tape.input(`data.${name}`, [1, width]),
    ]),
  );
  const output = network(tape, inputs);
  let offset = 0;
  const weightTensors = tape.parameters.map(({ name, shape, size }) => {
    const tensor = constant(name, "float32", shape, weights.subarray(offset, offset + size));
    offset += size;
    return tensor;
  });
  const last = output.shape[1] ?? 1;
  return modelBytes({
    name: "prediction",
    node: [...tape.nodes, node("Identity", [output.name], ["predicted"])],
    initializer: [...tape.constants, ...weightTensors],
    input: Object.entries(columns).map(([name, width]) =>
      valueInfo(`data.${name}`, "float32", ["rows", width]),
    ),
    output: [valueInfo("predicted", "float32", ["rows", last])],
  });
}
