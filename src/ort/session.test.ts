import { describe, expect, test } from "vitest";
import { tinyConvNet } from "../../test/contract/tiny-models.js";
import { FormatError, InputError } from "../errors.js";
import { createOrtSession, ortVersion } from "./session.js";

const dims = [1, 4, 8, 8];
const nValues = 4 * 8 * 8;
const ones = () => new Float32Array(nValues).fill(1);

describe("createOrtSession()", () => {
  test("describes inputs and outputs", async () => {
    const session = await createOrtSession(tinyConvNet(2));
    expect(session.version).toBe(await ortVersion());
    expect(session.inputs).toEqual([{ name: "input", dataType: "float32", dims }]);
    expect(session.outputs).toEqual([{ name: "output", dataType: "float32", dims }]);
    await session.dispose();
  });

  test("runs synchronously with the pinned version of onnxruntime-node", async () => {
    const session = await createOrtSession(tinyConvNet(1));
    expect(session.isSynchronous).toBe(true);
    await session.dispose();
  });

  test("gives the same values by run() and by a binding, at every level", async () => {
    const results: Float32Array[] = [];
    for (const optimisation of ["disabled", "basic", "extended", "layout", "all"] as const) {
      const session = await createOrtSession(tinyConvNet(2), { optimisation });
      const { output } = await session.run({ input: { data: ones(), dims } });
      expect(output?.dims).toEqual(dims);
      const bound = new Float32Array(nValues);
      await session
        .bind({ input: { data: ones(), dims } }, { output: { data: bound, dims } })
        .run();
      expect(bound).toEqual(output?.data);
      results.push(bound);
      await session.dispose();
    }
    for (const result of results) {
      for (let i = 0; i < nValues; i++) expect(result[i]).toBeCloseTo(results[0]![i]!, 6);
    }
  });

  test("rejects bytes that are no model with a FormatError", async () => {
    const garbage = Uint8Array.of(1, 2, 3, 4);
    await expect(createOrtSession(garbage)).rejects.toThrow(FormatError);
    await expect(createOrtSession(garbage)).rejects.toThrow(/ONNX Runtime cannot load the model/);
    await expect(createOrtSession(tinyConvNet(1).slice(0, 300))).rejects.toThrow(FormatError);
  });

  test("names a missing input", async () => {
    const session = await createOrtSession(tinyConvNet(1));
    await expect(session.run({})).rejects.toThrow(InputError);
    await expect(session.run({})).rejects.toThrow('input "input" is missing');
    await session.dispose();
  });

  test("can be disposed of twice", async () => {
    const session = await createOrtSession(tinyConvNet(1));
    await session.dispose();
    await session.dispose();
  });
});
