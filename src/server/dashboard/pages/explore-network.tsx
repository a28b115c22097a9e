/**
 * One network of the space: its cell, its operators with their shares of the latency, its neighbours.
 */
import { formatMs, formatShare } from "../../../units.js";
import type { NetworkDetail } from "../../api/schemas.js";
import { Card } from "../parts/card.js";
import { CellDrawing } from "../parts/cell-drawing.js";
import { DataTable } from "../parts/data-table.js";
import { DownloadButton } from "../parts/download-button.js";
import { Facts, Figures } from "../parts/figures.js";
import { Loaded } from "../parts/states.js";
import { meritText } from "../parts/use-networks.js";
import { getResult, pathPart } from "../shell/api.js";
import { useResource } from "../shell/use-resource.js";

const signed = (text: string, value: number) => (value > 0 ? `+${text}` : text);

function Operators({ network }: { readonly network: NetworkDetail }) {
  return (
    <>
      <DataTable
        caption="Operators with their shares of the predicted latency"
        rows={network.operators}
        keyOf={({ key }) => key}
        sorted="-Share"
        columns={[
          { name: "Operator", sortBy: ({ key }) => key, cell: ({ key }) => key },
          {
            name: "Nodes",
            isNumber: true,
            sortBy: ({ count }) => count,
            cell: ({ count }) => count,
          },
          {
            name: "Latency",
            isNumber: true,
            sortBy: ({ latencyMs }) => latencyMs,
            cell: ({ latencyMs }) => (latencyMs === null ? "–" : formatMs(latencyMs)),
          },
          {
            name: "Share",
            sortBy: ({ share }) => share,
            cell: ({ share }) => (
              <span class="share">
                <meter value={share ?? 0} max={1} aria-hidden="true" />
                {share === null ? "–" : formatShare(share)}
              </span>
            ),
          },
        ]}
      />
      <p class="muted">{network.sharesFrom}.</p>
    </>
  );
}

function Neighbours({
  network,
  choose,
}: {
  readonly network: NetworkDetail;
  readonly choose: (index: number) => void;
}) {
  const { accuracy, latencyMs } = network;
  return (
    <DataTable
      caption="Neighbours: one operation changed"
      rows={network.neighbours}
      keyOf={({ id }) => id}
      sorted="Latency"
      columns={[
        {
          name: "Change",
          cell: ({ id, change }) => (
            <button type="button" class="link" onClick={() => choose(Number(id.split("/")[1]))}>
              {change}
            </button>
          ),
        },
        {
          name: "Latency",
          isNumber: true,
          sortBy: (one) => one.latencyMs,
          cell: (one) => formatMs(one.latencyMs),
        },
        {
          name: "Difference",
          isNumber: true,
          sortBy: (one) => one.latencyMs - latencyMs,
          cell: (one) => {
            const share = one.latencyMs / latencyMs - 1;
            return signed(formatShare(share), share);
          },
        },
        {
          name: "Accuracy",
          isNumber: true,
          sortBy: (one) => one.accuracy,
          cell: (one) => (one.accuracy === null ? "–" : meritText(one.accuracy)),
        },
        {
          name: "Gained",
          isNumber: true,
          sortBy: (one) =>
            one.accuracy === null || accuracy === null ? null : one.accuracy - accuracy,
          cell: (one) => {
            if (one.accuracy === null || accuracy === null) return "–";
            return signed(meritText(one.accuracy - accuracy), one.accuracy - accuracy);
          },
        },
      ]}
    />
  );
}

/** The chosen network. */
export function NetworkPanel({
  index,
  platform,
  accuracy,
  choose,
}: {
  readonly index: number;
  readonly platform: string;
  readonly accuracy: string | undefined;
  readonly choose: (index: number) => void;
}) {
  const table = accuracy === undefined ? "" : `&accuracy=${pathPart(accuracy)}`;
  const path = `/networks/nasbench201/${index}`;
  const resource = useResource(
    `${path}?predictor=${pathPart(platform)}${table}`,
    getResult<NetworkDetail>,
  );
  return (
    <Card title={`nasbench201/${index}`}>
      <Loaded resource={resource} what="the network">
        {(network) => (
          <>
            {network.cell !== null && <CellDrawing cell={network.cell} />}
            <p>
              <code>{network.arch}</code>
            </p>
            <Figures
              figures={[
                {
                  name: "Predicted latency",
                  value: formatMs(network.latencyMs),
                  note: `90 %: ${formatMs(network.lowerMs)} to ${formatMs(network.upperMs)}`,
                },
                {
                  name: "Measured",
                  value: network.measuredMs === null ? "–" : formatMs(network.measuredMs),
                },
                {
                  name: "Accuracy",
                  value: network.accuracy === null ? "–" : meritText(network.accuracy),
                },
              ]}
            />
            {!network.connected && (
              <p class="muted">
                No path leads from its input to its output: it computes a constant.
              </p>
            )}
            <Facts
              facts={[
                {
                  name: "Multiply-accumulates",
                  value: `${meritText(network.macs / 1e6)} million that count`,
                },
                { name: "Parameters", value: `${meritText(network.params / 1e6)} million` },
                {
                  name: "Command line",
                  value: (
                    <code>
                      samara predict --platform {platform} --arch {index}
                    </code>
                  ),
                },
                {
                  name: "Files",
                  value: (
                    <>
                      <DownloadButton
                        path={`${path}/model`}
                        fileName={`nasbench201-${index}.onnx`}
                        isLink
                      >
                        ONNX model
                      </DownloadButton>
                      ,{" "}
                      <DownloadButton
                        path={`${path}/layers?predictor=${pathPart(platform)}`}
                        fileName={`nasbench201-${index}.${platform}.netron.json`}
                        isLink
                      >
                        latency of each layer, for Netron
                      </DownloadButton>
                    </>
                  ),
                },
              ]}
            />
            <Operators network={network} />
            <Neighbours network={network} choose={choose} />
          </>
        )}
      </Loaded>
    </Card>
  );
}
