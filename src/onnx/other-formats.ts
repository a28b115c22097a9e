/**
 * Files that are taken for ONNX files and are none, told by their first bytes. Nothing is ever unpacked.
 */
import { FormatError } from "../errors.js";

const formats: readonly {
  readonly what: string;
  readonly hint: string;
  readonly at: number;
  readonly bytes: readonly number[];
}[] = [
  { what: "gzip file", hint: "unpack it first", at: 0, bytes: [0x1f, 0x8b] },
  {
    what: "zip archive (PyTorch's checkpoints are such)",
    hint: "unpack it, or export the network as ONNX",
    at: 0,
    bytes: [0x50, 0x4b, 0x03, 0x04],
  },
  { what: "xz file", hint: "unpack it first", at: 0, bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { what: "zstd file", hint: "unpack it first", at: 0, bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  {
    what: "TensorFlow Lite model",
    hint: "export the network as ONNX",
    at: 4,
    bytes: [0x54, 0x46, 0x4c, 0x33],
  },
  {
    what: "HDF5 file (Keras)",
    hint: "export the network as ONNX",
    at: 0,
    bytes: [0x89, 0x48, 0x44, 0x46],
  },
  {
    what: "Git LFS pointer",
    hint: "fetch the file itself with `git lfs pull`",
    at: 0,
    bytes: [...Buffer.from("version https://git-lfs")],
  },
];

/** @throws FormatError that says what the file is, when it is known to be something else */
export function refuseOtherFormats(file: Uint8Array, path: string | undefined): void {
  const name = path ?? "the model";
  const options = path === undefined ? {} : { path };
  if (file.length === 0) {
    throw new FormatError(`${name} is empty, so it is no ONNX file`, {
      ...options,
      hint: "check how the file was written or sent",
    });
  }
  for (const { what, hint, at, bytes } of formats) {
    if (bytes.every((byte, i) => file[at + i] === byte)) {
      throw new FormatError(`${name} is a ${what}, not an ONNX file`, { ...options, hint });
    }
  }
}
