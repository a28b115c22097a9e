/**
 * Some networks of the space as a table, and as a file.
 */
import { archStringFromCell, cellFromIndex } from "../../../space/nasbench201/cell.js";
import { DataTable } from "../parts/data-table.js";
import { saveText } from "../parts/download.js";
import { latencyColumns } from "../parts/latency-columns.js";
import { meritText, type Networks } from "../parts/use-networks.js";

/** Save networks as CSV, with all their digits. */
export function saveNetworks({ columns, merit }: Networks, rows: readonly number[]): void {
  const lines = rows.map((i) =>
    [
      `nasbench201/${i}`,
      archStringFromCell(cellFromIndex(i)),
      columns.latencyMs[i],
      columns.lowerMs[i],
      columns.upperMs[i],
      merit[i],
    ].join(","),
  );
  const text = ["network,arch,latencyMs,lowerMs,upperMs,merit", ...lines].join("\n");
  saveText(`${text}\n`, "networks.csv", "text/csv");
}

/** Networks by position; a click chooses one. */
export function NetworkTable({
  caption,
  networks: { columns, merit, meritName },
  rows,
  choose,
}: {
  readonly caption: string;
  readonly networks: Networks;
  readonly rows: readonly number[];
  readonly choose: (index: number) => void;
}) {
  return (
    <DataTable
      caption={caption}
      rows={rows}
      keyOf={String}
      columns={[
        {
          name: "Network",
          sortBy: (i) => i,
          cell: (i) => (
            <button type="button" class="link" onClick={() => choose(i)}>
              nasbench201/{i}
            </button>
          ),
        },
        ...latencyColumns<number>((i) => ({
          latencyMs: columns.latencyMs[i]!,
          lowerMs: columns.lowerMs[i]!,
          upperMs: columns.upperMs[i]!,
        })),
        {
          name: meritName,
          isNumber: true,
          sortBy: (i) => merit[i]!,
          cell: (i) => meritText(merit[i]!),
        },
      ]}
    />
  );
}
