/**
 * A predictor: where it comes from, how far off it is, what its intervals cover, what further samples would bring.
 */

import { useMemo, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { cardChart } from "../../../evaluate/charts-card.js";
import { comparisonChart } from "../../../evaluate/charts-comparison.js";
import { coverageChart, learningChart } from "../../../evaluate/charts-curves.js";
import { formatMs, formatShare } from "../../../units.js";
import type {
  Evaluation,
  Job,
  LearningCurve,
  NextNetworks,
  PredictorSummary,
} from "../../api/schemas.js";
import { Card } from "../parts/card.js";
import { ChartView } from "../parts/chart.js";
import { DataTable } from "../parts/data-table.js";
import { Facts, Figures } from "../parts/figures.js";
import { Empty, Loaded, ProblemNote } from "../parts/states.js";
import { getResult, getResults, pathPart, postResults } from "../shell/api.js";
import { useQuery, withPlatform } from "../shell/use-query.js";
import { useResource } from "../shell/use-resource.js";

const general = "pool";

function Evaluated({ evaluation }: { readonly evaluation: Evaluation }) {
  const { scores, ceiling, networks, coverage, how, platform } = evaluation;
  const compared = useMemo(
    () =>
      comparisonChart(
        networks.map((network) => ({ ...network, arch: network.id, role: "verified" as const })),
        { what: `${how}, on ${platform}`, checked: "test" },
      ),
    [networks, how, platform],
  );
  const covered = useMemo(
    () => coverageChart(coverage, { n: scores.nTest, what: how }),
    [coverage, scores.nTest, how],
  );
  return (
    <>
      <Figures
        figures={[
          {
            name: "Within ±10 %",
            value: formatShare(scores.withinTenPercent, 0),
            ...(ceiling && {
              note: `noise allows ${formatShare(ceiling.withinTenPercent, 0)}`,
            }),
          },
          { name: "Within ±5 %", value: formatShare(scores.withinFivePercent, 0) },
          { name: "Mean absolute error", value: formatShare(scores.mape) },
          { name: "Rank correlation", value: scores.spearman?.toFixed(3) ?? "–" },
          { name: "90 % intervals cover", value: formatShare(scores.coverage90, 0) },
          {
            name: "Interval width",
            value: formatShare(scores.intervalWidth, 0),
            note: "median, of the prediction",
          },
        ]}
      />
      <div class="columns">
        <ChartView
          chart={compared}
          table={
            <DataTable
              caption="Test networks: predicted and measured"
              rows={networks}
              keyOf={({ id }) => id}
              columns={[
                { name: "Network", sortBy: ({ id }) => id, cell: ({ id }) => id },
                {
                  name: "Predicted",
                  isNumber: true,
                  sortBy: ({ predictedMs }) => predictedMs,
                  cell: ({ predictedMs }) => formatMs(predictedMs),
                },
                {
                  name: "90 % interval",
                  isNumber: true,
                  cell: ({ lowerMs, upperMs }) => `${formatMs(lowerMs)} to ${formatMs(upperMs)}`,
                },
                {
                  name: "Measured",
                  isNumber: true,
                  sortBy: ({ measuredMs }) => measuredMs,
                  cell: ({ measuredMs }) => formatMs(measuredMs),
                },
                {
                  name: "Error",
                  isNumber: true,
                  sortBy: ({ predictedMs, measuredMs }) => predictedMs / measuredMs - 1,
                  cell: ({ predictedMs, measuredMs }) => formatShare(predictedMs / measuredMs - 1),
                },
                { name: "Grade", sortBy: ({ grade }) => grade, cell: ({ grade }) => grade },
              ]}
            />
          }
        />
        <ChartView chart={covered} />
      </div>
    </>
  );
}

function EvaluationCard({ id }: { readonly id: string }) {
  const resource = useResource(`/predictors/${pathPart(id)}/evaluation`, getResult<Evaluation>);
  return (
    <Card title="Against measurements">
      <Loaded resource={resource} what="predictions of the test networks">
        {(evaluation) => <Evaluated evaluation={evaluation} />}
      </Loaded>
    </Card>
  );
}

function Curve({ curve }: { readonly curve: LearningCurve }) {
  const { points, nTrials, nTest, heldOutFamilies, seed, select } = curve;
  const chart = useMemo(
    () =>
      learningChart(points, {
        what: `${select} samples, ${nTrials} ${nTrials === 1 ? "trial" : "trials"}, seed ${seed}, ${nTest} test networks, learned without ${heldOutFamilies.join(", ")}`,
      }),
    [points, nTrials, nTest, heldOutFamilies, seed, select],
  );
  return (
    <ChartView
      chart={chart}
      table={
        <DataTable
          caption="Scores by number of samples, means over trials"
          rows={points}
          keyOf={({ samples }) => String(samples)}
          columns={[
            { name: "Samples", isNumber: true, cell: ({ samples }) => samples },
            {
              name: "Within ±10 %",
              isNumber: true,
              cell: (point) =>
                `${formatShare(point.withinTenPercent)} ± ${formatShare(point.withinTenPercentSd)}`,
            },
            { name: "MAPE", isNumber: true, cell: ({ mape }) => formatShare(mape) },
            { name: "Spearman", isNumber: true, cell: ({ spearman }) => spearman.toFixed(3) },
            {
              name: "90 % intervals cover",
              isNumber: true,
              cell: ({ coverage90 }) => formatShare(coverage90),
            },
          ]}
        />
      }
    />
  );
}

function LearningCard({ id }: { readonly id: string }) {
  const { query, setQuery } = useQuery();
  const select = query.select === "designed" ? "designed" : "random";
  const resource = useResource(
    `/predictors/${pathPart(id)}/learning-curve?select=${select}`,
    getResult<LearningCurve>,
  );
  return (
    <Card
      title="How many samples it needs"
      aside={
        <label class="field">
          Samples
          <select
            value={select}
            onChange={({ currentTarget }) => setQuery({ select: currentTarget.value })}
          >
            <option value="random" selected={select === "random"}>
              drawn at random
            </option>
            <option value="designed" selected={select === "designed"}>
              chosen by the predictor
            </option>
          </select>
        </label>
      }
    >
      <Loaded
        resource={resource}
        what="the curve; learning without this runtime takes some seconds"
      >
        {(curve) => <Curve curve={curve} />}
      </Loaded>
    </Card>
  );
}

/** Have the machine that serves measure what the predictor proposes, where its platform is one of it. */
function MeasureNext({ id, count }: { readonly id: string; readonly count: number }) {
  const { route } = useLocation();
  const [error, setError] = useState<unknown>(null);
  const [isStarting, setIsStarting] = useState(false);

  async function start(): Promise<void> {
    setIsStarting(true);
    setError(null);
    try {
      const order = { kind: "measure", platform: id, next: count };
      const [job] = await postResults<Job>("/jobs", order);
      route(withPlatform(`/onboard/${pathPart(job!.id)}`, id));
    } catch (thrown) {
      setError(thrown);
      setIsStarting(false);
    }
  }

  return (
    <>
      <button type="button" disabled={isStarting} onClick={() => void start()}>
        {isStarting ? "Starting …" : "Measure them on this machine"}
      </button>
      {error !== null && <ProblemNote error={error} />}
    </>
  );
}

function NextCard({ id }: { readonly id: string }) {
  const resource = useResource(`/predictors/${pathPart(id)}/next?count=5`, getResult<NextNetworks>);
  return (
    <Card title="What to measure next">
      <Loaded resource={resource} what="the proposal">
        {({ networks, expectedWithinTenPercent: expected, reason, command }) => (
          <>
            <p>
              {expected === null
                ? reason
                : `It expects ${formatShare(expected[0]!, 0)} of all networks within ±10 % now, and ${formatShare(expected.at(-1)!, 0)} after measuring these and adapting again.`}
            </p>
            <DataTable
              caption="Networks whose measurement would tell it most"
              rows={networks}
              keyOf={(network) => network.id}
              columns={[
                { name: "Network", cell: (network) => network.id },
                { name: "Architecture", cell: ({ arch }) => <code>{arch}</code> },
                {
                  name: "Predicted",
                  isNumber: true,
                  sortBy: ({ latencyMs }) => latencyMs,
                  cell: ({ latencyMs }) => formatMs(latencyMs),
                },
                {
                  name: "90 % interval",
                  isNumber: true,
                  cell: ({ lowerMs, upperMs }) => `${formatMs(lowerMs)} to ${formatMs(upperMs)}`,
                },
              ]}
            />
            <p>
              Where the platform runs: <code>{command}</code>
            </p>
            {networks.length > 0 && <MeasureNext id={id} count={networks.length} />}
          </>
        )}
      </Loaded>
    </Card>
  );
}

function HeldOutCard({
  card,
  marked,
}: {
  readonly card: NonNullable<PredictorSummary["card"]>;
  readonly marked: string;
}) {
  const chart = useMemo(
    () =>
      cardChart(card.platforms, {
        how: `${card.nSamples} samples, ${card.nTrials} trials, seed ${card.seed}; ${card.how}`,
        marked,
      }),
    [card, marked],
  );
  return (
    <Card title="On runtimes that it has never seen">
      <ChartView
        chart={chart}
        table={
          <DataTable
            caption="Platforms, each left out with its family"
            rows={card.platforms}
            keyOf={({ platformId }) => platformId}
            sorted="-Within ±10 %"
            columns={[
              {
                name: "Platform",
                sortBy: ({ platformId }) => platformId,
                cell: ({ platformId }) => platformId,
              },
              {
                name: "Within ±10 %",
                isNumber: true,
                sortBy: ({ withinTenPercent }) => withinTenPercent,
                cell: (row) =>
                  `${formatShare(row.withinTenPercent)} ± ${formatShare(row.withinTenPercentSd)}`,
              },
              {
                name: "MAPE",
                isNumber: true,
                sortBy: ({ mape }) => mape,
                cell: ({ mape }) => formatShare(mape),
              },
              {
                name: "Spearman",
                isNumber: true,
                sortBy: ({ spearman }) => spearman,
                cell: ({ spearman }) => spearman.toFixed(3),
              },
              {
                name: "90 % intervals cover",
                isNumber: true,
                sortBy: ({ coverage90 }) => coverage90,
                cell: ({ coverage90 }) => formatShare(coverage90),
              },
            ]}
          />
        }
      />
    </Card>
  );
}

function OriginCard({ predictor }: { readonly predictor: PredictorSummary }) {
  const { accuracy } = predictor;
  return (
    <Card title="Where it comes from">
      <Facts
        facts={[
          { name: "Method", value: predictor.method },
          {
            name: predictor.platformId === null ? "Latencies read" : "Target latencies read",
            value: predictor.nSamples.toLocaleString("en"),
          },
          { name: "Learned from", value: predictor.trainedFamilies.join(", ") },
          { name: "Held out", value: predictor.heldOutFamilies.join(", ") || "nothing" },
          { name: "Pool", value: predictor.poolHash },
          { name: "Seed", value: predictor.seed },
          { name: "Origin", value: predictor.origin === "own" ? "adapted here" : "shipped" },
          {
            name: "Accuracy",
            value:
              accuracy === null
                ? "not checked when it was made"
                : `within ±10 % ${formatShare(accuracy.withinTenPercent)}, MAPE ${formatShare(accuracy.mape)}, 90 % intervals cover ${formatShare(accuracy.coverage90)} (${accuracy.nTest} networks, ${accuracy.how})`,
          },
        ]}
      />
    </Card>
  );
}

/** The page. */
export default function PredictorPage() {
  const { path } = useLocation();
  const { query } = useQuery();
  const named = /^\/predictor\/([^/]+)/.exec(path)?.[1];
  const resource = useResource("/predictors", getResults<PredictorSummary>);
  return (
    <div class="stack">
      <h1>Predictor</h1>
      <Loaded resource={resource} what="predictors">
        {(predictors) => {
          const id = named === undefined ? query.platform : decodeURIComponent(named);
          const chosen = predictors.find((one) =>
            id === undefined ? one.isDefault : one.id === id,
          );
          if (chosen === undefined) {
            return (
              <Empty>
                No predictor is adapted to {id}. Onboard it, or choose another platform.
              </Empty>
            );
          }
          const card = predictors.find((one) => one.id === general)?.card ?? null;
          return (
            <>
              <p class="muted">{chosen.id}</p>
              <OriginCard predictor={chosen} />
              {chosen.platformId !== null && (
                <>
                  <EvaluationCard id={chosen.id} />
                  <LearningCard id={chosen.id} />
                  <NextCard id={chosen.id} />
                </>
              )}
              {card !== null && <HeldOutCard card={card} marked={chosen.id} />}
            </>
          );
        }}
      </Loaded>
    </div>
  );
}
