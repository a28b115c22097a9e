// Any tensors survive the file format; any damage is found or harmless.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../errors.js";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./safetensors.js";

const float32 = fc.float({ noNaN: true, noDefaultInfinity: true });
const float64 = fc.double({ noNaN: true, noDefaultInfinity: true });

const tensor: fc.Arbitrary<StoredTensor> = fc
  .array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
  .chain((shape) => {
    const size = shape.reduce((product, side) => product * side, 1);
    const exactly = { minLength: size, maxLength: size };
    return fc.oneof(
      fc.array(float32, exactly).map((values) => ({ shape, values: Float32Array.from(values) })),
      fc.array(float64, exactly).map((values) => ({ shape, values: Float64Array.from(values) })),
    );
  });

/** Names as methods use them: numbers as keys would change places in JSON, which the format allows. */
const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((text) => text !== "__metadata__" && text !== "__proto__");
const tensors = fc
  .array(fc.tuple(name, tensor), { maxLength: 6 })
  .map((entries): Map<string, StoredTensor> => new Map(entries));

const byName = (map: ReadonlyMap<string, StoredTensor>) =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));

describe("safetensors", () => {
  test("come back bit by bit", () => {
    fc.assert(
      fc.property(tensors, (map) => {
        expect(byName(decodeSafetensors(encodeSafetensors(map), "f"))).toEqual(byName(map));
      }),
      { numRuns: 200 },
    );
  });

  test("cut short anywhere are refused as damaged, never read as something else", () => {
    fc.assert(
      fc.property(tensors, fc.double({ min: 0, max: 0.999, noNaN: true }), (map, share) => {
        const file = encodeSafetensors(map);
        const cut = file.subarray(0, Math.floor(share * file.length));
        expect(() => decodeSafetensors(cut, "f")).toThrow(FormatError);
      }),
      { numRuns: 200 },
    );
  });

  test("with one byte changed are refused as damaged or give tensors of finite numbers", () => {
    const at = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(tensors, at, fc.integer({ min: 1, max: 255 }), (map, share, change) => {
        const file = encodeSafetensors(map).slice();
        const i = Math.floor(share * file.length);
        file[i] = file[i]! ^ change;
        try {
          for (const { shape, values } of decodeSafetensors(file, "f").values()) {
            expect(shape.reduce((product, side) => product * side, 1)).toBe(values.length);
            expect(values.every(Number.isFinite)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
