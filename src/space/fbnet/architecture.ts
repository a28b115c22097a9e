/**
 * FBNet architectures: one of nine blocks at each of 22 places (Wu et al. 2019, arXiv 1812.03443).
 *
 * Written as 22 digits, each the number of a block in `blocks`. The order is that of HW-NAS-Bench (Li et al. 2021,
 * OpenReview _0kaDkv3dVf) and HELP (Lee et al. 2021, arXiv 2106.08630).
 */
import { InputError } from "../../errors.js";

/** A mobile block: 1x1 convolution to `expansion` times the channels, depthwise convolution, 1x1 convolution. */
export interface MobileBlock {
  readonly name: string;
  readonly kernel: number;
  readonly expansion: number;
  /** Groups of the 1x1 convolutions; with more than one, channels are shuffled after the first. */
  readonly groups: number;
}

const block = (kernel: number, expansion: number, groups = 1): MobileBlock => ({
  name: `k${kernel}_e${expansion}${groups > 1 ? `_g${groups}` : ""}`,
  kernel,
  expansion,
  groups,
});

/** Choices at a place, in the order of their numbers; `skip` passes its input on. */
export const blocks: readonly (MobileBlock | "skip")[] = [
  ...[3, 5].flatMap((kernel) => [
    block(kernel, 1),
    block(kernel, 1, 2),
    block(kernel, 3),
    block(kernel, 6),
  ]),
  "skip",
];

/** Places at which a block is chosen. */
export const nPlaces = 22;

/** Numbers of the chosen blocks, one a place. */
export type FbnetArchitecture = ArrayLike<number>;

/**
 * Check that numbers are an architecture.
 *
 * @param what - how messages name it
 * @throws InputError naming the place that is wrong
 */
export function checkFbnet(architecture: FbnetArchitecture, what = "an FBNet architecture"): void {
  if (architecture.length !== nPlaces) {
    throw new InputError(`${what} must have ${nPlaces} blocks, got ${architecture.length}`);
  }
  for (let place = 0; place < nPlaces; place++) {
    const choice = architecture[place]!;
    if (!Number.isInteger(choice) || choice < 0 || choice >= blocks.length) {
      throw new InputError(
        `${what}: block ${place} must be an integer in 0..${blocks.length - 1}, got ${choice}`,
        { hint: blocks.map((b, i) => `${i} ${b === "skip" ? b : b.name}`).join(", ") },
      );
    }
  }
}

/**
 * The architecture of 22 digits such as `7818488874147327324245`.
 *
 * @throws InputError on any other text
 */
export function fbnetFromDigits(digits: string): number[] {
  if (!/^\d*$/.test(digits)) {
    throw new InputError(`an FBNet architecture is ${nPlaces} digits 0..8, got "${digits}"`);
  }
  const architecture = Array.from(digits, Number);
  checkFbnet(architecture, `FBNet architecture "${digits}"`);
  return architecture;
}

/** The 22 digits of an architecture. */
export const digitsOfFbnet = (architecture: FbnetArchitecture): string =>
  Array.from(architecture).join("");

/**
 * Another architecture, with one block chosen anew.
 *
 * @param digits - 22 digits, valid
 * @param dice - uniform integers, each in [0, n)
 */
export function mutateFbnet(digits: string, dice: { integer(n: number): number }): string {
  const place = dice.integer(nPlaces);
  const choice = (Number(digits[place]) + 1 + dice.integer(blocks.length - 1)) % blocks.length;
  return digits.slice(0, place) + choice + digits.slice(place + 1);
}

/** Numbers that an architecture is encoded by: for each place, which block it has. */
export const encodingWidth = nPlaces * blocks.length;

/** An architecture as 22 times nine numbers, one-hot. */
export function encodingOfFbnet(architecture: FbnetArchitecture): number[] {
  const values = new Array<number>(encodingWidth).fill(0);
  for (let place = 0; place < nPlaces; place++)
    values[place * blocks.length + architecture[place]!] = 1;
  return values;
}
