/**
 * The command line: dispatch, and errors to exit codes. Commands load what they need when they run, so that help and
 * mistakes answer at once.
 */
import { Command, CommanderError } from "commander";
import { InputErrors, InternalError, messageOf, SamaraError } from "../errors.js";
import { tool } from "../package.js";
import type { CommandBody } from "./command.js";
import { defineCommand } from "./command.js";
import { registerCommands } from "./commands/index.js";
import { exitCodeOf, exitCodes } from "./exit-codes.js";

/** Adds a command to the program; what `registerCommands` is given. */
export type Register = <Options>(
  name: string,
  description: string,
  configure: (command: Command) => void,
  body: CommandBody<Options>,
) => void;

/** All causes of an error, outermost first, for `-v`. */
function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause !== undefined && causes.length < 10) {
    causes.push(messageOf(cause));
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return causes;
}

/** Names in a file of a stranger's must not steer the reader's terminal. */
const withoutControls = (text: string) =>
  text.replaceAll(/\p{Cc}/gu, (character) => (/[\n\t]/.test(character) ? character : "\ufffd"));

/** An error as the user reads it on stderr. */
function describeError(error: unknown, verbose: boolean): string {
  const shown =
    error instanceof SamaraError ? error : new InternalError(messageOf(error), { cause: error });
  const single = (one: SamaraError) =>
    `error[${one.code}]: ${one.message}${one.hint === undefined ? "" : `\n  ${one.hint}`}`;
  const lines = shown instanceof InputErrors ? shown.errors.map(single) : [single(shown)];
  if (verbose) {
    lines.push(...causesOf(shown).map((cause) => `  caused by: ${cause}`));
    if (!(error instanceof SamaraError) && error instanceof Error && error.stack) {
      lines.push(error.stack);
    }
  } else if (!(error instanceof SamaraError)) {
    lines.push("  run again with -v to see where; this is a fault of samara, please report it");
  }
  return lines.join("\n");
}

/**
 * Run one command line.
 *
 * @param argv - arguments after the program's name
 * @returns the exit code
 */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const program = new Command("samara")
    .description("How fast will this network run on that device?")
    .version(tool.version)
    .exitOverride()
    .showHelpAfterError("(add --help for the options)")
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "error[input]: ")),
    });
  const register: Register = (name, description, configure, body) => {
    const command = program.command(name).description(description).exitOverride();
    configure(command);
    defineCommand(command, body, (code) => {
      exitCode = code;
    });
  };
  registerCommands(register);
  try {
    await program.parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    const verbose = argv.includes("-v") || argv.includes("--verbose");
    process.stderr.write(`${withoutControls(describeError(error, verbose))}\n`);
    return exitCodeOf(error);
  }
}
