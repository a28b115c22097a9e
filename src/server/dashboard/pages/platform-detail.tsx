/**
 * One platform: what it is, what its operators cost, how well it was measured, and under which circumstances.
 */
import { useMemo } from "preact/hooks";
import { descriptorChart, descriptorColumns } from "../../../evaluate/charts-descriptor.js";
import type { Descriptor } from "../../../record/descriptor.js";
import type { Context } from "../../../record/measurement.js";
import { formatMs, formatShare } from "../../../units.js";
import type { PlatformDetail } from "../../api/schemas.js";
import { Card } from "../parts/card.js";
import { ChartView } from "../parts/chart.js";
import { DataTable } from "../parts/data-table.js";
import { Facts, Figures } from "../parts/figures.js";
import { Empty, Loaded } from "../parts/states.js";
import { getResult, pathPart } from "../shell/api.js";
import { useResource } from "../shell/use-resource.js";
import { formatCounter, formatTime, gradesText } from "./platform-words.js";

function DescriptorCard({ id }: { readonly id: string }) {
  const resource = useResource(`/platforms/${pathPart(id)}/descriptor`, getResult<Descriptor>);
  return (
    <Card title="Operators">
      <Loaded resource={resource} what="the descriptor">
        {(descriptor) => <DescriptorView descriptor={descriptor} />}
      </Loaded>
    </Card>
  );
}

function DescriptorView({ descriptor }: { readonly descriptor: Descriptor }) {
  const chart = useMemo(() => descriptorChart(descriptor), [descriptor]);
  const columns = descriptorColumns(descriptor);
  const rows = descriptor.rows.map(({ operator, grade }, i) => ({ operator, grade, i }));
  return (
    <ChartView
      chart={chart}
      table={
        <DataTable
          caption="Operators: latency, and counters per nanosecond of it"
          rows={rows}
          keyOf={({ operator }) => operator}
          columns={[
            { name: "Operator", sortBy: ({ operator }) => operator, cell: (row) => row.operator },
            ...columns.map(({ name, unit, values }) => ({
              name: `${name} (${unit})`,
              isNumber: true,
              sortBy: ({ i }: { i: number }) => values[i] ?? null,
              cell: ({ i }: { i: number }) => formatCounter(values[i] ?? null),
            })),
            { name: "Grade", sortBy: ({ grade }) => grade, cell: ({ grade }) => grade },
          ]}
        />
      }
    />
  );
}

const orDash = (value: string | number | null) => value ?? "–";

function Contexts({ contexts }: { readonly contexts: readonly Context[] }) {
  return (
    <DataTable
      caption="Circumstances of the measurements; – was not offered by the system"
      rows={contexts}
      keyOf={({ id }) => id}
      columns={[
        { name: "Taken", sortBy: ({ takenAt }) => takenAt, cell: (c) => formatTime(c.takenAt) },
        { name: "Kernel", cell: ({ kernel }) => kernel },
        { name: "Governor", cell: ({ governor }) => orDash(governor) },
        {
          name: "Frequency",
          isNumber: true,
          cell: ({ frequencyHz }) =>
            frequencyHz === null ? "–" : `${(frequencyHz / 1e9).toFixed(2)} GHz`,
        },
        {
          name: "Load",
          isNumber: true,
          sortBy: ({ loadAverage }) => loadAverage,
          cell: ({ loadAverage }) => (loadAverage === null ? "–" : loadAverage.toFixed(2)),
        },
        {
          name: "Processor pressure",
          isNumber: true,
          sortBy: ({ cpuPressure }) => cpuPressure,
          cell: ({ cpuPressure }) => (cpuPressure === null ? "–" : formatShare(cpuPressure)),
        },
        {
          name: "Temperature",
          isNumber: true,
          cell: ({ temperatureC }) => (temperatureC === null ? "–" : `${temperatureC} °C`),
        },
        {
          name: "Virtual machine",
          cell: ({ virtualised }) => (virtualised === null ? "–" : virtualised ? "yes" : "no"),
        },
        { name: "Throttled", cell: ({ throttled }) => orDash(throttled) },
        { name: "Runtime", cell: ({ runtimeVersion }) => runtimeVersion },
      ]}
    />
  );
}

function DetailView({ detail }: { readonly detail: PlatformDetail }) {
  const { platform, predictor, grades } = detail;
  const { device, runtime } = platform;
  const settings = Object.entries(runtime.settings).map(([key, value]) => `${key} ${value}`);
  const latencies = [detail.fastestMs, detail.slowestMs].map((ms) =>
    ms === null ? "–" : formatMs(ms),
  );
  return (
    <>
      <Figures
        figures={[
          { name: "Networks measured", value: detail.nMeasured, note: `${detail.nTest} as test` },
          {
            name: "Median latency",
            value: detail.medianMs === null ? "–" : formatMs(detail.medianMs),
          },
          { name: "Fastest to slowest", value: latencies.join(" – ") },
          {
            name: "Repeat noise",
            value: detail.repeatNoise === null ? "–" : formatShare(detail.repeatNoise, 2),
            note: "median relative standard error",
          },
        ]}
      />
      <Facts
        facts={[
          { name: "Processor", value: `${device.cpuModel}, ${device.nCores} cores` },
          {
            name: "System",
            value: `${device.os}, ${device.architecture}, ${(device.memoryBytes / 2 ** 30).toFixed(1)} GiB memory`,
          },
          { name: "Runtime", value: `${runtime.name ?? runtime.family} ${runtime.version}` },
          {
            name: "Settings",
            value: [
              `${runtime.threads} ${runtime.threads === 1 ? "thread" : "threads"}`,
              platform.precision,
              ...settings,
            ].join(", "),
          },
          { name: "Grades", value: gradesText(grades) },
          {
            name: "Counters",
            value: detail.counters.length === 0 ? "none" : detail.counters.join(", "),
          },
          {
            name: "Measured",
            value: `${formatTime(detail.measuredFrom)} to ${formatTime(detail.measuredTo)}`,
          },
          {
            name: "Predictor",
            value:
              predictor === null ? (
                "none adapted"
              ) : (
                <a href={`/predictor/${pathPart(platform.id)}`}>
                  {predictor.method}, {predictor.nSamples} samples
                </a>
              ),
          },
        ]}
      />
      {detail.contexts.length > 0 && (
        <details>
          <summary>Circumstances ({detail.contexts.length})</summary>
          <Contexts contexts={detail.contexts} />
        </details>
      )}
    </>
  );
}

/** The chosen platform. */
export function PlatformDetailPanel({ id }: { readonly id: string }) {
  const resource = useResource(`/platforms/${pathPart(id)}`, getResult<PlatformDetail>);
  return (
    <>
      <Card title={id}>
        <Loaded resource={resource} what="the platform">
          {(detail) => <DetailView detail={detail} />}
        </Loaded>
      </Card>
      {resource.data?.hasDescriptor === true && <DescriptorCard id={id} />}
      {resource.data?.hasDescriptor === false && (
        <Empty>Its operators were not measured: there is no descriptor.</Empty>
      )}
    </>
  );
}
