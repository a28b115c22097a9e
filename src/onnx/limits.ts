/**
 * How much of a file is read: a model from a stranger must not cost more time or memory than a model can be worth.
 *
 * Every limit is far above what published networks have and far below what would exhaust a machine. A file of a few
 * megabytes can ask for much more than its size: one byte of a packed list becomes a number of eight, a node of twenty
 * bytes an object of hundreds.
 */
import { FormatError } from "../errors.js";

/** Most of what a file may hold. */
export interface ReadLimits {
  /** Bytes of the file, without external data. Protobuf itself ends at 2 GiB. */
  readonly modelBytes: number;
  /** Protobuf messages: nodes, attributes, tensors, dimensions. Large language models have some 200,000. */
  readonly messages: number;
  /**
   * Entries of repeated fields that are no messages: names of inputs and outputs, integers outside raw data. Weights of
   * quantised networks may be written that way.
   */
  readonly items: number;
  /** Bytes of a name. Module paths of exporters reach a few hundred. */
  readonly nameBytes: number;
  /** Operators. Exported language models have 10,000 to 50,000. */
  readonly nodes: number;
  /** Inputs, or outputs, of one operator: the widest concatenations have some hundred. */
  readonly operands: number;
  /** Numbers and texts in attributes of all operators together. */
  readonly attributeValues: number;
  /** Elements of one tensor: 2^44 float32 are 64 TiB, more than any machine has. */
  readonly tensorElements: number;
  /** Values of all computed shapes together: shapes have a handful each. */
  readonly foldedValues: number;
  /** Bytes of all values that are read, external data included. */
  readonly valueBytes: number;
}

/** Limits unless told otherwise: the file was named by the user of this machine. */
export const defaultLimits: ReadLimits = {
  modelBytes: 2 ** 31 - 1,
  messages: 2_000_000,
  items: 50_000_000,
  nameBytes: 4096,
  nodes: 200_000,
  operands: 4096,
  attributeValues: 2_000_000,
  tensorElements: 2 ** 44,
  foldedValues: 16_000_000,
  valueBytes: 2 ** 34,
};

/** For files that come over a network: read within about a second and some hundred megabytes of memory. */
export const uploadLimits: ReadLimits = {
  ...defaultLimits,
  modelBytes: 256 * 2 ** 20,
  messages: 250_000,
  items: 1_000_000,
  nodes: 20_000,
  operands: 1024,
  attributeValues: 200_000,
  foldedValues: 200_000,
  valueBytes: 16 * 2 ** 20,
};

/** Counts what a file holds against its limits. */
export class Budget {
  readonly limits: ReadLimits;
  private readonly path: string | undefined;
  private readonly spent = new Map<keyof ReadLimits, number>();

  constructor(limits: Partial<ReadLimits> = {}, path?: string) {
    this.limits = { ...defaultLimits, ...limits };
    this.path = path;
  }

  /**
   * Spend some of a limit.
   *
   * @param what - in words, e.g. `operators`
   * @throws FormatError when it is used up
   */
  spend(limit: keyof ReadLimits, amount: number, what: string): void {
    const total = (this.spent.get(limit) ?? 0) + amount;
    this.spent.set(limit, total);
    if (total > this.limits[limit]) this.refuse(limit, what);
  }

  /** @throws FormatError when a single amount exceeds its limit */
  check(limit: keyof ReadLimits, amount: number, what: string): void {
    if (amount > this.limits[limit]) this.refuse(limit, `${what}: ${amount}`);
  }

  private refuse(limit: keyof ReadLimits, what: string): never {
    throw new FormatError(
      `${this.path ?? "the model"} exceeds the limit ${limit} of ${this.limits[limit]} (${what})`,
      {
        ...(this.path === undefined ? {} : { path: this.path }),
        field: limit,
        hint: "no published network needs as much: check that the file is what it should be",
      },
    );
  }
}
