/**
 * A cell of NAS-Bench-201 as a drawing: four nodes, an arrow an operation; where there is none the line is dashed.
 */
import dagre from "@dagrejs/dagre";
import { useMemo } from "preact/hooks";
import type { NetworkDetail } from "../../api/schemas.js";

type Edge = NonNullable<NetworkDetail["cell"]>[number];

const nodeNames = ["input", "1", "2", "output"];
const nodeSize = { width: 62, height: 28 };
const noOperation = "none";
const labelSize = { width: 96, height: 18 };

/** Across where there is room; else downwards, so that its words stay as large as those of the page. */
const isNarrow = () => matchMedia("(max-width: 760px)").matches;

function layout(edges: readonly Edge[], rankdir: "LR" | "TB") {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir, nodesep: 20, ranksep: 20, edgesep: 12, marginx: 4, marginy: 4 });
  for (const [i] of nodeNames.entries()) graph.setNode(String(i), { ...nodeSize });
  for (const { from, to, operation } of edges) {
    graph.setEdge(String(from), String(to), { ...labelSize, labelpos: "c" }, operation);
  }
  dagre.layout(graph);
  return graph;
}

/** The drawing, with the same in words. */
export function CellDrawing({ cell }: { readonly cell: readonly Edge[] }) {
  const rankdir = isNarrow() ? "TB" : "LR";
  const graph = useMemo(() => layout(cell, rankdir), [cell, rankdir]);
  const { width = 0, height = 0 } = graph.graph();
  const words = cell
    .filter(({ operation }) => operation !== noOperation)
    .map(({ from, to, operation }) => `${operation} from ${nodeNames[from]} to ${nodeNames[to]}`)
    .join(", ");
  return (
    <svg
      class="cell-drawing"
      viewBox={`0 0 ${width} ${height}`}
      style={{ maxWidth: `${width}px` }}
      role="img"
      aria-label={`Cell: ${words || "no operation but none"}`}
    >
      <defs>
        <marker
          id="arrow"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto"
        >
          <path d="M0 0 8 4 0 8z" />
        </marker>
      </defs>
      {graph.edges().map((id) => {
        const { points = [], x = 0, y = 0 } = graph.edge(id);
        const path = (points as readonly { x: number; y: number }[]).map(
          (point, i) => `${i === 0 ? "M" : "L"}${point.x} ${point.y}`,
        );
        return (
          <g key={`${id.v} ${id.w}`} data-operation={id.name}>
            {id.name === noOperation ? (
              <path d={path.join("")} />
            ) : (
              <>
                <path d={path.join("")} marker-end="url(#arrow)" />
                <rect x={x - labelSize.width / 2} y={y - 9} {...labelSize} rx="3" />
                <text x={x} y={y + 4}>
                  {id.name}
                </text>
              </>
            )}
          </g>
        );
      })}
      {graph.nodes().map((id) => {
        const { x, y } = graph.node(id);
        return (
          <g key={id} class="node">
            <rect
              x={x - nodeSize.width / 2}
              y={y - nodeSize.height / 2}
              {...nodeSize}
              rx={nodeSize.height / 2}
            />
            <text x={x} y={y + 4}>
              {nodeNames[Number(id)]}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
