/**
 * A place with fake edge tools (fake-tool.mjs) and fake `ssh` and `adb`, which run here what they are told to run on a
 * device, by a shell as the real ones do.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { Workplace } from "./command-line.js";

export const toolNames = ["trtexec", "benchmark_model", "benchncnn", "benchmark_app"] as const;
export type ToolName = (typeof toolNames)[number];

/** What a device file must say for each of the fake tools. */
const minimal: Readonly<Record<ToolName, object>> = {
  trtexec: { version: "8.5.2" },
  benchmark_model: { version: "2.16.1" },
  benchncnn: { version: "20240410", precision: "fp16" },
  benchmark_app: { version: "2024.6" },
};

/** Adds its arguments to a log beside it. */
const logged = (name: string) => String.raw`#!/bin/sh
home=$(cd "$(dirname "$0")" && pwd)
{ for word in "$@"; do printf '%s\037' "$word"; done; echo; } >> "$home/${name}.log"
`;

const fakeSsh = `${logged("ssh")}
while [ "$1" != "--" ]; do shift; done
if [ -f "$home/ssh-says" ]; then cat "$home/ssh-says" >&2; exit 255; fi
[ $# -eq 3 ] || { echo "fake ssh: $# words" >&2; exit 255; }
exec sh -c "$(printf '%s' "$3" | sed "s#mktemp -d /tmp#mktemp -d $home#")"
`;

/** An old adb: no exit codes, and carriage returns. */
const fakeAdb = String.raw`${logged("adb")}
disk="$home/android"
mkdir -p "$disk/data/local/tmp"
if [ "$1" = "-s" ]; then
  [ "$2" = "R58M12ABCDE" ] || { echo "adb: device '$2' not found" >&2; exit 1; }
  shift 2
fi
case "$1" in
  push) cp "$2" "$3" ;;
  pull) cp "$2" "$3" ;;
  shell) sh -c "$(printf '%s' "$2" | sed "s#mktemp -d /data#mktemp -d $disk/data#")" | sed 's/$/\r/' ;;
esac
`;

/** A workplace with tools. */
export class EdgePlace extends Workplace {
  readonly bin = this.path("bin");

  constructor() {
    super();
    mkdirSync(this.bin);
    for (const tool of toolNames) {
      copyFileSync(join(import.meta.dirname, "fake-tool.mjs"), join(this.bin, tool));
      chmodSync(join(this.bin, tool), 0o755);
    }
    // Without an extension these would be read as CommonJS.
    writeFileSync(join(this.bin, "package.json"), '{ "type": "module" }');
    for (const [name, text] of [
      ["ssh", fakeSsh],
      ["adb", fakeAdb],
    ] as const) {
      writeFileSync(join(this.bin, name), text);
      chmodSync(join(this.bin, name), 0o755);
    }
  }

  /** The PATH with the fakes before everything else. */
  get searchPath(): string {
    return `${this.bin}:${process.env.PATH}`;
  }

  /** Write a device file. */
  device(tool: ToolName, changes: object = {}, name = "device.yaml"): string {
    const path = join(this.bin, tool);
    return this.file(
      name,
      stringify({ device: "testboard", tool, path, ...minimal[tool], ...changes }),
    );
  }

  /** What the tools do wrong from now on; see fake-tool.mjs. */
  behave(...lines: readonly string[]): void {
    writeFileSync(join(this.bin, "behaviour"), lines.join("\n"));
  }

  private readLines(name: string): string[] {
    const path = join(this.bin, name);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
  }

  invocations(): { tool: string; argv: string[]; cwd: string; pid: number }[] {
    return this.readLines("invocations.jsonl").map((line) => JSON.parse(line));
  }

  /** Arguments of every call of a fake program. */
  calls(program: "ssh" | "adb"): string[][] {
    return this.readLines(`${program}.log`).map((line) => line.split("\x1f").slice(0, -1));
  }
}
