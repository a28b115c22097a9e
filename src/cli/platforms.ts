/**
 * Platforms named on the command line.
 */
import { InputErrors, type SamaraError } from "../errors.js";
import { type AvailablePlatform, findPlatform, listPlatforms } from "../platform/registry.js";

/**
 * Find all platforms that were named.
 *
 * @throws InputErrors, or the only error, when some cannot be found or cannot run here
 */
export async function findPlatforms(names: readonly string[]): Promise<AvailablePlatform[]> {
  const list = await listPlatforms();
  const found: AvailablePlatform[] = [];
  const errors: SamaraError[] = [];
  for (const name of names) {
    try {
      found.push(await findPlatform(name, list));
    } catch (error) {
      errors.push(error as SamaraError);
    }
  }
  if (errors.length === 1) throw errors[0]!;
  if (errors.length > 1) throw new InputErrors(errors);
  return found;
}
