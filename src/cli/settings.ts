/**
 * Options that every command has, and where their values come from: flags > environment > config file > default.
 */
import { existsSync, readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { FormatError, InputError } from "../errors.js";
import { configFile } from "../store/paths.js";
import { InputChecks } from "./input-checks.js";

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

/** Parse `--confidence`: a one-sided bound at c is the end of the two-sided interval that covers 2c − 1, so c is above one half. */
export function confidenceOption(text: string): number {
  const confidence = Number(text);
  if (confidence > 0.5 && confidence < 1) return confidence;
  throw new InputError(`--confidence must be above 0.5 and below 1, got "${text}"`);
}

/** Collect an option that may be given several times. */
export const collect = (value: string, previous: readonly string[] = []): string[] => [
  ...previous,
  value,
];

const isNo = (text: string) => ["0", "false", "no"].includes(text);

/**
 * Add the options of every command, and the environment variable of each option (`SAMARA_SEED`, …).
 *
 * Options that begin with `--no-` have no variable: its name would be that of the option they deny.
 *
 * @returns what is wrong with the values given, filled while the command line is read
 */
export function addCommonOptions(command: Command): InputChecks {
  command
    .option("--json", "print one JSON document")
    .option("--output <format>", "table, json, jsonl or csv")
    .option("-q, --quiet", "no progress")
    .option("-v, --verbose", "show the causes of errors")
    .option("--no-color", "no colours")
    .addOption(
      new Option("--seed <n>", "seed of every draw").default(0).argParser(integerOption("seed", 0)),
    );
  const checks = new InputChecks();
  for (const option of command.options) {
    const parse = option.parseArg;
    if (parse !== undefined && parse !== collect) {
      option.argParser((text: string, previous: unknown) =>
        checks.run(() => parse(text, previous), previous),
      );
    }
    if (option.long === "--json" || option.negate) continue;
    // For the help text: commander reads a variable only if it was named before the option was added.
    option.env(`SAMARA_${option.attributeName().replaceAll(/[A-Z]/g, "_$&").toUpperCase()}`);
  }
  return checks;
}

const takesValue = (option: Option) => option.required || option.optional;

/** Whether nothing but a default gave this option its value. */
function isOpen(command: Command, option: Option): boolean {
  const source = command.getOptionValueSource(option.attributeName());
  return source === undefined || source === "default";
}

/**
 * Fill in values from the environment where no flag gave one.
 *
 * @throws InputError when a value is wrong
 */
export function applyEnvironment(command: Command): void {
  for (const option of command.options) {
    const text = option.envVar === undefined ? undefined : process.env[option.envVar];
    if (text === undefined || text === "" || !isOpen(command, option)) continue;
    const { parseArg } = option;
    const value = takesValue(option) ? (parseArg?.(text, undefined) ?? text) : !isNo(text);
    command.setOptionValueWithSource(option.attributeName(), value, "env");
  }
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
  const checks = new InputChecks();
  for (const option of command.options) {
    const key = option.attributeName();
    const value = (config as Record<string, unknown>)[key];
    if (value === undefined || !isOpen(command, option)) continue;
    const parsed = checks.run(() => valueFromConfig(option, key, value, path), undefined);
    command.setOptionValueWithSource(key, parsed, "config");
  }
  checks.done();
}

/** A value of the config file as the option's flag would have given it. */
function valueFromConfig(option: Option, key: string, value: unknown, path: string): unknown {
  const values = option.parseArg === collect && Array.isArray(value) ? value : [value];
  const isRight = (item: unknown) =>
    takesValue(option)
      ? typeof item === "string" || typeof item === "number"
      : typeof item === "boolean";
  if (!values.every(isRight)) {
    const rule = takesValue(option) ? "a string or number" : "true or false";
    throw new FormatError(
      `config file ${path}: "${key}" must be ${rule}, got ${JSON.stringify(value)}`,
      { path, field: key },
    );
  }
  if (!takesValue(option)) return value;
  return values.reduce<unknown>(
    (previous, item) => (option.parseArg ? option.parseArg(String(item), previous) : String(item)),
    undefined,
  );
}
