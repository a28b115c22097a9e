import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FormatError, InternalError, NotFoundError, StorageError } from "../errors.js";
import { readPredictor, type StoredPredictor, writePredictor } from "./predictors.js";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.js";

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "samara-predictors-"));
  folder = join(root, "predictor");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Of the system, used by one test. */
const programs = { mount: "mount", unmount: "umount" };

const saved: StoredPredictor = {
  method: "some-method",
  formatVersion: 2,
  settings: { kind: "fitted", list: [1, 2.5], nested: { µ: "°" } },
  tensors: new Map([
    ["b", { shape: [2, 2], values: Float32Array.of(1, -2, 3.5, 4e-30) }],
    ["a", { shape: [3], values: Float64Array.of(Math.PI, -1e300, 0) }],
    ["empty", { shape: [0, 4], values: new Float32Array(0) }],
  ]),
  features: [{ name: "multiply-accumulates", unit: "MACs" }],
};
const provenance = {
  poolHash: "0123456789abcdef",
  seed: 7,
  trainedFamilies: ["onnxruntime"],
  heldOutFamilies: ["tflite"],
  platform: null,
  nSamples: 100,
};

const weights = () => join(folder, "weights.safetensors");
const description = () => join(folder, "predictor.json");

function changeJson(change: (json: Record<string, unknown>) => void): void {
  const json = JSON.parse(readFileSync(description(), "utf8"));
  change(json);
  writeFileSync(description(), JSON.stringify(json));
}

describe("writePredictor() and readPredictor()", () => {
  test("give back what was saved, bit by bit", () => {
    writePredictor(folder, saved, provenance);
    const read = readPredictor(folder);
    expect(read.saved).toEqual(saved);
    expect(read.provenance).toEqual({ ...provenance, accuracy: null });
    expect(readdirSync(root)).toEqual(["predictor"]);
  });

  test("replace an older predictor", () => {
    writePredictor(folder, saved, provenance);
    writePredictor(folder, { ...saved, method: "other" }, provenance);
    expect(readPredictor(folder).saved.method).toBe("other");
    expect(readdirSync(root)).toEqual(["predictor"]);
  });

  test("never replace a folder with other work in it, or a file", () => {
    mkdirSync(folder);
    writeFileSync(join(folder, "thesis.tex"), "precious");
    expect(() => writePredictor(folder, saved, provenance)).toThrow(
      "holds other files (thesis.tex)",
    );
    expect(existsSync(join(folder, "thesis.tex"))).toBe(true);
    const file = join(root, "file");
    writeFileSync(file, "precious");
    expect(() => writePredictor(file, saved, provenance)).toThrow(StorageError);
    expect(readFileSync(file, "utf8")).toBe("precious");
  });

  test("refuse a path under a file and leave nothing behind", () => {
    writeFileSync(join(root, "file"), "");
    expect(() => writePredictor(join(root, "file", "predictor"), saved, provenance)).toThrow(
      StorageError,
    );
    expect(readdirSync(root)).toEqual(["file"]);
  });

  test("say that the disk is full and keep the older predictor", (context) => {
    const disk = join(root, "disk");
    mkdirSync(disk);
    const mounted = spawnSync(programs.mount, ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
    if (mounted.status !== 0) {
      context.skip("needs the right to mount a small tmpfs");
    }
    try {
      const small = join(disk, "predictor");
      writePredictor(small, saved, provenance);
      const tensors = new Map([["big", { shape: [50_000], values: new Float64Array(50_000) }]]);
      expect(() => writePredictor(small, { ...saved, tensors }, provenance)).toThrow(
        "no space left on the device",
      );
      expect(readPredictor(small).saved).toEqual(saved);
      expect(readdirSync(disk)).toEqual(["predictor"]);
    } finally {
      spawnSync(programs.unmount, [disk]);
    }
  });

  test("refuse numbers that are not finite", () => {
    const nan = new Map([["a", { shape: [1], values: Float32Array.of(Number.NaN) }]]);
    expect(() => writePredictor(folder, { ...saved, tensors: nan }, provenance)).toThrow(
      InternalError,
    );
    const settings = { deep: [{ value: Number.POSITIVE_INFINITY }] };
    expect(() => writePredictor(folder, { ...saved, settings }, provenance)).toThrow(
      "settings.deep.0.value",
    );
    expect(existsSync(folder)).toBe(false);
  });

  test("say that there is no predictor", () => {
    expect(() => readPredictor(folder)).toThrow(NotFoundError);
  });

  test("refuse a newer version and say what to do", () => {
    writePredictor(folder, saved, provenance);
    changeJson((json) => {
      json.schema = "samara/predictor/2";
    });
    expect(() => readPredictor(folder)).toThrow("which reads up to 1");
  });

  test.each([
    ["another schema", { schema: "samara/pool/1" }],
    ["a missing method", { method: undefined }],
    ["a wrong provenance", { provenance: {} }],
  ])("refuse %s", (_, change) => {
    writePredictor(folder, saved, provenance);
    changeJson((json) => Object.assign(json, change));
    expect(() => readPredictor(folder)).toThrow(FormatError);
  });

  test("ignore fields that a later version adds", () => {
    writePredictor(folder, saved, provenance);
    changeJson((json) => {
      json.later = { new: true };
    });
    expect(readPredictor(folder).saved).toEqual(saved);
  });

  test("refuse JSON that is cut short", () => {
    writePredictor(folder, saved, provenance);
    writeFileSync(description(), readFileSync(description(), "utf8").slice(0, 50));
    expect(() => readPredictor(folder)).toThrow(FormatError);
  });

  test("refuse weights that are cut short, missing, or of another save", () => {
    writePredictor(folder, saved, provenance);
    const bytes = readFileSync(weights());
    writeFileSync(weights(), bytes.subarray(0, bytes.length - 3));
    expect(() => readPredictor(folder)).toThrow("cut short");
    rmSync(weights());
    expect(() => readPredictor(folder)).toThrow(NotFoundError);
    const other = join(root, "other");
    const tensors = new Map(saved.tensors);
    tensors.set("a", { shape: [3], values: Float64Array.of(1, 2, 3) });
    writePredictor(other, { ...saved, tensors }, provenance);
    cpSync(join(other, "weights.safetensors"), weights());
    expect(() => readPredictor(folder)).toThrow("is not the one that predictor.json describes");
  });
});

describe("decodeSafetensors()", () => {
  const file = encodeSafetensors(saved.tensors);

  /** The same file with another header. */
  function withHeader(change: (header: Record<string, { data_offsets: number[] }>) => void) {
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(Buffer.from(file.subarray(8, 8 + length)).toString("utf8"));
    change(header);
    const text = Buffer.from(JSON.stringify(header));
    const head = new Uint8Array(8);
    new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true);
    return Buffer.concat([head, text, file.subarray(8 + length)]);
  }

  test("reads a file at any place in memory", () => {
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(decodeSafetensors(shifted.subarray(3), "f")).toEqual(decodeSafetensors(file, "f"));
  });

  test("keeps metadata of other writers out of the tensors", () => {
    const bytes = withHeader((header) => {
      Object.assign(header, { __metadata__: { format: "pt" } });
    });
    expect([...decodeSafetensors(bytes, "f").keys()].sort()).toEqual(["a", "b", "empty"]);
  });

  test("refuses a NaN, offsets that do not fit, unknown types and left-over bytes", () => {
    const nan = file.slice();
    nan.fill(0xff, nan.length - 4);
    expect(() => decodeSafetensors(nan, "f")).toThrow("holds NaN");
    const wide = withHeader((header) => {
      header.b!.data_offsets[1]! += 4;
    });
    expect(() => decodeSafetensors(wide, "f")).toThrow('tensor "b" has 20 bytes');
    const typed = withHeader((header) => {
      Object.assign(header.b!, { dtype: "BF16" });
    });
    expect(() => decodeSafetensors(typed, "f")).toThrow("malformed");
    expect(() => decodeSafetensors(Buffer.concat([file, Buffer.alloc(4)]), "f")).toThrow(
      "belong to no tensor",
    );
  });

  test("refuses what is no such file at all", () => {
    expect(() => decodeSafetensors(new Uint8Array(3), "f")).toThrow("too few");
    expect(() => decodeSafetensors(new Uint8Array(20).fill(0x7f), "f")).toThrow("claims");
  });
});
