/**
 * Two platforms beside each other: the networks that both have measured, and the operators of both.
 */
import { useMemo } from "preact/hooks";
import { operatorRatioChart, platformsChart, ratioChart } from "../../../evaluate/charts-platforms.js";
import type { Descriptor } from "../../../record/descriptor.js";
import { quantile, spearman } from "../../../tensor/stats.js";
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
