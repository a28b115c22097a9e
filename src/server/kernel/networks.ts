/**
 * Networks of search spaces as the service shows them: all cells in columns, one network in detail with its neighbours.
 */
import { InputError } from "../../errors.js";
import { costOfGraph } from "../../graph/cost.js";
import type { OperatorGraph } from "../../graph/graph.js";
import { writeOnnx } from "../../onnx/write.js";
import { latencyPartsOf } from "../../predict/latency-parts.js";
import { netronAttachment } from "../../predict/netron.js";
import { megaMacsOf } from "../../search/candidates.js";
import { cellFromIndex, edges, indexFromCell, operations } from "../../space/nasbench201/cell.js";
import { type Architecture, architectureFromText, spaces } from "../../space/registry.js";
import { createRandom } from "../../tensor/random.js";
import type { NetworkColumns, NetworkDetail } from "../api/schemas.js";
import type { Accuracies } from "./accuracies.js";
import type { PredictorCache, ReadyPredictor } from "./predictors.js";
import { isUsable, type Shelf } from "./shelf.js";

const coverage = 0.9;
/** Neighbours that are shown of a space whose networks have more. */
const mostNeighbours = 64;
/** Draws to find them with: most mutations are new ones in spaces that large. */
const mostDraws = 256;

const perMega = 1e6;
/** JSON of 15,625 numbers with all their digits is three times as long, and no plot shows them. */
const short = (values: ArrayLike<number>) =>
  Array.from(values, (value) => Number(value.toPrecision(6)));

/** Architectures are named, never drawn. */
const noDice = {
  integer(): number {
    throw new InputError("name an architecture: `random` is none");
  },
};

/** The architecture that a request names. */
export const namedArchitecture = (text: string): Architecture => architectureFromText(text, noDice);

/** All cells. */
export async function networkColumns(
  cache: PredictorCache,
  ready: ReadyPredictor,
  options: { readonly coverage: number; readonly accuracy?: string },
  accuracies: Accuracies,
): Promise<NetworkColumns> {
  const { latencyMs, lowerMs, upperMs } = await cache.ofCells(ready, options.coverage);
  const table = options.accuracy === undefined ? null : accuracies.get(options.accuracy);
  return {
    predictor: ready.id,
    platform: ready.id,
    space: "nasbench201",
    coverage: options.coverage,
    latencyMs: short(latencyMs),
    lowerMs: short(lowerMs),
    upperMs: short(upperMs),
    connected: Array.from(cache.cells.connected),
    macs: short(cache.cellsByMacs.tables[0]!.merit.map((macs) => macs * perMega)),
    accuracy: table && accuracies.ofCells(options.accuracy!),
    accuracySource: table && `${table.source}: ${table.column} (${table.unit})`,
  };
}

interface Neighbour {
  readonly architecture: Architecture;
  readonly change: string;
}

function neighboursOf({ space, text, id }: Architecture): Neighbour[] {
  if (space === spaces[0]) {
    const cell = cellFromIndex(Number(text));
    return edges.flatMap(([from, to], edge) =>
      operations
        .filter((operation) => operation !== cell[edge])
        .map((operation) => ({
          architecture: namedArchitecture(
            String(indexFromCell(cell.with(edge, operation) as unknown as typeof cell)),
          ),
          change: `${from}→${to}: ${cell[edge]} becomes ${operation}`,
        })),
    );
  }
  const dice = createRandom(0);
  const found = new Map<string, Neighbour>();
  for (let draw = 0; draw < mostDraws && found.size < mostNeighbours; draw++) {
    const other = space.mutate(text, dice);
    const architecture = namedArchitecture(`${space.name}/${other}`);
    if (architecture.id !== id) found.set(other, { architecture, change: "one choice changed" });
  }
  return [...found.values()];
}

/** What is known of one architecture's accuracy. */
function accuracyOf(accuracies: Accuracies, name: string | undefined) {
  if (name === undefined) return () => null;
  const byId = new Map(
    accuracies
      .get(name)
      .entries.flatMap(({ network, accuracy }) =>
        network.kind === "architecture" ? [[network.architecture.id, accuracy] as const] : [],
      ),
  );
  return (id: string) => byId.get(id) ?? null;
}

/** One network. */
export async function networkDetail(
  { shelf, accuracies }: { readonly shelf: Shelf; readonly accuracies: Accuracies },
  ready: ReadyPredictor,
  architecture: Architecture,
  accuracy: string | undefined,
): Promise<NetworkDetail> {
  const { space, text, id } = architecture;
  const graph = space.network(text);
  const accuracyOfId = accuracyOf(accuracies, accuracy);
  const neighbours = neighboursOf(architecture);
  const table = space.features([text, ...neighbours.map((one) => one.architecture.text)]);
  const { latencyMs, lowerMs, upperMs } = await ready.predictor.predict(table, { coverage });
  const macs = megaMacsOf(table);
  const parts = await latencyPartsOf(ready.predictor, graph);
  const onPlatform = (await shelf.platforms()).find(({ platform }) => platform.id === ready.id);
  const measured = onPlatform?.measurements.find((one) => one.subjectId === id && isUsable(one));
  return {
    id,
    arch: space.written(text),
    macs: macs[0]! * perMega,
    params: costOfGraph(graph).parameters,
    connected: table.connected[0] === 1,
    accuracy: accuracyOfId(id),
    latencyMs: latencyMs[0]!,
    lowerMs: lowerMs[0]!,
    upperMs: upperMs[0]!,
    measuredMs: measured?.latencyMs ?? null,
    cell:
      space === spaces[0]
        ? cellFromIndex(Number(text)).map((operation, edge) => ({
            from: edges[edge]![0],
            to: edges[edge]![1],
            operation,
          }))
        : null,
    operators: parts.operators.map((part) => ({ ...part, nodes: [...part.nodes] })),
    sharesFrom: parts.sharesFrom,
    neighbours: neighbours.map(({ architecture: other, change }, i) => ({
      id: other.id,
      arch: other.space.written(other.text),
      change,
      latencyMs: latencyMs[i + 1]!,
      lowerMs: lowerMs[i + 1]!,
      upperMs: upperMs[i + 1]!,
      accuracy: accuracyOfId(other.id),
      macs: macs[i + 1]! * perMega,
    })),
  };
}

/** The model file of an architecture. */
export const modelOf = ({ space, text }: Architecture): Uint8Array =>
  writeOnnx(space.network(text));

/** The file that Netron shows beside a graph, as bytes. */
export async function layersOf(ready: ReadyPredictor, graph: OperatorGraph): Promise<Uint8Array> {
  const attachment = netronAttachment(graph, await latencyPartsOf(ready.predictor, graph));
  return new TextEncoder().encode(`${JSON.stringify(attachment, null, 2)}\n`);
}
