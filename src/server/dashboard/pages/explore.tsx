/**
 * Explore: all networks of the space by latency and accuracy, one in detail.
 */
import type { EChartsType } from "echarts/core";
import { useMemo, useRef, useState } from "preact/hooks";
import { paretoFront } from "../../../search/pareto.js";
import {
  archStringFromCell,
  cellFromIndex,
  indexFromArch,
} from "../../../space/nasbench201/cell.js";
import { formatMs } from "../../../units.js";
import { AccuracyChoice } from "../parts/accuracy-choice.js";
import { Card } from "../parts/card.js";
import { ChartView } from "../parts/chart.js";
import { DataTable } from "../parts/data-table.js";
import { Empty, Loaded } from "../parts/states.js";
import {
  chosenAccuracy,
  meritText,
  type Networks,
  useAccuracies,
  useChosenPlatform,
  useNetworks,
} from "../parts/use-networks.js";
import { useQuery } from "../shell/use-query.js";
import { exploreChart } from "./explore-chart.js";
import { NetworkPanel } from "./explore-network.js";

/** Rows of the table of selected networks; the file has all. */
const mostRows = 200;

/** A rectangle of the chart: log10 of ms across, merit up. */
interface Area {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

interface BrushEvent {
  readonly areas: readonly { readonly coordRange?: [[number, number], [number, number]] }[];
}

function rowsInside({ columns, merit }: Networks, shown: Int32Array, { x, y }: Area): number[] {
  return Array.from(shown).filter((i) => {
    const place = Math.log10(columns.latencyMs[i]!);
    return place >= x[0] && place <= x[1] && merit[i]! >= y[0] && merit[i]! <= y[1];
  });
}

function saveCsv({ columns, merit }: Networks, rows: readonly number[]): void {
  const lines = rows.map((i) =>
    [
      `nasbench201/${i}`,
      archStringFromCell(cellFromIndex(i)),
      columns.latencyMs[i],
      columns.lowerMs[i],
      columns.upperMs[i],
      merit[i],
    ].join(","),
  );
  const text = ["network,arch,latencyMs,lowerMs,upperMs,merit", ...lines].join("\n");
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "networks.csv";
  link.click();
  URL.revokeObjectURL(url);
}

function NetworkTable(props: {
  readonly caption: string;
  readonly networks: Networks;
  readonly rows: readonly number[];
  readonly choose: (index: number) => void;
}) {
  const { caption, networks, rows, choose } = props;
  const { columns, merit, meritName } = networks;
  return (
    <DataTable
      caption={caption}
      rows={rows}
      keyOf={String}
      columns={[
        {
          name: "Network",
          sortBy: (i) => i,
          cell: (i) => (
            <button type="button" class="link" onClick={() => choose(i)}>
              nasbench201/{i}
            </button>
          ),
        },
        {
          name: "Latency",
          isNumber: true,
          sortBy: (i) => columns.latencyMs[i]!,
          cell: (i) => formatMs(columns.latencyMs[i]!),
        },
        {
          name: "90 % interval",
          isNumber: true,
          cell: (i) => `${formatMs(columns.lowerMs[i]!)} to ${formatMs(columns.upperMs[i]!)}`,
        },
        {
          name: meritName,
          isNumber: true,
          sortBy: (i) => merit[i]!,
          cell: (i) => meritText(merit[i]!),
        },
      ]}
    />
  );
}

function Cloud({
  networks,
  chosen,
  choose,
}: {
  readonly networks: Networks;
  readonly chosen: number | undefined;
  readonly choose: (index: number) => void;
}) {
  const { query, setQuery } = useQuery();
  const [area, setArea] = useState<Area | null>(null);
  const instance = useRef<EChartsType | null>(null);
  const latest = useRef(choose);
  latest.current = choose;
  const hasAll = query.unconnected === "shown";
  const { columns, merit } = networks;
  const shown = useMemo(
    () =>
      Int32Array.from(columns.latencyMs.keys()).filter(
        (i) => Number.isFinite(merit[i]!) && (hasAll || columns.connected[i] === 1),
      ),
    [columns, merit, hasAll],
  );
  const front = useMemo(
    () => paretoFront(columns.latencyMs, merit, shown),
    [columns, merit, shown],
  );
  const chart = useMemo(
    () => exploreChart(networks, shown, front, chosen),
    [networks, shown, front, chosen],
  );
  const selected = useMemo(
    () => (area === null ? null : rowsInside(networks, shown, area)),
    [networks, shown, area],
  );
  return (
    <Card
      title="All networks"
      aside={
        <>
          <button
            type="button"
            onClick={() =>
              instance.current?.dispatchAction({
                type: "takeGlobalCursor",
                key: "brush",
                brushOption: { brushType: "rect", brushMode: "single" },
              })
            }
          >
            Select an area
          </button>
          {area !== null && (
            <button
              type="button"
              onClick={() => {
                setArea(null);
                instance.current?.dispatchAction({ type: "brush", areas: [] });
              }}
            >
              Clear the selection
            </button>
          )}
          <label>
            <input
              type="checkbox"
              checked={hasAll}
              onChange={({ currentTarget }) =>
                setQuery({ unconnected: currentTarget.checked ? "shown" : null })
              }
            />{" "}
            also networks without a path from input to output
          </label>
        </>
      }
    >
      {shown.length === 0 ? (
        <Empty>The table has no accuracy of any network of this space.</Empty>
      ) : (
        <ChartView
          chart={chart}
          renderer="canvas"
          onReady={(ready) => {
            instance.current = ready;
            ready.on("click", (event) => {
              const index = (event.data as unknown as readonly number[] | undefined)?.[2];
              if (index !== undefined) latest.current(index);
            });
            ready.on("brushEnd", (event) => {
              const range = (event as unknown as BrushEvent).areas[0]?.coordRange;
              setArea(range ? { x: range[0], y: range[1] } : null);
              ready.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption: {} });
            });
          }}
          table={
            <NetworkTable
              caption="Pareto front, by latency"
              rows={front}
              {...{ networks, choose }}
            />
          }
        />
      )}
      <div aria-live="polite">
        {selected !== null && (
          <>
            <p class="row">
              {selected.length.toLocaleString("en")} networks selected
              <button type="button" onClick={() => saveCsv(networks, selected)}>
                Save them as CSV
              </button>
            </p>
            <NetworkTable
              caption={
                selected.length > mostRows
                  ? `The first ${mostRows} of ${selected.length.toLocaleString("en")} selected networks`
                  : "Selected networks"
              }
              rows={selected.slice(0, mostRows)}
              {...{ networks, choose }}
            />
          </>
        )}
      </div>
    </Card>
  );
}

function Finder({ choose }: { readonly choose: (index: number) => void }) {
  const [problem, setProblem] = useState<string | null>(null);
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        const text = String(new FormData(event.currentTarget).get("network") ?? "");
        try {
          choose(indexFromArch(text));
          setProblem(null);
        } catch (error) {
          setProblem((error as Error).message);
        }
      }}
    >
      <label class="field">
        Network, by index or architecture string
        <input name="network" type="text" placeholder="1462" />
      </label>
      <button type="submit">Show</button>
      {problem !== null && <p role="alert">{problem}</p>}
    </form>
  );
}

/** The page. */
export default function ExplorePage() {
  const { query, setQuery } = useQuery();
  const platform = useChosenPlatform();
  const tables = useAccuracies();
  const accuracy = chosenAccuracy(tables.data ?? [], query.accuracy);
  const networks = useNetworks(tables.state === "ready" ? platform.data : undefined, accuracy, 0.9);
  const chosen = query.network === undefined ? undefined : Number(query.network);
  const choose = (index: number) => setQuery({ network: String(index) });
  return (
    <div class="stack">
      <h1>Explore</h1>
      <Card title="What to look at">
        <p class="muted">Platform: {platform.data ?? "none has a predictor"}</p>
        <Loaded resource={tables} what="accuracy tables">
          {(known) => <AccuracyChoice tables={known} chosen={accuracy} reload={tables.retry} />}
        </Loaded>
        <Finder choose={choose} />
      </Card>
      <Loaded resource={networks} what="all networks">
        {(ready) => <Cloud networks={ready} chosen={chosen} choose={choose} />}
      </Loaded>
      {chosen === undefined || platform.data === undefined ? (
        <Empty>Click a network, or choose one of the front, to see what it consists of.</Empty>
      ) : (
        <NetworkPanel
          index={chosen}
          platform={platform.data}
          accuracy={accuracy?.name}
          choose={choose}
        />
      )}
    </div>
  );
}
