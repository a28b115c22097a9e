/**
 * What predictors read of networks: operators counted by signature under each rewrite semantics.
 *
 * A signature names everything that determines an operator's cost: type, kernel, stride, groups, shapes.
 * Any graph gives such counts (`featuresOfGraphs`); a search space may fill the same table faster.
 */

/**
 * The rewrite semantics that tell what a runtime prunes and whether it computes anything twice.
 *
 * Which operators a runtime is taken to execute: every one; those whose result reaches the output
 * (`backward`); those reached from an input, i.e. not fed by constants alone (`forward`); or `both`.
 * `shared`: equal operators on equal inputs run once (common subexpression elimination), and an Identity, which
 * optimisers see through, does not run.
 */
export const pruningSemantics = [
  "all",
  "backward",
  "forward",
  "both",
  "all+shared",
  "backward+shared",
  "forward+shared",
  "both+shared",
] as const;

/**
 * The rewrite semantics that run operators as they are: `pruningSemantics`, and those with a further view or a further
 * way of sharing.
 *
 * `unread`: as `backward`, and operators with weights whose results nobody reads run too, with everything they need.
 * `merged`: as `shared`, and operators that differ in the values of their weights only and read the same tensors are
 * one launch: sibling convolutions become one wider convolution, as NVIDIA TensorRT's documentation describes.
 *
 * The order is fixed: saved predictors depend on it. New ones are appended.
 */
export const unfusedSemantics = [
  ...pruningSemantics,
  "unread",
  "unread+shared",
  "all+merged",
  "backward+merged",
  "forward+merged",
  "both+merged",
  "unread+merged",
] as const;
/**
 * The rewrite semantics of compilers that fuse operators and choose layouts (`fusion.ts`): as `shared`, and
 * convolutions take along the sum and the activation after them; where neighbours work on different layouts, the tensor
 * between them is copied, which counts as an Identity that runs. Paths are those of `shared`.
 *
 * The order is fixed, as above.
 */
export const fusedSemantics = ["backward+fused", "forward+fused", "both+fused"] as const;

/** All rewrite semantics, in their fixed order. */
export const rewriteSemantics = [...unfusedSemantics, ...fusedSemantics] as const;
/** One of `rewriteSemantics`. */
export type RewriteSemantics = (typeof rewriteSemantics)[number];

/** One value for each semantics. */
export function forEachSemantics<T>(
  make: (semantics: RewriteSemantics) => T,
): Record<RewriteSemantics, T> {
  return Object.fromEntries(
    rewriteSemantics.map((semantics) => [semantics, make(semantics)]),
  ) as Record<RewriteSemantics, T>;
}

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
  /**
   * For each semantics (ids.length, signatures.length): how often each operator runs. Semantics that are the same for
   * all networks may have one array.
   */
  readonly counts: Readonly<Record<RewriteSemantics, Float32Array>>;
  /**
   * For each semantics (ids.length): length of the longest chain of executed operators, each reading the one before.
   * In a connected network that is its longest path from an input to an output, save for dead ends.
   */
  readonly longestPath: Readonly<Record<RewriteSemantics, Float32Array>>;
  /**
   * As `longestPath`, each operator weighing its taps: the area of the window that a convolution or pooling slides
   * over its input, else 1. The critical path of runtimes that run independent branches in parallel.
   */
  readonly heaviestPath: Readonly<Record<RewriteSemantics, Float32Array>>;
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
