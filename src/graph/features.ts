/**
 * What predictors read of networks: operators counted by signature under each rewrite semantics.
 *
 * A signature names everything that determines an operator's cost: type, kernel, stride, groups, shapes.
 * Any graph gives such counts (`featuresOfGraphs`); a search space may fill the same table faster.
 */

/**
 * Which operators a runtime is taken to execute: every one; those whose result reaches the output
 * (`backward`); those reached from an input, i.e. not fed by constants alone (`forward`); or `both`.
 * `shared`: equal operators on equal inputs run once (common subexpression elimination), and an Identity, which
 * optimisers see through, does not run.
 */
export const rewriteSemantics = [
  "all",
  "backward",
  "forward",
  "both",
  "all+shared",
  "backward+shared",
  "forward+shared",
  "both+shared",
] as const;
/** One of `rewriteSemantics`. */
export type RewriteSemantics = (typeof rewriteSemantics)[number];

/** One distinct operator-with-shapes of a table. */
export interface OperatorSignature {
  /** e.g. `Conv 3x3/1 16x32x32>16x32x32`; equal signatures cost the same on a platform. */
  readonly key: string;
  /** The signature without its shapes, e.g. `Conv 3x3/1`: costs within a group scale together. */
  readonly group: string;
  readonly macs: number;
  /** Bytes of inputs, weights and outputs, each once. */
  readonly bytesMoved: number;
  readonly outputElements: number;
}

/** Networks (rows) by their features; the matrices are row-major. */
export interface FeatureTable {
  /** Network ids, e.g. `nasbench201/1462` or a file's name. */
  readonly ids: readonly string[];
  readonly signatures: readonly OperatorSignature[];
  /** For each semantics (ids.length, signatures.length): how often each operator runs. */
  readonly counts: Readonly<Record<RewriteSemantics, Float32Array>>;
  /**
   * For each semantics (ids.length): length of the longest chain of executed operators, each reading the one before.
   * In a connected network that is its longest path from an input to an output, save for dead ends.
   */
  readonly longestPath: Readonly<Record<RewriteSemantics, Float32Array>>;
  /** Whether some path leads from an input to an output (341 NAS-Bench-201 cells have none). */
  readonly connected: Uint8Array;
  /** Present when all networks come from one search space. */
  readonly encoding?: {
    readonly space: string;
    readonly width: number;
    /** (ids.length, width). */
    readonly values: Float32Array;
  };
}
