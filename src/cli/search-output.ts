/**
 * What `samara search` prints for people: the winner, what it costs, how sure it is, and the front around the budget.
 */
import type { Candidate, SearchResult } from "../record/search.js";
import { boundOf } from "../search/archive.js";
import { formatMs, formatShare } from "../units.js";
import type { Column } from "./output.js";
import type { VerifiedNetwork } from "./verifying.js";

/** A network of the front, marked; a row of the table, of CSV and of JSON lines. */
export type FrontRow = Candidate & {
  /** `winner` or empty. */
  readonly role: string;
};

const mostRows = 15;

/** All of the front, by latency. */
export function frontRows({ front, winner }: SearchResult): FrontRow[] {
  return front.map((candidate) => ({
    role: candidate.id === winner?.id ? "winner" : "",
    ...candidate,
  }));
}

/** The rows whose bounds are nearest to the budget, in their order. */
export function nearBudget(rows: readonly FrontRow[], budgetMs: number): FrontRow[] {
  const distance = (row: FrontRow) => Math.abs(Math.log(boundOf(row) / budgetMs));
  const nearest = new Set([...rows].sort((a, b) => distance(a) - distance(b)).slice(0, mostRows));
  return rows.filter((row) => nearest.has(row));
}

/** Merit for people, with its unit. */
function formatMerit(value: number, { kind, unit }: SearchResult["merit"]): string {
  if (kind === "macs") return `${value.toPrecision(4)} ${unit}`;
  return unit === "fraction" ? formatShare(value, 2) : `${value.toFixed(2)} ${unit}`;
}

/** A difference of merits: of accuracies in points. */
function formatLoss(loss: number, { kind, unit }: SearchResult["merit"]): string {
  if (kind === "macs") return `${loss.toPrecision(3)} ${unit}`;
  return `${(unit === "fraction" ? 100 * loss : loss).toFixed(2)} points of accuracy`;
}

/** A probability for people: never 100 % where something may go wrong. */
const formatSure = (probability: number): string =>
  probability > 0.9995
    ? "over 99.9 %"
    : probability < 0.0005
      ? "under 0.1 %"
      : formatShare(probability);

/** A file by its path, others by their id. */
const nameOf = ({ id, network }: Pick<Candidate, "id" | "network">): string =>
  id.startsWith("file/") ? network : id;

/** Columns of the front. */
export function frontColumns({ merit, coverage, front }: SearchResult): Column<FrontRow>[] {
  // Architecture strings are too long for a table; their ids are read by every command, too.
  const shownMeasured: Column<FrontRow>[] = front.some(({ measuredMs }) => measuredMs !== undefined)
    ? [
        {
          title: "measured",
          value: (r) => (r.measuredMs === undefined ? "" : formatMs(r.measuredMs)),
          align: "right",
        },
      ]
    : [];
  return [
    { title: "network", value: nameOf },
    {
      title: merit.kind === "macs" ? "MACs" : "accuracy",
      value: (r) => formatMerit(r.merit, merit),
      align: "right",
    },
    { title: "latency", value: (r) => formatMs(r.latencyMs), align: "right" },
    {
      title: `${formatShare(coverage, 0)} interval`,
      value: (r) => `${formatMs(r.lowerMs)} – ${formatMs(r.upperMs)}`,
      align: "right",
    },
    ...shownMeasured,
    { title: "within the budget", value: (r) => formatSure(r.withinBudget), align: "right" },
    {
      title: "",
      value: (r) =>
        [r.role, r.withinKnownRange ? "" : "outside the known range"].filter(Boolean).join(", "),
    },
  ];
}

/** What is given up against another network, or undefined where that is nothing. */
function givenUp(
  { winner, merit }: SearchResult,
  other: Candidate | null,
  describe: (other: Candidate) => string,
): string | undefined {
  if (other === null || (winner !== null && other.merit <= winner.merit)) return undefined;
  const against = `${nameOf(other)} (${formatMerit(other.merit, merit)}, ${formatMs(other.latencyMs)}), ${describe(other)}`;
  return winner === null
    ? against
    : `${formatLoss(other.merit - winner.merit, merit)} against ${against}`;
}

/** The answer in words. */
export function describeSearch(result: SearchResult, nRows: number): string {
  const { winner, budgetMs, confidence, merit, front, nEvaluated, nFeasible, method } = result;
  const sure = formatShare(confidence, 0);
  const lines: string[] = [];
  if (front.length > nRows) {
    lines.push(`${front.length - nRows} further networks of the front: --json or --output csv`);
  }
  lines.push("");
  if (winner === null)
    lines.push(`Winner      none within ${formatMs(budgetMs)} at ${sure} confidence`);
  else {
    lines.push(
      `Winner      ${nameOf(winner)}${winner.network.startsWith("|") ? `  ${winner.network}` : ""}`,
    );
    const { measuredMs } = winner;
    const latency =
      measuredMs === undefined
        ? `${formatMs(winner.latencyMs)} predicted, ${formatMs(winner.upperMs)} at most with ${sure} confidence`
        : `${formatMs(measuredMs)} measured, ${formatMs(winner.latencyMs)} predicted`;
    lines.push(`            ${formatMerit(winner.merit, merit)}; ${latency}`);
    lines.push(
      `How sure    within ${formatMs(budgetMs)} with probability ${formatSure(winner.withinBudget)}`,
    );
  }
  const losses = [
    givenUp(
      result,
      result.bestUncertain,
      ({ withinBudget }) =>
        `predicted to fit, sure to ${formatSure(withinBudget)}: what certainty costs`,
    ),
    givenUp(
      result,
      result.bestUnconstrained,
      () => "the best at any latency: what the budget costs",
    ),
  ].filter((loss) => loss !== undefined);
  losses.forEach((loss, i) => {
    lines.push(`${i === 0 ? (winner ? "Given up   " : "Better     ") : "           "} ${loss}`);
  });
  for (const reason of result.reasons) lines.push(`Note        ${reason}`);
  lines.push(
    `Looked at   ${nEvaluated} networks of ${result.space} (${method}), ${nFeasible} of them within the budget for sure, on ${result.platform}`,
  );
  return lines.join("\n");
}

/** Columns of networks that were measured to verify. */
export const verifiedColumns = (merit: SearchResult["merit"]): Column<VerifiedNetwork>[] => [
  { title: "verified", value: nameOf },
  {
    title: merit.kind === "macs" ? "MACs" : "accuracy",
    value: (r) => formatMerit(r.merit, merit),
    align: "right",
  },
  { title: "predicted before", value: (r) => formatMs(r.predictedMs), align: "right" },
  {
    title: "interval",
    value: (r) => `${formatMs(r.lowerMs)} – ${formatMs(r.upperMs)}`,
    align: "right",
  },
  {
    title: "measured",
    value: (r) => (r.measuredMs === null ? "–" : formatMs(r.measuredMs)),
    align: "right",
  },
  { title: "grade", value: (r) => r.grade },
];
