/**
 * Platforms named on the command line.
 */
import { type AvailablePlatform, findPlatform, listPlatforms } from "../platform/registry.js";
import { InputChecks } from "./input-checks.js";

/**
 * Find all platforms that were named.
 *
 * @throws InputErrors, or the only error, when some cannot be found or cannot run here
 */
export async function findPlatforms(names: readonly string[]): Promise<AvailablePlatform[]> {
  const list = await listPlatforms();
  const found: AvailablePlatform[] = [];
  const checks = new InputChecks();
  for (const name of names) {
    const platform = await checks.wait(() => findPlatform(name, list), null);
    if (platform !== null) found.push(platform);
  }
  checks.done();
  return found;
}
