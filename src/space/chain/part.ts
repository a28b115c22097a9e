/**
 * Networks that are chains of parts, each reading the one tensor that the part before it made: mobile search
 * spaces, whose blocks are chosen independently.
 *
 * A part is all a space has to describe; `network.ts` joins parts to a graph and `features.ts` counts chains by
 * counting each distinct part once.
 */
import type { Shape } from "../../graph/graph.js";
import type { Layers, Signal } from "../layers.js";

/** A part of a chain: a stem, a block of one choice, a head. */
export interface ChainPart {
  /** Shape of the tensor that it reads. */
  readonly inputShape: Shape;
  /** Emit its operators; without any, the input is the result. Names begin with `name`. */
  add(layers: Layers, name: string, input: Signal): Signal;
}

/** Height and width after a layer with this stride that pads as `Layers.conv` does. */
export const sizeAfter = (size: number, stride: number): number => Math.ceil(size / stride);
