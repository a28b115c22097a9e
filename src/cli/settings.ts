/**
 * Options that every command has, and where their values come from: flags > environment > config file > default.
 */
import { existsSync, readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { FormatError, InputError } from "../errors.js";
import { configFile } from "./paths.js";

export interface CommonOptions {
  readonly json?: boolean;
  readonly output?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color?: boolean;
  readonly seed: number;
}

/**
 * Parse an option that must be an integer in a range; for `argParser`.
 *
 * @throws InputError naming the option, the range and the value
 */
export function integerOption(name: string, min: number, max = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
      const range = max === Number.MAX_SAFE_INTEGER ? `>= ${min}` : `in ${min}…${max}`;
      throw new InputError(`--${name} must be an integer ${range}, got "${text}"`);
    }
    return value;
  };
}

/** Parse an option that must be a share strictly between 0 and 1. */
export function shareOption(name: string) {
  return (text: string): number => {
    const value = Number(text);
    if (!(value > 0 && value < 1)) {
      throw new InputError(`--${name} must be a fraction between 0 and 1, got "${text}"`);
    }
    return value;
  };
}

/** Collect an option that may be given several times. */
export const collect = (value: string, previous: readonly string[] = []): string[] => [
  ...previous,
  value,
];

/** Add the options of every command, and the environment variable of each option (`SAMARA_SEED`, …). */
export function addCommonOptions(command: Command): Command {
  command
    .option("--json", "print one JSON document")
    .option("--output <format>", "table, json, jsonl or csv")
    .option("-q, --quiet", "no progress")
    .option("-v, --verbose", "show the causes of errors")
    .option("--no-color", "no colours")
    .addOption(
      new Option("--seed <n>", "seed of every draw").default(0).argParser(integerOption("seed", 0)),
    );
  for (const option of command.options) {
    if (option.long === "--json" || option.long === "--no-color") continue;
    option.env(`SAMARA_${option.attributeName().replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`);
  }
  return command;
}

/**
 * Fill in values from the config file where neither a flag nor the environment gave one.
 *
 * @throws FormatError when the file is not a JSON object; InputError when a value is wrong
 */
export function applyConfigFile(command: Command, path: string = configFile()): void {
  if (!existsSync(path)) return;
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new FormatError(`config file ${path} is not JSON`, { path, cause });
  }
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    throw new FormatError(`config file ${path} must hold one JSON object`, { path });
  }
  for (const option of command.options) {
    const key = option.attributeName();
    const value = (config as Record<string, unknown>)[key];
    const source = command.getOptionValueSource(key);
    if (value === undefined || (source !== undefined && source !== "default")) continue;
    const parsed =
      option.parseArg && typeof value !== "boolean"
        ? option.parseArg(String(value), undefined as never)
        : value;
    command.setOptionValueWithSource(key, parsed, "config");
  }
}
