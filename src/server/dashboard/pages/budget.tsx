/**
 * Budget: slide it, and see the best network that fits, how sure that is, and what it costs.
 */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { SearchResult } from "../../../record/search.js";
import { paretoFront } from "../../../search/pareto.js";
import { archStringFromCell, cellFromIndex, networkId } from "../../../space/nasbench201/cell.js";
import { formatMs, formatShare } from "../../../units.js";
import type { AccuracyTable } from "../../api/schemas.js";
import { AccuracyChoice } from "../parts/accuracy-choice.js";
import { Card } from "../parts/card.js";
import { ChartView } from "../parts/chart.js";
import { DataTable } from "../parts/data-table.js";
import { Figures } from "../parts/figures.js";
import { Empty, Loaded, ProblemNote } from "../parts/states.js";
import {
  chosenAccuracy,
  meritText,
  type Networks,
  useAccuracies,
  useChosenPlatform,
  useNetworks,
} from "../parts/use-networks.js";
import { postResults } from "../shell/api.js";
import { useQuery } from "../shell/use-query.js";
import { type Resource, useResource } from "../shell/use-resource.js";
import { answerBudget, recommendable } from "./budget-answer.js";
import { budgetChart } from "./budget-chart.js";

const confidences = [0.8, 0.9, 0.95, 0.99];
/** Steps of the slider, which is logarithmic: 1 % and less each. */
const nSteps = 500;
/** Quiet time after which the address and the service hear of a new budget. */
const settleMs = 250;
const nearFront = 4;

function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), settleMs);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** How sure the winner is, as the predictor's own distribution says: asked of the service once the slider rests. */
function useCertainty(
  predictor: string,
  budgetMs: number,
  confidence: number,
  accuracy: AccuracyTable | undefined,
): Resource<SearchResult | undefined> {
  const settled = useSettled(budgetMs);
  const question = {
    predictor,
    confidence,
    budgetMs: settled,
    ...(accuracy === undefined ? {} : { accuracy: accuracy.name }),
  };
  const resource = useResource(JSON.stringify(question), async (_key, signal) => {
    const [result] = await postResults<SearchResult>("/search", question, signal);
    return result;
  });
  return settled === budgetMs ? resource : { ...resource, state: "loading", data: undefined };
}

/** A probability for people: never a certainty that nobody has. */
const probabilityText = (share: number) =>
  share > 0.999 ? "> 99.9 %" : share < 0.001 ? "< 0.1 %" : formatShare(share, 1);

function Answer(props: {
  readonly networks: Networks;
  readonly budgetMs: number;
  readonly confidence: number;
  readonly accuracy: AccuracyTable | undefined;
}) {
  const { networks, budgetMs, confidence, accuracy } = props;
  const { columns, merit, meritName } = networks;
  const among = useMemo(() => recommendable(networks), [networks]);
  const front = useMemo(() => paretoFront(columns.upperMs, merit, among), [columns, merit, among]);
  const { winner, bestUncertain, bestUnconstrained, fastest, nFeasible } = answerBudget(
    networks,
    among,
    budgetMs,
  );
  const chart = useMemo(
    () => budgetChart(networks, front, budgetMs, confidence),
    [networks, front, budgetMs, confidence],
  );
  const search = useCertainty(columns.predictor, budgetMs, confidence, accuracy);
  const theirs = search.data?.winner;
  const isSame = winner !== null && theirs?.id === networkId(winner);
  const lost = (other: number | null) =>
    other === null || winner === null ? "–" : meritText(merit[other]! - merit[winner]!);
  const place = front.findIndex((i) => columns.upperMs[i]! > budgetMs);
  const middle = place < 0 ? front.length : place;
  const around = front.slice(Math.max(0, middle - nearFront), middle + nearFront);
  return (
    <>
      <Card title={`Within ${formatMs(budgetMs)}`}>
        <p class="hidden-visually" role="status">
          {useSettled(
            winner === null
              ? `Nothing fits ${formatMs(budgetMs)}.`
              : `Within ${formatMs(budgetMs)} the best is nasbench201/${winner}: ${meritName} ${meritText(merit[winner]!)}.`,
          )}
        </p>
        <div>
          {winner === null ? (
            <p class="problem">
              No network is within {formatMs(budgetMs)} with a probability of{" "}
              {formatShare(confidence, 0)}.{" "}
              {fastest !== null &&
                `The fastest, nasbench201/${fastest}, needs ${formatMs(columns.upperMs[fastest]!)}.`}
            </p>
          ) : (
            <>
              <p>
                <strong>nasbench201/{winner}</strong>{" "}
                <code>{archStringFromCell(cellFromIndex(winner))}</code>{" "}
                <a
                  href={`/explore?platform=${encodeURIComponent(columns.platform)}&network=${winner}`}
                >
                  what it consists of
                </a>
              </p>
              <Figures
                figures={[
                  { name: meritName, value: meritText(merit[winner]!) },
                  {
                    name: "Predicted latency",
                    value: formatMs(columns.latencyMs[winner]!),
                    note: `at most ${formatMs(columns.upperMs[winner]!)} with ${formatShare(confidence, 0)}`,
                  },
                  {
                    name: "Within the budget",
                    value: isSame ? probabilityText(theirs.withinBudget) : "…",
                    note: "probability, by the predictor",
                  },
                  {
                    name: "Given up for certainty",
                    value: lost(bestUncertain),
                    note: "against the best whose predicted latency fits",
                  },
                  {
                    name: "Given up for the budget",
                    value: lost(bestUnconstrained),
                    note: "against the best at any latency",
                  },
                ]}
              />
            </>
          )}
        </div>
        {search.state === "failed" && <ProblemNote error={search.error} retry={search.retry} />}
        {search.state === "ready" && winner !== null && !isSame && (
          <p class="muted">
            The service's search{" "}
            {theirs
              ? `takes ${theirs.id} (${meritText(theirs.merit)}), within the budget with ${probabilityText(theirs.withinBudget)}`
              : "names none"}
            : {search.data?.reasons.join("; ") || "it knows more digits than this page"}.
          </p>
        )}
        <p class="muted">{nFeasible.toLocaleString("en")} networks fit.</p>
      </Card>
      <Card title="What each budget buys">
        <ChartView
          chart={chart}
          table={
            <DataTable
              caption="The front around the budget"
              rows={around}
              keyOf={String}
              columns={[
                { name: "Network", cell: (i) => `nasbench201/${i}` },
                {
                  name: "Upper bound",
                  isNumber: true,
                  cell: (i) => formatMs(columns.upperMs[i]!),
                },
                { name: meritName, isNumber: true, cell: (i) => meritText(merit[i]!) },
                {
                  name: "Fits",
                  cell: (i) => (columns.upperMs[i]! <= budgetMs ? "yes" : "not surely"),
                },
              ]}
            />
          }
        />
      </Card>
    </>
  );
}

function Controls(props: {
  readonly networks: Networks;
  readonly budgetMs: number;
  readonly setBudgetMs: (budgetMs: number) => void;
  readonly confidence: number;
}) {
  const { networks, budgetMs, setBudgetMs, confidence } = props;
  const { setQuery } = useQuery();
  const [isRefused, setIsRefused] = useState(false);
  const [low, high] = useMemo(() => {
    const among = recommendable(networks);
    let [least, most] = [Number.POSITIVE_INFINITY, 0];
    for (const i of among) {
      least = Math.min(least, networks.columns.latencyMs[i]!);
      most = Math.max(most, networks.columns.upperMs[i]!);
    }
    return [Math.log(least * 0.8), Math.log(most * 1.1)] as const;
  }, [networks]);
  const step = Math.round(((Math.log(budgetMs) - low) / (high - low)) * nSteps);
  return (
    <div class="columns">
      <label class="field">
        Budget
        <input
          type="range"
          min={0}
          max={nSteps}
          value={step}
          aria-valuetext={formatMs(budgetMs)}
          onInput={({ currentTarget }) =>
            setBudgetMs(
              Number(
                Math.exp(low + (Number(currentTarget.value) / nSteps) * (high - low)).toPrecision(
                  3,
                ),
              ),
            )
          }
        />
      </label>
      <label class="field">
        Budget in ms
        <input
          type="number"
          min={0}
          step="any"
          value={budgetMs}
          aria-invalid={isRefused}
          onChange={({ currentTarget }) => {
            const value = Number(currentTarget.value);
            const isBudget = value > 0 && Number.isFinite(value);
            setIsRefused(!isBudget);
            if (isBudget) setBudgetMs(value);
          }}
        />
        {isRefused && (
          <span role="alert">
            A budget is a number of ms above 0; it is still {formatMs(budgetMs)}.
          </span>
        )}
      </label>
      <label class="field">
        How sure it must be
        <select
          value={String(confidence)}
          onChange={({ currentTarget }) => setQuery({ confidence: currentTarget.value })}
        >
          {confidences.map((value) => (
            <option key={value} value={String(value)} selected={value === confidence}>
              {formatShare(value, 0)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function Decision(props: {
  readonly networks: Networks;
  readonly confidence: number;
  readonly accuracy: AccuracyTable | undefined;
}) {
  const { networks, confidence, accuracy } = props;
  const { query, setQuery } = useQuery();
  const { latencyMs } = networks.columns;
  const asked = Number(query.budget);
  const [budgetMs, setBudgetMs] = useState(() =>
    asked > 0 && Number.isFinite(asked)
      ? asked
      : Number([...latencyMs].sort((a, b) => a - b)[latencyMs.length >> 1]!.toPrecision(3)),
  );
  const settled = useSettled(budgetMs);
  useEffect(() => setQuery({ budget: String(settled) }), [settled]);
  return (
    <>
      <Card title="The budget">
        <Controls {...{ networks, budgetMs, setBudgetMs, confidence }} />
      </Card>
      <Answer {...{ networks, budgetMs, confidence, accuracy }} />
    </>
  );
}

/** The page. */
export default function BudgetPage() {
  const { query } = useQuery();
  const platform = useChosenPlatform();
  const tables = useAccuracies();
  const accuracy = chosenAccuracy(tables.data ?? [], query.accuracy);
  const confidence = confidences.find((value) => value === Number(query.confidence)) ?? 0.9;
  // The interval at 2c − 1 has its upper end at the one-sided bound c.
  const coverage = Number((2 * confidence - 1).toFixed(4));
  const networks = useNetworks(
    tables.state === "ready" ? platform.data : undefined,
    accuracy,
    coverage,
  );
  return (
    <div class="stack">
      <h1>Budget</h1>
      <Card title="What to choose from">
        <p class="muted">
          All networks of NAS-Bench-201 on {platform.data ?? "no platform: none has a predictor"}
        </p>
        <Loaded resource={tables} what="accuracy tables">
          {(known) => <AccuracyChoice tables={known} chosen={accuracy} reload={tables.retry} />}
        </Loaded>
      </Card>
      {networks.state === "idle" && tables.state === "ready" && platform.state === "ready" && (
        <Empty>Onboard a platform first.</Empty>
      )}
      <Loaded resource={networks} what="all networks">
        {(ready) => <Decision networks={ready} confidence={confidence} accuracy={accuracy} />}
      </Loaded>
    </div>
  );
}
