/**
 * All benchmark tools of edge runtimes. A further tool is one file and one line here.
 */
import { NotFoundError } from "../errors.js";
import type { EdgeTool } from "./tool.js";
import { benchmarkApp } from "./tools/benchmark-app.js";
import { benchmarkModel } from "./tools/benchmark-model.js";
import { benchncnn } from "./tools/benchncnn.js";
import { trtexec } from "./tools/trtexec.js";

export const edgeTools: readonly EdgeTool[] = [trtexec, benchmarkModel, benchncnn, benchmarkApp];

/** @throws NotFoundError listing the tools there are */
export function edgeToolOf(name: string): EdgeTool {
  const found = edgeTools.find((tool) => tool.name === name);
  if (found !== undefined) return found;
  const names = edgeTools.map((tool) => tool.name).join(", ");
  throw new NotFoundError(`there is no edge tool "${name}"; there are: ${names}`);
}
