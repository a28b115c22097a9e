import { describe, expect, test } from "vitest";
import {
  trueLatencies,
  worldPlatforms,
  worldSamples,
  worldTable,
} from "../../../test/contract/synthetic-pool.js";
import { createBestProxy } from "./best-proxy.js";

const networks = worldTable(400, 2);
/** One of each family: siblings prune alike and could stand in for each other. */
const world = worldPlatforms(3, 3).filter((_, i) => i % 2 === 0);
const platforms = world.map((platform) => worldSamples(platform, networks, 150, 4));

describe("best-proxy", () => {
  test.each([0, 1, 2])(
    "takes the source that the target is a copy of at another speed",
    async (p) => {
      const fitted = await createBestProxy().fit({ networks, platforms }, { seed: 1 });
      const drawn = worldSamples(world[p]!, networks, 10, 9);
      const target = {
        ...drawn,
        platformId: "copy",
        latencyMs: drawn.latencyMs.map((ms) => 0.3 + 2 * ms),
      };
      const adapted = await fitted.adapt(target, networks, { seed: 1 });
      const { functions } = adapted.save().settings as {
        functions: { platforms: { platformId: string }[] };
      };
      expect(functions.platforms.map(({ platformId }) => platformId)).toEqual([world[p]!.id]);
      const { latencyMs } = await adapted.predict(networks, { coverage: 0.9 });
      const truth = trueLatencies(world[p]!, networks);
      const near = [...truth.keys()].filter(
        (row) => Math.abs(latencyMs[row]! / (0.3 + 2 * truth[row]!) - 1) < 0.1,
      );
      expect(near.length / truth.length).toBeGreaterThan(0.75);
    },
  );
});
