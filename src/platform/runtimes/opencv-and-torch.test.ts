// What OpenCV and TorchScript do with operators whose results nobody reads, and with bytes that are no model.
import { describe, expect, test } from "vitest";
import { FormatError, UnsupportedError } from "../../errors.js";
import { createGraphBuilder } from "../../graph/build.js";
import { writeOnnx } from "../../onnx/write.js";
import { loadNative } from "../native-library.js";
import type { Runtime, Session } from "../runtime.js";
import { torchBytes } from "../torchscript/translate.js";
import { runtime as opencv } from "./opencv.js";
import { runtime as torch } from "./torch.js";

async function firstVariant(runtime: Runtime) {
  const availability = await runtime.probe();
  if (!availability.available) return { info: undefined, why: `: skipped, ${availability.reason}` };
  return { info: runtime.variants(availability.version, 1)[0]!.info, why: "" };
}

/** A small convolution, with a large one beside it that nobody reads. */
function network(hasDead: boolean): Uint8Array {
  const b = createGraphBuilder("dead");
  const x = b.input("input", [1, 32, 32, 32]);
  const weights = (name: string, n: number, size: number) =>
    b.constant(name, [n, 32, size, size], { kind: "random", seed: 1, scale: 0.1 });
  if (hasDead) b.operator("Conv", [x, weights("unread", 256, 3)], { kernel_shape: [3, 3] });
  return writeOnnx(
    b.finish([b.operator("Conv", [x, weights("w", 4, 1)], { kernel_shape: [1, 1] })]),
  );
}

/** How much longer the network with the dead operator takes; the fastest runs, interleaved. */
async function costOfDead(runtime: Runtime): Promise<number> {
  const { info } = await firstVariant(runtime);
  const sessions: Session[] = [];
  for (const hasDead of [false, true]) sessions.push(await runtime.load(network(hasDead), info!));
  const fastestMs = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let i = 0; i < 20; i++) {
    sessions.forEach((session, which) => {
      const start = performance.now();
      void session.run();
      fastestMs[which] = Math.min(fastestMs[which]!, performance.now() - start);
    });
  }
  for (const session of sessions) await session.dispose();
  return fastestMs[1]! / fastestMs[0]!;
}

const hereOpencv = await firstVariant(opencv);
describe.skipIf(hereOpencv.info === undefined)(`OpenCV${hereOpencv.why}`, () => {
  test("runs operators nobody reads", async () => {
    expect(await costOfDead(opencv)).toBeGreaterThan(5);
  });

  test("tells bytes that are no model from models that it cannot run", async () => {
    const native = { name: "opencv-dnn", title: "OpenCV", info: hereOpencv.info! };
    const good = await opencv.native!.modelFor(network(false));
    // Magic, version and two shapes of four dimensions come before the file.
    const fileStart = 48;
    const load = (change: (bytes: Uint8Array) => void) => {
      const bytes = good.slice();
      change(bytes);
      return loadNative({ ...native, model: bytes });
    };
    await expect(load((bytes) => bytes.fill(0xff, fileStart))).rejects.toThrow(FormatError);
    await expect(load((bytes) => bytes.fill(0, 0, 4))).rejects.toThrow(FormatError);
    await expect(load((bytes) => bytes.fill(9, 8, 9))).rejects.toThrow(FormatError);
    // Other channels than the weights have, another output than it makes.
    await expect(load((bytes) => bytes.fill(3, 16, 17))).rejects.toThrow(UnsupportedError);
    await expect(load((bytes) => bytes.fill(5, 36, 37))).rejects.toThrow(
      "the output is 1x4x32x32, which must be 1x5x32x32",
    );
    for (let size = 0; size <= fileStart; size += 4) {
      const cut = loadNative({ ...native, model: good.slice(0, size) });
      await expect(cut).rejects.toThrow(FormatError);
    }
  });
});

const hereTorch = await firstVariant(torch);
describe.skipIf(hereTorch.info === undefined)(`TorchScript${hereTorch.why}`, () => {
  const module = {
    inputShape: [1, 2],
    outputShape: [1, 2],
    source: "def forward(self, x: Tensor) -> Tensor:\n  return torch.add(x, self.p0)\n",
    parameters: [{ name: "p0", shape: [2], values: Float32Array.of(1, 2) }],
  };
  const native = { name: "torchscript", title: "PyTorch", info: hereTorch.info! };

  test("leaves out operators nobody reads", async () => {
    expect(await costOfDead(torch)).toBeLessThan(2);
  });

  test("runs a module from its bytes", async () => {
    const session = await loadNative({ ...native, model: torchBytes(module) });
    await session.setInput(Float32Array.of(3, 4));
    await session.run();
    expect([...(await session.output())]).toEqual([4, 6]);
    await session.dispose();
  });

  test("refuses bytes that end early, wherever, and bytes that go on", async () => {
    const model = torchBytes(module);
    for (let size = 0; size < model.length; size += 4) {
      const cut = loadNative({ ...native, model: model.slice(0, size) });
      await expect(cut).rejects.toThrow(FormatError);
    }
    const longer = Uint8Array.from([...model, 0, 0, 0, 0]);
    await expect(loadNative({ ...native, model: longer })).rejects.toThrow(FormatError);
  });

  test("refuses shapes and lengths that cannot be", async () => {
    const model = torchBytes(module);
    const words = new DataView(model.buffer);
    // Rank, a dimension, the source's length.
    for (const [at, value] of [
      [8, 9],
      [12, 0xffffffff],
      [12, 0],
      [32, 0xffffffff],
    ] as const) {
      const kept = words.getUint32(at, true);
      words.setUint32(at, value, true);
      await expect(loadNative({ ...native, model })).rejects.toThrow(FormatError);
      words.setUint32(at, kept, true);
    }
  });

  test("says what is wrong with a module that does not compile or run", async () => {
    const load = (source: string) =>
      loadNative({ ...native, model: torchBytes({ ...module, source }) });
    await expect(load("def forward(self, x: Tensor) -> Tensor:\n  return y\n")).rejects.toThrow(
      UnsupportedError,
    );
    const noMatrix = "def forward(self, x: Tensor) -> Tensor:\n  return torch.mm(x, x)\n";
    await expect(load(noMatrix)).rejects.toThrow(UnsupportedError);
  });
});
