/**
 * Shape inference: the shapes and types of an operator's outputs from those of its inputs.
 *
 * Rules follow ONNX's operator specification (opset 13, and where attributes moved to inputs later, both forms).
 * Operators without a rule are readable only where a file states their shapes (`onnx/read.ts`).
 */
import { UnsupportedError } from "../errors.js";
import type { Operator } from "./graph.js";
import { arithmeticRules } from "./shape-arithmetic.js";
import { layoutRules } from "./shape-layout.js";
import { type KnownTensor, OperatorView, type OutputType } from "./shape-view.js";
import { convRule, convTransposeRule, globalPoolRule, poolRule } from "./shape-window.js";
import { elementCount } from "./size.js";

type Rule = (view: OperatorView) => OutputType[];

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["Conv", convRule],
  ["ConvTranspose", convTransposeRule],
  ["AveragePool", poolRule],
  ["MaxPool", poolRule],
  ["LpPool", poolRule],
  ["GlobalAveragePool", globalPoolRule],
  ["GlobalMaxPool", globalPoolRule],
  ...arithmeticRules,
  ...layoutRules,
]);

/** Whether the output shapes of an operator type can be inferred. */
export function hasShapeRule(type: string): boolean {
  return rules.has(type);
}

/**
 * Shapes and types of an operator's outputs.
 *
 * @param inputs - one entry an input; undefined for an omitted optional one
 * @returns one entry for each of `operator.outputs`
 * @throws UnsupportedError when the operator type has no rule; ShapeError when shapes do not fit
 */
export function inferOutputs(
  operator: Operator,
  inputs: readonly (KnownTensor | undefined)[],
): OutputType[] {
  const rule = rules.get(operator.type);
  if (!rule) {
    throw new UnsupportedError(
      `operator "${operator.name}": shapes of operator type ${operator.type} cannot be inferred`,
      { hint: "state its output shapes in the file (value_info), or use another operator" },
    );
  }
  const view = new OperatorView(operator, inputs);
  const outputs = rule(view);
  if (outputs.length < operator.outputs.length) {
    view.fail(`has ${operator.outputs.length} outputs, ${outputs.length} are known`);
  }
  for (const { shape } of outputs) {
    try {
      elementCount(shape);
    } catch (cause) {
      view.fail((cause as Error).message);
    }
  }
  return outputs.slice(0, operator.outputs.length);
}
