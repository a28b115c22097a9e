/**
 * All networks of NAS-Bench-201 on the chosen platform, with what they are ranked by: accuracies of a table, else
 * multiply-accumulates.
 */
import { useMemo } from "preact/hooks";
import type { AccuracyTable, NetworkColumns, PredictorSummary } from "../../api/schemas.js";
import { getResult, getResults, pathPart } from "../shell/api.js";
import { useQuery } from "../shell/use-query.js";
import { type Resource, useResource } from "../shell/use-resource.js";

const perMega = 1e6;

/** Networks in columns; entry i is architecture i. */
export interface Networks {
  readonly columns: NetworkColumns;
  /** Accuracy, or millions of multiply-accumulates; NaN where the table has none. */
  readonly merit: Float64Array;
  readonly meritName: string;
  readonly isProxy: boolean;
}

const formatMerit = new Intl.NumberFormat("en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});

/** A merit for people. */
export const meritText = (merit: number): string =>
  Number.isFinite(merit) ? formatMerit.format(merit) : "–";

/** Accuracy tables that the service knows. */
export const useAccuracies = (): Resource<AccuracyTable[]> =>
  useResource("/accuracies", getResults<AccuracyTable>);

/** The platform of the address; without one that of the predictor which the service would take. */
export function useChosenPlatform(): Resource<string | undefined> {
  const { query } = useQuery();
  return useResource(`/predictors?${query.platform ?? ""}`, async (_key, signal) => {
    if (query.platform !== undefined) return query.platform;
    const all = await getResults<PredictorSummary>("/predictors", signal);
    return all.find(({ isDefault }) => isDefault)?.id;
  });
}

/** Which table ranks cells: that of the address, else the first that names some, else none (`none` asks for that). */
export function chosenAccuracy(
  tables: readonly AccuracyTable[],
  asked: string | undefined,
): AccuracyTable | undefined {
  if (asked === "none") return undefined;
  const isUseful = ({ space }: AccuracyTable) => space.split(", ").includes("nasbench201");
  return tables.find(({ name }) => name === asked) ?? tables.find(isUseful);
}

/** The columns of a platform at a coverage. */
export function useNetworks(
  platform: string | undefined,
  accuracy: AccuracyTable | undefined,
  coverage: number,
): Resource<Networks> {
  const table = accuracy === undefined ? "" : `&accuracy=${pathPart(accuracy.name)}`;
  const resource = useResource(
    platform === undefined
      ? null
      : `/predictors/${pathPart(platform)}/networks?coverage=${coverage}${table}`,
    getResult<NetworkColumns>,
  );
  const data = useMemo(
    () => resource.data && networksOf(resource.data, accuracy),
    [resource.data, accuracy],
  );
  return { ...resource, data };
}

function networksOf(columns: NetworkColumns, accuracy: AccuracyTable | undefined): Networks {
  const { accuracy: accuracies, macs } = columns;
  return {
    columns,
    merit: Float64Array.from(
      accuracies ?? macs,
      accuracies ? (value) => value ?? Number.NaN : (value) => (value ?? 0) / perMega,
    ),
    meritName:
      accuracy && accuracies
        ? `${accuracy.column} (${accuracy.unit})`
        : "million multiply-accumulates",
    isProxy: accuracies === null,
  };
}
