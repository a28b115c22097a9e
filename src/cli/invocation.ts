/**
 * How this program was called, so that what it tells to type next works as it stands.
 */

/**
 * A command line as the user would type it: `npm start -- …` in a clone, `npx samara …`, or `samara …`.
 *
 * @param environment - of this process; npm says there what it runs
 */
export function asTyped(
  commandLine: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (environment.npm_lifecycle_event === "start") return `npm start -- ${commandLine}`;
  if (environment.npm_command === "exec") return `npx samara ${commandLine}`;
  return `samara ${commandLine}`;
}
