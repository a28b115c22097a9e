/**
 * Which platform the pages speak of: chosen in the header, kept in the address.
 */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useLocation } from "preact-iso";
import type { PlatformSummary } from "../../api/schemas.js";
import { getResults } from "./api.js";
import { useQuery } from "./use-query.js";
import { type Resource, useResource } from "./use-resource.js";

/** How often platforms may have changed since the page was loaded; count it up and they are asked for again. */
export const platformChanges = signal(0);

/** All platforms; each page that needs them asks anew, so that a new one appears. */
export function usePlatforms(): Resource<PlatformSummary[]> {
  const resource = useResource("/platforms", getResults<PlatformSummary>);
  const { retry } = resource;
  const changes = platformChanges.value;
  useEffect(() => {
    if (changes > 0) retry();
  }, [changes, retry]);
  return resource;
}

/** The platform of the address: chosen, or that of the predictor that the path names. */
export function usePlatformId(): string | undefined {
  const { path } = useLocation();
  const { query } = useQuery();
  const named = /^\/predictor\/([^/]+)/.exec(path)?.[1];
  return named === undefined ? query.platform : decodeURIComponent(named);
}

/** The header's selector. On a predictor's page it leads to the other predictor. */
export function PlatformSelector() {
  const { path, route } = useLocation();
  const { setQuery } = useQuery();
  const platforms = usePlatforms();
  const chosen = usePlatformId();
  const choose = (id: string) => {
    if (path.startsWith("/predictor")) {
      route(id === "" ? "/predictor" : `/predictor/${encodeURIComponent(id)}`);
    } else setQuery({ platform: id });
  };
  return (
    <>
      <label for="platform-selector">Platform</label>
      <select
        id="platform-selector"
        value={chosen ?? ""}
        onChange={({ currentTarget }) => choose(currentTarget.value)}
      >
        <option value="">none chosen</option>
        {(platforms.data ?? []).map(({ platform: { id } }) => (
          <option key={id} value={id} selected={id === chosen}>
            {id}
          </option>
        ))}
        {chosen !== undefined &&
          !(platforms.data ?? []).some(({ platform }) => platform.id === chosen) && (
            <option value={chosen} selected>
              {chosen}
            </option>
          )}
      </select>
    </>
  );
}
