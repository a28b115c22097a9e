/**
 * Two platforms beside each other: the networks that both have measured, and the operators of both.
 */
import { useMemo } from "preact/hooks";
import { type OnBoth, platformsChart } from "../../../evaluate/charts-platforms.js";
import type { Descriptor } from "../../../record/descriptor.js";
import { median, quantile, spearman } from "../../../tensor/stats.js";
import { formatMs } from "../../../units.js";
import type { MeasurementRow, PlatformSummary } from "../../api/schemas.js";
import { Card } from "../parts/card.js";
import { ChartView } from "../parts/chart.js";
import { DataTable } from "../parts/data-table.js";
import { Figures } from "../parts/figures.js";
import { Empty, Loaded } from "../parts/states.js";
import { getResult, getResults, pathPart } from "../shell/api.js";
import { useQuery } from "../shell/use-query.js";
import { useResource } from "../shell/use-resource.js";

const nsPerMs = 1e6;
const ratioText = (ratio: number) => `× ${ratio.toPrecision(3)}`;

interface Pair {
  readonly first: string;
  readonly second: string;
}

function onBoth(ofFirst: readonly MeasurementRow[], ofSecond: readonly MeasurementRow[]): OnBoth[] {
  const latencies = new Map(
    ofFirst.filter(({ grade }) => grade !== "X").map(({ id, latencyMs }) => [id, latencyMs]),
  );
  return ofSecond.flatMap(({ id, latencyMs, grade }) => {
    const firstMs = latencies.get(id);
    return firstMs === undefined || grade === "X" ? [] : [{ id, firstMs, secondMs: latencyMs }];
  });
}

function Networks({ networks, first, second }: Pair & { readonly networks: readonly OnBoth[] }) {
  const ratios = networks.map(({ firstMs, secondMs }) => secondMs / firstMs);
  const ratio = median(ratios);
  const chart = useMemo(
    () => platformsChart(networks, { first, second, ratio }),
    [networks, first, second, ratio],
  );
  const correlation = spearman(
    networks.map(({ firstMs }) => firstMs),
    networks.map(({ secondMs }) => secondMs),
  );
  return (
    <>
      <Figures
        figures={[
          { name: "Second over first", value: ratioText(ratio), note: "median of networks" },
          {
            name: "Nine in ten networks",
            value: `${ratioText(quantile(ratios, 0.05))} to ${ratioText(quantile(ratios, 0.95))}`,
          },
          { name: "Rank correlation", value: correlation.toFixed(3), note: "Spearman" },
        ]}
      />
      <ChartView
        chart={chart}
        table={
          <DataTable
            caption="Networks measured on both platforms"
            rows={networks}
            keyOf={({ id }) => id}
            sorted="-Second over first"
            columns={[
              { name: "Network", sortBy: ({ id }) => id, cell: ({ id }) => id },
              {
                name: "First",
                isNumber: true,
                sortBy: ({ firstMs }) => firstMs,
                cell: ({ firstMs }) => formatMs(firstMs),
              },
              {
                name: "Second",
                isNumber: true,
                sortBy: ({ secondMs }) => secondMs,
                cell: ({ secondMs }) => formatMs(secondMs),
              },
              {
                name: "Second over first",
                isNumber: true,
                sortBy: ({ firstMs, secondMs }) => secondMs / firstMs,
                cell: ({ firstMs, secondMs }) => ratioText(secondMs / firstMs),
              },
            ]}
          />
        }
      />
    </>
  );
}

function Operators({ first, second }: Pair) {
  const resource = useResource(`${first} ${second}`, async (_key, signal) =>
    Promise.all(
      [first, second].map((id) =>
        getResult<Descriptor>(`/platforms/${pathPart(id)}/descriptor`, signal),
      ),
    ),
  );
  return (
    <Loaded resource={resource} what="both descriptors">
      {([one, other]) => {
        const costs = new Map(one!.rows.map(({ operator, latencyNs }) => [operator, latencyNs]));
        const rows = other!.rows.flatMap(({ operator, latencyNs }) => {
          const firstNs = costs.get(operator);
          return firstNs === undefined ? [] : [{ operator, firstNs, secondNs: latencyNs }];
        });
        return (
          <DataTable
            caption="Operators, each run alone, on both platforms"
            rows={rows}
            keyOf={({ operator }) => operator}
            sorted="-Second over first"
            columns={[
              { name: "Operator", sortBy: ({ operator }) => operator, cell: (row) => row.operator },
              {
                name: "First",
                isNumber: true,
                sortBy: ({ firstNs }) => firstNs,
                cell: ({ firstNs }) => formatMs(firstNs / nsPerMs),
              },
              {
                name: "Second",
                isNumber: true,
                sortBy: ({ secondNs }) => secondNs,
                cell: ({ secondNs }) => formatMs(secondNs / nsPerMs),
              },
              {
                name: "Second over first",
                isNumber: true,
                sortBy: ({ firstNs, secondNs }) => secondNs / firstNs,
                cell: ({ firstNs, secondNs }) => ratioText(secondNs / firstNs),
              },
            ]}
          />
        );
      }}
    </Loaded>
  );
}

function Comparison({ first, second }: Pair) {
  const resource = useResource(`${first} ${second}`, async (_key, signal) => {
    const [ofFirst, ofSecond] = await Promise.all(
      [first, second].map((id) =>
        getResults<MeasurementRow>(`/platforms/${pathPart(id)}/measurements`, signal),
      ),
    );
    return onBoth(ofFirst!, ofSecond!);
  });
  return (
    <Loaded resource={resource} what="the measurements of both">
      {(networks) =>
        networks.length < 2 ? (
          <Empty>These platforms have no networks in common.</Empty>
        ) : (
          <Networks {...{ networks, first, second }} />
        )
      }
    </Loaded>
  );
}

function Choice(props: {
  readonly name: string;
  readonly value: string | undefined;
  readonly ids: readonly string[];
  readonly choose: (id: string) => void;
}) {
  const { name, value, ids, choose } = props;
  return (
    <label class="field">
      {name}
      <select value={value ?? ""} onChange={({ currentTarget }) => choose(currentTarget.value)}>
        <option value="">none chosen</option>
        {ids.map((id) => (
          <option key={id} value={id} selected={id === value}>
            {id}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Choose two platforms and see how they differ. */
export function PlatformComparison({
  platforms,
}: {
  readonly platforms: readonly PlatformSummary[];
}) {
  const { query, setQuery } = useQuery();
  const ids = platforms.map(({ platform }) => platform.id);
  const { platform: first, with: second } = query;
  const isDescribed = (id: string) =>
    platforms.some((one) => one.platform.id === id && one.hasDescriptor);
  const isComplete =
    first !== undefined && second !== undefined && ids.includes(first) && ids.includes(second);
  return (
    <Card title="Compare two">
      <div class="columns">
        <Choice name="First" value={first} ids={ids} choose={(id) => setQuery({ platform: id })} />
        <Choice name="Second" value={second} ids={ids} choose={(id) => setQuery({ with: id })} />
      </div>
      {isComplete ? (
        <>
          <Comparison key={`${first} ${second}`} first={first} second={second} />
          {isDescribed(first) && isDescribed(second) && <Operators first={first} second={second} />}
        </>
      ) : (
        <Empty>Choose two platforms to see the same networks on both.</Empty>
      )}
    </Card>
  );
}
