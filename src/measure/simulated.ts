/**
 * Simulated counters of a descriptor's operators, beside whatever was measured of them.
 */
import { InputError } from "../errors.js";
import type { AvailablePlatform } from "../platform/registry.js";
import { type SimulateOptions, simulateCounters, simulationOf } from "../platform/simulate.js";
import type { Descriptor } from "../record/descriptor.js";
import { operatorNetworks } from "../space/nasbench201/operators.js";

/**
 * Check that a platform's counters can be simulated here.
 *
 * @throws UnsupportedError with what would help
 */
export function checkSimulation({ platform, runtime }: AvailablePlatform): void {
  simulationOf(runtime, platform.runtime);
}

/**
 * A descriptor with simulated counters in every row; those that it had from a simulation before are replaced, measured
 * ones stay.
 *
 * @throws InputError when the descriptor is another platform's; UnsupportedError when the platform cannot be simulated
 */
export async function addSimulatedCounters(
  descriptor: Descriptor,
  { platform, runtime }: AvailablePlatform,
  options: SimulateOptions = {},
): Promise<Descriptor> {
  if (descriptor.platform.id !== platform.id) {
    throw new InputError(`the descriptor is of ${descriptor.platform.id}, not of ${platform.id}`);
  }
  const { inputSize } = descriptor;
  const wanted = new Set(descriptor.rows.map(({ operator }) => operator));
  const graphs = operatorNetworks({ inputSize })
    .filter(({ operator }) => wanted.has(operator))
    .map(({ operator, graph }) => ({ name: operator, graph }));
  const simulated = await simulateCounters(runtime, platform.runtime, graphs, options);
  return {
    ...descriptor,
    rows: descriptor.rows.map((row) => ({
      ...row,
      counters: [
        ...row.counters.filter(({ source }) => source !== "simulated"),
        ...(simulated.get(row.operator) ?? []),
      ],
    })),
  };
}
