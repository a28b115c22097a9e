/**
 * Platforms: all that are known, one in detail, two compared.
 */
import { useMemo } from "preact/hooks";
import { formatMs, formatShare } from "../../../units.js";
import type { PlatformSummary } from "../../api/schemas.js";
import { Card } from "../parts/card.js";
import { type Column, DataTable } from "../parts/data-table.js";
import { Empty, Loaded } from "../parts/states.js";
import { usePlatforms } from "../shell/selector.js";
import { useQuery } from "../shell/use-query.js";
import { PlatformComparison } from "./platform-comparison.js";
import { PlatformDetailPanel } from "./platform-detail.js";
import { gradesText } from "./platform-words.js";

const latency = (latencyMs: number | null) => (latencyMs === null ? "–" : formatMs(latencyMs));

function columnsOf(choose: (id: string) => void): Column<PlatformSummary>[] {
  return [
    {
      name: "Platform",
      sortBy: ({ platform }) => platform.id,
      cell: ({ platform }) => (
        <button type="button" class="link" onClick={() => choose(platform.id)}>
          {platform.id}
        </button>
      ),
    },
    {
      name: "Device",
      sortBy: ({ platform }) => platform.device.cpuModel,
      cell: ({ platform }) => platform.device.cpuModel,
    },
    {
      name: "Runtime",
      sortBy: ({ platform: { runtime } }) => `${runtime.family} ${runtime.version}`,
      cell: ({ platform: { runtime } }) => `${runtime.name ?? runtime.family} ${runtime.version}`,
    },
    {
      name: "Threads",
      isNumber: true,
      sortBy: ({ platform }) => platform.runtime.threads,
      cell: ({ platform }) => platform.runtime.threads,
    },
    {
      name: "Networks",
      isNumber: true,
      sortBy: ({ nMeasured }) => nMeasured,
      cell: ({ nMeasured }) => nMeasured.toLocaleString("en"),
    },
    {
      name: "Fastest",
      isNumber: true,
      sortBy: ({ fastestMs }) => fastestMs,
      cell: ({ fastestMs }) => latency(fastestMs),
    },
    {
      name: "Median",
      isNumber: true,
      sortBy: ({ medianMs }) => medianMs,
      cell: ({ medianMs }) => latency(medianMs),
    },
    {
      name: "Slowest",
      isNumber: true,
      sortBy: ({ slowestMs }) => slowestMs,
      cell: ({ slowestMs }) => latency(slowestMs),
    },
    {
      name: "Repeat noise",
      isNumber: true,
      sortBy: ({ repeatNoise }) => repeatNoise,
      cell: ({ repeatNoise }) => (repeatNoise === null ? "–" : formatShare(repeatNoise, 2)),
    },
    { name: "Grades", cell: ({ grades }) => gradesText(grades) },
    {
      name: "Predictor",
      sortBy: ({ predictor }) => predictor?.origin ?? null,
      cell: ({ predictor }) =>
        predictor === null ? "none" : `${predictor.origin}, ${predictor.nSamples} samples`,
    },
    { name: "Origin", sortBy: ({ origin }) => origin, cell: ({ origin }) => origin },
  ];
}

function matches({ platform }: PlatformSummary, filter: string): boolean {
  const { id, device, runtime } = platform;
  const text = `${id} ${device.cpuModel} ${runtime.family} ${runtime.name ?? ""} ${runtime.version}`;
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.toLowerCase().includes(word));
}

function PlatformList({ platforms }: { readonly platforms: readonly PlatformSummary[] }) {
  const { query, setQuery } = useQuery();
  const filter = query.filter ?? "";
  const shown = platforms.filter((platform) => matches(platform, filter));
  return (
    <Card title="All platforms">
      <label class="field">
        Filter by id, processor or runtime
        <input
          type="search"
          value={filter}
          onInput={({ currentTarget }) => setQuery({ filter: currentTarget.value })}
        />
      </label>
      <p class="muted" role="status">
        {shown.length} of {platforms.length} platforms
      </p>
      {shown.length === 0 ? (
        <Empty>
          {platforms.length === 0
            ? "Nothing is measured yet. Onboard a platform of this machine first."
            : "No platform has all these words."}
        </Empty>
      ) : (
        <DataTable
          caption="Platforms: latencies of measured networks, how well they repeat, and what is adapted to them"
          columns={columnsOf((id) => setQuery({ platform: id }))}
          rows={shown}
          keyOf={({ platform }) => platform.id}
          isChosen={({ platform }) => platform.id === query.platform}
          sorted="Platform"
        />
      )}
    </Card>
  );
}

/** The page. */
export default function PlatformsPage() {
  const resource = usePlatforms();
  const { query } = useQuery();
  const known = useMemo(
    () => resource.data?.find(({ platform }) => platform.id === query.platform),
    [resource.data, query.platform],
  );
  return (
    <div class="stack">
      <h1>Platforms</h1>
      <Loaded resource={resource} what="platforms">
        {(platforms) => (
          <>
            <PlatformList platforms={platforms} />
            {query.platform === undefined ? (
              <Empty>Choose a platform to see its operators, noise and circumstances.</Empty>
            ) : known === undefined ? (
              <Empty>There is no platform {query.platform}. Choose one of the list.</Empty>
            ) : (
              <PlatformDetailPanel key={query.platform} id={query.platform} />
            )}
            <PlatformComparison platforms={platforms} />
          </>
        )}
      </Loaded>
    </div>
  );
}
