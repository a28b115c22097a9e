/**
 * What a job ended with: the figures of an onboarding and its report, or the latencies that were measured.
 */
import type { Measurement } from "../../../record/measurement.js";
import type { OnboardingResult } from "../../../record/onboarding.js";
import { formatDuration, formatShare } from "../../../units.js";
import type { Job } from "../../api/schemas.js";
import { Card } from "../parts/card.js";
import { DataTable } from "../parts/data-table.js";
import { DownloadButton } from "../parts/download-button.js";
import { Figures } from "../parts/figures.js";
import { latencyColumns } from "../parts/latency-columns.js";
import { hasToken, pathPart } from "../shell/api.js";
import { stepNames } from "./onboard-steps.js";

function Onboarded({ result }: { readonly result: OnboardingResult }) {
  const [low, high] = result.withinTenPercentInterval;
  const { operatorSum, flopsLine } = result.baselines;
  const { durationS } = result;
  const ways = [
    { name: `${result.predictor} (this predictor)`, ...result },
    { name: "operator-sum without descriptor", ...operatorSum },
    { name: "flops-line", ...flopsLine },
  ];
  return (
    <>
      <Figures
        figures={[
          {
            name: "Within ±10 %",
            value: formatShare(result.withinTenPercent, 0),
            note: `95 % interval ${formatShare(low, 0)} to ${formatShare(high, 0)}`,
          },
          { name: "Within ±5 %", value: formatShare(result.withinFivePercent, 0) },
          { name: "Mean absolute error", value: formatShare(result.mape) },
          { name: "Rank correlation", value: result.spearman?.toFixed(3) ?? "–" },
          { name: "90 % intervals cover", value: formatShare(result.coverage90, 0) },
          {
            name: "Interval width",
            value: formatShare(result.intervalWidth, 0),
            note: "median, of the prediction",
          },
          {
            name: "Repeat noise",
            value: formatShare(result.repeatNoise),
            note: "of a measurement",
          },
          {
            name: "Time",
            value: formatDuration(durationS.total * 1000),
            note: stepNames
              .map((name) => `${name} ${formatDuration(durationS[name] * 1000)}`)
              .join(", "),
          },
        ]}
      />
      <p>
        Checked on {result.nVerified} networks that were drawn before anything was measured; adapted
        with {result.samples} others.{" "}
        {result.familySeenInTraining
          ? "Relatives of this platform were in training: this is no test on an unseen runtime."
          : "No relative of this platform was in training."}
      </p>
      <DataTable
        caption="The same samples, other ways to predict"
        rows={ways}
        keyOf={({ name }) => name}
        columns={[
          { name: "Predictor", cell: ({ name }) => name },
          {
            name: "Within ±10 %",
            isNumber: true,
            cell: ({ withinTenPercent }) => formatShare(withinTenPercent, 0),
          },
          { name: "MAPE", isNumber: true, cell: ({ mape }) => formatShare(mape) },
          {
            name: "Spearman",
            isNumber: true,
            cell: ({ spearman }) => spearman?.toFixed(3) ?? "–",
          },
        ]}
      />
      <p class="row">
        <a class="button" href={`/predictor/${pathPart(result.platform)}`}>
          Its predictor
        </a>
        <a class="button" href={`/explore?platform=${pathPart(result.platform)}`}>
          Explore all networks
        </a>
        <a class="button" href={`/platforms?platform=${pathPart(result.platform)}`}>
          The platform
        </a>
      </p>
    </>
  );
}

type Measured = Pick<Measurement, "latencyMs" | "lowerMs" | "upperMs" | "grade"> & {
  readonly id: string;
  readonly platform: string;
};

/** `results` of a command are known by its kind alone; what has no latency is left out. */
function measuredOf(results: readonly unknown[]): Measured[] {
  return (results as readonly Partial<Measured>[]).filter(
    (one): one is Measured =>
      typeof one.id === "string" &&
      typeof one.latencyMs === "number" &&
      typeof one.lowerMs === "number" &&
      typeof one.upperMs === "number",
  );
}

function MeasuredTable({ rows }: { readonly rows: readonly Measured[] }) {
  return (
    <DataTable
      caption="Measured latencies with their 90 % intervals"
      rows={rows}
      keyOf={({ id, platform }) => `${platform} ${id}`}
      columns={[
        { name: "Network", sortBy: ({ id }) => id, cell: ({ id }) => id },
        { name: "Platform", sortBy: ({ platform }) => platform, cell: ({ platform }) => platform },
        ...latencyColumns<Measured>((row) => row),
        { name: "Grade", sortBy: ({ grade }) => grade, cell: ({ grade }) => grade },
      ]}
    />
  );
}

/** The report as a page of its own and in a frame; where the service needs a token, as a file to save. */
function ReportCard({ id }: { readonly id: string }) {
  const path = `/jobs/${pathPart(id)}/report`;
  return (
    <Card
      title="Report"
      aside={
        <>
          {!hasToken() && (
            <a class="button" href={`/api/v1${path}`} target="_blank" rel="noreferrer">
              Open on its own
            </a>
          )}
          <DownloadButton path={path} fileName={`samara-report-${id}.html`}>
            Save it
          </DownloadButton>
        </>
      }
    >
      {hasToken() ? (
        <p class="muted">This service needs a token, which a frame cannot send: save the report.</p>
      ) : (
        <iframe class="report-frame" title="Report" src={`/api/v1${path}`} sandbox="" />
      )}
    </Card>
  );
}

/** Results of a job that has some. */
export function JobResult({ job }: { readonly job: Job }) {
  const results = job.results ?? [];
  if (job.request.kind === "onboard") {
    const [result] = results as readonly OnboardingResult[];
    return (
      <>
        {result !== undefined && (
          <Card title="How good it is">
            <Onboarded result={result} />
          </Card>
        )}
        {job.hasReport && <ReportCard id={job.id} />}
      </>
    );
  }
  const rows = measuredOf(results);
  if (rows.length === 0) return null;
  return (
    <Card title="What was measured">
      <MeasuredTable rows={rows} />
    </Card>
  );
}
