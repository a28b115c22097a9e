/**
 * Drop a file: an ONNX network in, its latency on every platform out, or what of it no platform knows.
 */
import { useRef, useState } from "preact/hooks";
import type { ModelPredictions } from "../../api/schemas.js";
import { Card } from "../parts/card.js";
import { DataTable } from "../parts/data-table.js";
import { DownloadButton } from "../parts/download-button.js";
import { Facts } from "../parts/figures.js";
import { latencyColumns } from "../parts/latency-columns.js";
import { Empty, Loading, ProblemNote } from "../parts/states.js";
import { pathPart, request } from "../shell/api.js";

type Prediction = ModelPredictions["results"][number];

const octets = { "content-type": "application/octet-stream" };

function Interval({
  prediction,
  mostMs,
}: {
  readonly prediction: Prediction;
  readonly mostMs: number;
}) {
  const place = (ms: number) => `${((ms / mostMs) * 100).toFixed(1)}%`;
  const { lowerMs, upperMs, latencyMs } = prediction;
  return (
    <svg class="interval" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <line x1={place(lowerMs)} x2={place(upperMs)} y1="5" y2="5" />
      <rect x={place(latencyMs)} y="1" width="1" height="8" />
    </svg>
  );
}

function Predictions({ model, file }: { readonly model: ModelPredictions; readonly file: File }) {
  const known = model.results.filter(({ withinKnownRange }) => withinKnownRange);
  const mostMs = Math.max(...model.results.map(({ upperMs }) => upperMs)) * 1.02;
  return (
    <Card title="On every platform">
      {known.length === 0 && (
        <p class="problem" role="alert">
          It is outside the known range: the figures below are guesses.{" "}
          {model.results[0]?.outsideReason}
        </p>
      )}
      <DataTable
        caption={`Predicted latency of ${model.name}, with 90 % intervals`}
        rows={model.results}
        keyOf={({ platform }) => platform}
        sorted="Latency"
        columns={[
          {
            name: "Platform",
            sortBy: ({ platform }) => platform,
            cell: ({ platform }) => platform,
          },
          ...latencyColumns<Prediction>((prediction) => prediction),
          {
            name: "Drawn",
            cell: (prediction) => <Interval prediction={prediction} mostMs={mostMs} />,
          },
          {
            name: "Range",
            sortBy: ({ withinKnownRange }) => (withinKnownRange ? "known" : "outside"),
            cell: ({ withinKnownRange }) => (withinKnownRange ? "known" : "outside"),
          },
          {
            name: "Per layer",
            cell: ({ platform }) => (
              <DownloadButton
                path={`/models/layers?name=${pathPart(file.name)}&predictor=${pathPart(platform)}`}
                fileName={`${file.name.replace(/\.onnx$/i, "")}.${platform}.netron.json`}
                init={{ method: "POST", headers: octets, body: file }}
                label={`Latency of each layer on ${platform}, for Netron`}
              >
                For Netron
              </DownloadButton>
            ),
          },
        ]}
      />
    </Card>
  );
}

function Unknown({ model }: { readonly model: ModelPredictions }) {
  return (
    <Card title="What no platform knows">
      <p>
        These operators with these shapes were never measured. Measure the file itself on a platform
        of yours: <code>samara measure --platform ID {model.name}</code>
      </p>
      <DataTable
        caption="Operators outside the known range"
        rows={model.unknownOperators}
        keyOf={({ key }) => key}
        columns={[
          { name: "Operator", sortBy: ({ key }) => key, cell: ({ key }) => key },
          {
            name: "Nodes",
            isNumber: true,
            sortBy: ({ count }) => count,
            cell: ({ count }) => count,
          },
          {
            name: "Names",
            cell: ({ nodes }) => nodes.slice(0, 3).join(", ") + (nodes.length > 3 ? " …" : ""),
          },
        ]}
      />
    </Card>
  );
}

type State =
  | { readonly kind: "none" }
  | { readonly kind: "loading"; readonly file: File }
  | { readonly kind: "ready"; readonly file: File; readonly model: ModelPredictions }
  | { readonly kind: "failed"; readonly file: File; readonly error: unknown };

/** The page. */
export default function ModelPage() {
  const [state, setState] = useState<State>({ kind: "none" });
  const [isOver, setIsOver] = useState(false);
  const latest = useRef<File | null>(null);

  async function open(file: File): Promise<void> {
    latest.current = file;
    setState({ kind: "loading", file });
    try {
      const response = await request(`/models?name=${pathPart(file.name)}`, {
        method: "POST",
        headers: octets,
        body: file,
      });
      const [model] = ((await response.json()) as { results: ModelPredictions[] }).results;
      if (latest.current === file) setState({ kind: "ready", file, model: model! });
    } catch (error) {
      if (latest.current === file) setState({ kind: "failed", file, error });
    }
  }

  return (
    <div class="stack">
      <h1>Drop a file</h1>
      <Card title="An ONNX network">
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the same is done by the file field in it. */}
        <div
          class="drop"
          data-over={isOver}
          onDragOver={(event) => {
            event.preventDefault();
            setIsOver(true);
          }}
          onDragLeave={() => setIsOver(false)}
          onDrop={(event) => {
            event.preventDefault();
            setIsOver(false);
            const file = event.dataTransfer?.files[0];
            if (file) void open(file);
          }}
        >
          <label class="field">
            Drop it here, or choose it (at most 64 MiB; it stays on the machine that serves this
            page)
            <input
              type="file"
              accept=".onnx"
              onChange={({ currentTarget }) => {
                const file = currentTarget.files?.[0];
                if (file) void open(file);
              }}
            />
          </label>
        </div>
        <p class="muted">
          Nothing at hand?{" "}
          <DownloadButton
            path="/networks/nasbench201/1462/model"
            fileName="nasbench201-1462.onnx"
            isLink
          >
            Save a network of NAS-Bench-201
          </DownloadButton>{" "}
          and drop it.
        </p>
      </Card>
      <div>
        {state.kind === "none" && <Empty>Its latency on every platform will stand here.</Empty>}
        {state.kind === "loading" && <Loading what={state.file.name} />}
        {state.kind === "failed" && (
          <ProblemNote error={state.error} retry={() => void open(state.file)} />
        )}
        {state.kind === "ready" && (
          <div class="stack">
            <p class="hidden-visually" role="status">
              Predictions for {state.model.name} are there.
            </p>
            <Card title={state.model.name}>
              <Facts
                facts={[
                  {
                    name: "Input",
                    value: state.model.inputs
                      .map(({ name, shape }) => `${name} ${shape.join(" × ")}`)
                      .join(", "),
                  },
                  { name: "Operators", value: state.model.nOperators.toLocaleString("en") },
                  {
                    name: "Multiply-accumulates",
                    value: `${(state.model.macs / 1e6).toPrecision(4)} million that count`,
                  },
                  {
                    name: "Parameters",
                    value: `${(state.model.params / 1e6).toPrecision(3)} million`,
                  },
                ]}
              />
            </Card>
            <Predictions model={state.model} file={state.file} />
            {state.model.unknownOperators.length > 0 && <Unknown model={state.model} />}
          </div>
        )}
      </div>
    </div>
  );
}
