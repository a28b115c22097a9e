/**
 * Explore: all networks of the space by latency and accuracy, one in detail.
 */
import { useEffect, useMemo, useState } from "preact/hooks";
import { paretoFront } from "../../../search/pareto.js";
import { indexFromArch } from "../../../space/nasbench201/cell.js";
import { AccuracyChoice } from "../parts/accuracy-choice.js";
import { Card } from "../parts/card.js";
import { Empty, Loaded } from "../parts/states.js";
import {
  chosenAccuracy,
  type Networks,
  useAccuracies,
  useChosenPlatform,
  useNetworks,
} from "../parts/use-networks.js";
import { useQuery } from "../shell/use-query.js";
import { type Area, networksWithin } from "./explore-chart.js";
import { NetworkPanel } from "./explore-network.js";
import { ExplorePlot } from "./explore-plot.js";
import { NetworkTable, saveNetworks } from "./network-table.js";

/** Rows of the table of selected networks; the file has all. */
const mostRows = 100;

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
  useEffect(() => setArea(null), [networks]);
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
  const selected = useMemo(
    () => (area === null ? null : networksWithin(networks, shown, area)),
    [networks, shown, area],
  );
  return (
    <Card
      title="All networks"
      aside={
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
      }
    >
      {shown.length === 0 ? (
        <Empty>The table has no accuracy of any network of this space.</Empty>
      ) : (
        <ExplorePlot
          {...{ networks, shown, front, chosen, area, choose }}
          select={setArea}
          table={
            <NetworkTable
              caption="Pareto front, by latency"
              rows={front}
              {...{ networks, choose }}
            />
          }
        />
      )}
      <p class="row">
        <span role="status">
          {selected !== null && `${selected.length.toLocaleString("en")} networks selected`}
        </span>
        {selected !== null && (
          <button type="button" onClick={() => saveNetworks(networks, selected)}>
            Save them as CSV
          </button>
        )}
      </p>
      {selected !== null && (
        <NetworkTable
          caption={
            selected.length > mostRows
              ? `The first ${mostRows} of ${selected.length.toLocaleString("en")} selected networks`
              : "Selected networks"
          }
          rows={selected.slice(0, mostRows)}
          {...{ networks, choose }}
        />
      )}
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
