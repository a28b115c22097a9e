/**
 * Seeded random numbers: xoshiro128** (Blackman and Vigna 2018) filled by splitmix32.
 *
 * Nothing here seeds itself; the same seed gives the same numbers on every machine. Not for cryptography.
 */
import { InputError } from "../errors.js";

/** A stream of random numbers. Passed as an argument wherever chance plays a part. */
export interface Random {
  /** Uniform 32-bit unsigned integer. */
  uint32(): number;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal draw. */
  normal(): number;
  /** Uniform integer in [0, n), without modulo bias. */
  integer(n: number): number;
}

function splitmix32(state: number): { next(): number } {
  let s = state >>> 0;
  return {
    next() {
      s = (s + 0x9e3779b9) >>> 0;
      let z = s;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    },
  };
}

const rotateLeft = (x: number, k: number) => (x << k) | (x >>> (32 - k));

/**
 * A generator of its own for a seed.
 *
 * @param seed - integer in 0..2^53-1
 * @throws InputError on any other seed
 */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new InputError(`seed must be an integer from 0 to 2^53 - 1, got ${seed}`);
  }
  const filler = splitmix32((seed >>> 0) ^ Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b));
  let s0 = filler.next();
  let s1 = filler.next();
  let s2 = filler.next();
  let s3 = filler.next();
  let spare: number | undefined;

  function uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotateLeft(s3, 11);
    return result;
  }
  function uniform(): number {
    const high = uint32() >>> 5;
    const low = uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }
  function normal(): number {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    // Box-Muller; 1 - u is never 0.
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
  function integer(n: number): number {
    if (!(Number.isInteger(n) && n >= 1 && n <= 2 ** 32)) {
      throw new InputError(`the number of outcomes must be an integer in 1..2^32, got ${n}`);
    }
    const limit = 2 ** 32 - (2 ** 32 % n);
    let draw = uint32();
    while (draw >= limit) draw = uint32();
    return draw % n;
  }
  return { uint32, uniform, normal, integer };
}

/**
 * The seed of a part of a larger job, so that parts draw independently of their order.
 *
 * @param part - number of the part, or its name
 */
export function deriveSeed(seed: number, part: number | string): number {
  let hash = 0x811c9dc5;
  for (const character of `${seed}/${part}`) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return splitmix32(hash).next();
}

/** All of 0..n-1 in random order. */
export function permutation(random: Random, n: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    const swapped = order[i]!;
    order[i] = order[j]!;
    order[j] = swapped;
  }
  return order;
}

/** The elements in random order, as a new array. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  return Array.from(permutation(random, items.length), (i) => items[i]!);
}

/**
 * `count` different numbers of 0..n-1, each subset equally likely, in the order drawn.
 *
 * @throws InputError when more are asked for than there are
 */
export function drawWithoutReplacement(random: Random, n: number, count: number): Int32Array {
  if (!(Number.isInteger(count) && count >= 0 && count <= n)) {
    throw new InputError(`cannot draw ${count} different ones of ${n}`);
  }
  // A sparse Fisher-Yates: only touched places are kept.
  const moved = new Map<number, number>();
  const drawn = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const j = i + random.integer(n - i);
    drawn[i] = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
  }
  return drawn;
}
