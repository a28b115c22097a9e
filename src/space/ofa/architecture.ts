/**
 * Architectures of the once-for-all MobileNetV3 space: input size, and in each of five stages two to four blocks with
 * a kernel and an expansion (Cai et al. 2020, arXiv 1908.09791).
 *
 * Three forms of the same: the object `OfaArchitecture`; 46 numbers as in HELP's table (Lee et al. 2021,
 * arXiv 2106.08630), with entries for blocks that are not there; and text such as
 * `204-7656-5456-5676-7473-367653`: input size, then the stages, each block as kernel and expansion.
 */
import { InputError } from "../../errors.js";

/** Input sizes in pixels: 128 to 224 in steps of 4. */
const inputSizes: readonly number[] = Array.from({ length: 25 }, (_, i) => 128 + 4 * i);
const kernels: readonly number[] = [3, 5, 7];
const expansions: readonly number[] = [3, 4, 6];
const nStages = 5;
/** A stage has this many blocks at most, and at least `leastBlocks`. */
const mostBlocks = 4;
const leastBlocks = 2;

/** One block of a stage. */
export interface OfaBlock {
  readonly kernel: number;
  /** Channels of the depthwise convolution over those of the input. */
  readonly expansion: number;
}

export interface OfaArchitecture {
  /** Height and width of the input in pixels. */
  readonly inputSize: number;
  /** Blocks of each of the five stages. */
  readonly stages: readonly (readonly OfaBlock[])[];
}

const nBlocks = nStages * mostBlocks;

/** Length of the form as numbers: input size, 5 depths, 20 kernels, 20 expansions. */
const nNumbers = 1 + nStages + 2 * nBlocks;

function checkOneOf(what: string, allowed: readonly number[], value: number): void {
  if (!allowed.includes(value)) {
    throw new InputError(`${what} must be one of ${allowed.join(", ")}, got ${value}`);
  }
}

/**
 * Check an architecture.
 *
 * @param what - how messages name it
 * @throws InputError naming what is wrong
 */
export function checkOfa(
  { inputSize, stages }: OfaArchitecture,
  what = "an OFA architecture",
): void {
  checkOneOf(`${what}: the input size`, inputSizes, inputSize);
  if (stages.length !== nStages) {
    throw new InputError(`${what} must have ${nStages} stages, got ${stages.length}`);
  }
  stages.forEach((blocks, stage) => {
    if (blocks.length < leastBlocks || blocks.length > mostBlocks) {
      throw new InputError(
        `${what}: stage ${stage + 1} must have ${leastBlocks} to ${mostBlocks} blocks, got ${blocks.length}`,
      );
    }
    blocks.forEach(({ kernel, expansion }, i) => {
      const block = `block ${i + 1} of stage ${stage + 1}`;
      checkOneOf(`${what}: the kernel of ${block}`, kernels, kernel);
      checkOneOf(`${what}: the expansion of ${block}`, expansions, expansion);
    });
  });
}

/**
 * The architecture of 46 numbers: input size, 5 depths, 20 kernels, 20 expansions, four of each a stage. What stands
 * at blocks beyond a stage's depth is not read.
 *
 * @param what - how messages name it
 * @throws InputError on another length or a number that is not a choice
 */
export function ofaFromNumbers(
  numbers: ArrayLike<number>,
  what = "an OFA architecture",
): OfaArchitecture {
  if (numbers.length !== nNumbers) {
    throw new InputError(`${what} must have ${nNumbers} numbers, got ${numbers.length}`);
  }
  const stages = Array.from({ length: nStages }, (_, stage) => {
    const depth = numbers[1 + stage]!;
    const isDepth = Number.isInteger(depth) && depth >= leastBlocks && depth <= mostBlocks;
    if (!isDepth) {
      throw new InputError(
        `${what}: stage ${stage + 1} must have ${leastBlocks} to ${mostBlocks} blocks, got ${depth}`,
      );
    }
    return Array.from({ length: depth }, (_, i): OfaBlock => {
      const kernelAt = 1 + nStages + stage * mostBlocks + i;
      return { kernel: numbers[kernelAt]!, expansion: numbers[kernelAt + nBlocks]! };
    });
  });
  const architecture = { inputSize: numbers[0]!, stages };
  checkOfa(architecture, what);
  return architecture;
}

/** An architecture as 46 numbers, zeros where there is no block; `ofaFromNumbers` undone. */
export function numbersOfOfa({ inputSize, stages }: OfaArchitecture): number[] {
  const numbers = new Array<number>(nNumbers).fill(0);
  numbers[0] = inputSize;
  stages.forEach((blocks, stage) => {
    numbers[1 + stage] = blocks.length;
    blocks.forEach(({ kernel, expansion }, i) => {
      const kernelAt = 1 + nStages + stage * mostBlocks + i;
      numbers[kernelAt] = kernel;
      numbers[kernelAt + nBlocks] = expansion;
    });
  });
  return numbers;
}

/**
 * Draw an architecture: input size, depths, kernels and expansions uniformly, as once-for-all networks are sampled.
 *
 * @param dice - uniform integers, each in [0, n)
 */
export function drawOfa(dice: { integer(n: number): number }): OfaArchitecture {
  const pick = (choices: readonly number[]) => choices[dice.integer(choices.length)]!;
  const inputSize = pick(inputSizes);
  const stages = Array.from({ length: nStages }, () =>
    Array.from({ length: leastBlocks + dice.integer(mostBlocks - leastBlocks + 1) }, () => ({
      kernel: pick(kernels),
      expansion: pick(expansions),
    })),
  );
  return { inputSize, stages };
}

/**
 * Another architecture: another input size, or one stage with a block more or fewer, or one block with another kernel
 * or expansion. A change of a block is as likely as it is one of all choices that can be changed.
 *
 * @param dice - uniform integers, each in [0, n)
 */
export function mutateOfa(
  { inputSize, stages }: OfaArchitecture,
  dice: { integer(n: number): number },
): OfaArchitecture {
  const pick = (choices: readonly number[], except?: number) => {
    const others = choices.filter((choice) => choice !== except);
    return others[dice.integer(others.length)]!;
  };
  const nPresent = stages.reduce((sum, blocks) => sum + blocks.length, 0);
  const what = dice.integer(1 + nStages + 2 * nPresent);
  if (what === 0) return { inputSize: pick(inputSizes, inputSize), stages };
  if (what <= nStages) {
    const depths = Array.from({ length: mostBlocks - leastBlocks + 1 }, (_, i) => leastBlocks + i);
    return {
      inputSize,
      stages: stages.map((blocks, stage) => {
        if (stage !== what - 1) return blocks;
        const depth = pick(depths, blocks.length);
        return Array.from(
          { length: depth },
          (_, i) => blocks[i] ?? { kernel: pick(kernels), expansion: pick(expansions) },
        );
      }),
    };
  }
  let place = what - 1 - nStages;
  const isKernel = place < nPresent;
  if (!isKernel) place -= nPresent;
  return {
    inputSize,
    stages: stages.map((blocks) => {
      const at = place;
      place -= blocks.length;
      const block = blocks[at];
      if (block === undefined) return blocks;
      const changed = isKernel
        ? { ...block, kernel: pick(kernels, block.kernel) }
        : { ...block, expansion: pick(expansions, block.expansion) };
      return blocks.with(at, changed);
    }),
  };
}

/** An architecture as text, e.g. `204-7656-5456-5676-7473-367653`. */
export function textOfOfa({ inputSize, stages }: OfaArchitecture): string {
  const texts = stages.map((blocks) =>
    blocks.map(({ kernel, expansion }) => `${kernel}${expansion}`).join(""),
  );
  return [inputSize, ...texts].join("-");
}

/**
 * The architecture of a text.
 *
 * @throws InputError on a text of another form or a number that is not a choice
 */
export function ofaFromText(text: string): OfaArchitecture {
  if (!/^\d+(-(\d\d)+)*$/.test(text)) {
    throw new InputError(
      `an OFA architecture is an input size and ${nStages} stages joined by "-", got "${text}"`,
      { hint: "each block is two digits, kernel and expansion: 204-7656-5456-5676-7473-367653" },
    );
  }
  const [inputSize, ...stages] = text.split("-");
  const architecture = {
    inputSize: Number(inputSize),
    stages: stages.map((stage) =>
      Array.from(stage.matchAll(/(\d)(\d)/g), ([, kernel, expansion]) => ({
        kernel: Number(kernel),
        expansion: Number(expansion),
      })),
    ),
  };
  checkOfa(architecture, `OFA architecture "${text}"`);
  return architecture;
}

/** Numbers of a block in an encoding: which kernel, which expansion. */
const blockWidth = kernels.length + expansions.length;

/** Numbers that an architecture is encoded by. */
export const encodingWidth = 1 + nBlocks * blockWidth;

/**
 * An architecture as 121 numbers: the input size scaled to 0..1, and for each of 20 blocks its kernel and its
 * expansion, one-hot; six zeros where there is no block.
 *
 * @param into - where to write, from `start` on; must be zeros there
 */
export function writeEncoding(
  { inputSize, stages }: OfaArchitecture,
  into: Float32Array | number[],
  start = 0,
): void {
  const [least, most] = [inputSizes[0]!, inputSizes.at(-1)!];
  into[start] = (inputSize - least) / (most - least);
  stages.forEach((blocks, stage) => {
    blocks.forEach(({ kernel, expansion }, i) => {
      const at = start + 1 + (stage * mostBlocks + i) * blockWidth;
      into[at + kernels.indexOf(kernel)] = 1;
      into[at + kernels.length + expansions.indexOf(expansion)] = 1;
    });
  });
}
