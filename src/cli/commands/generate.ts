/**
 * `samara generate`: write the model file of an architecture, ONNX or TFLite by the name's ending.
 */
import { InputError } from "../../errors.js";
import type { NetworkOptions } from "../../space/nasbench201/network.js";
import { exitCodes } from "../exit-codes.js";
import { InputChecks } from "../input-checks.js";
import type { Register } from "../main.js";
import { integerOption } from "../settings.js";

interface GenerateOptions {
  arch?: string;
  out?: string;
  input?: number;
  channels?: number;
  cells?: number;
  variant?: string;
  foldBatchNorm: boolean;
}

export function registerGenerate(register: Register): void {
  register<GenerateOptions>(
    "generate",
    "write the model file of an architecture (.onnx or .tflite)",
    (command) =>
      command
        .option(
          "--arch <arch>",
          "architecture string or index, space/architecture or space/random; - reads it from standard input",
        )
        .option(
          "--input <pixels>",
          "NAS-Bench-201: height and width of the input (default: 32)",
          integerOption("input", 4, 4096),
        )
        .option(
          "--channels <n>",
          "NAS-Bench-201: channels of the first stage (default: 16)",
          integerOption("channels", 1, 4096),
        )
        .option(
          "--cells <n>",
          "NAS-Bench-201: cells in each stage (default: 5)",
          integerOption("cells", 1, 100),
        )
        .option(
          "--variant <name>",
          "NAS-Bench-201: pruned (none is no edge, the default) or traced (none multiplies by zero)",
        )
        .option("--no-fold-batch-norm", "keep batch norms as operators of their own")
        .option("-o, --out <file>", "file to write, ending in .onnx or .tflite"),
    async ({ options, out, settings, warnings }) => {
      const { arch, out: file = "", variant } = options;
      const { architecturesFromArchs } = await import("../subjects.js");
      const { indexFromNetworkId } = await import("../../space/nasbench201/cell.js");
      const checks = new InputChecks();
      const isVariant = variant === "pruned" || variant === "traced";
      if (!isVariant && variant !== undefined) {
        checks.add(new InputError(`--variant is pruned or traced, got "${variant}"`));
      }
      if (!/\.(onnx|tflite)$/.test(file)) {
        checks.add(
          new InputError(
            `generate needs -o with a file that ends in .onnx or .tflite, got ${file || "nothing"}`,
          ),
        );
      }
      if (arch === undefined) checks.add(new InputError("generate needs --arch"));
      const architectures =
        arch === undefined
          ? []
          : checks.run(() => architecturesFromArchs([arch], options.seed), []);
      if (architectures.length > 1) {
        checks.add(new InputError(`generate writes one architecture, got ${architectures.length}`));
      }
      const networkOptions: NetworkOptions = {
        ...(options.input === undefined ? {} : { inputSize: options.input }),
        ...(options.channels === undefined ? {} : { channels: options.channels }),
        ...(options.cells === undefined ? {} : { cellsPerStage: options.cells }),
        ...(isVariant ? { variant } : {}),
        foldBatchNorm: options.foldBatchNorm,
        seed: options.seed,
      };
      const graphs = architectures.map(({ space, text }) =>
        checks.run(() => space.network(text, networkOptions), null),
      );
      checks.done();
      const graph = graphs[0]!;
      const { id } = architectures[0]!;
      const { costOfGraph } = await import("../../graph/analysis.js");
      const { writeFileAtomic } = await import("../../store/files.js");
      const bytes = file.endsWith(".onnx")
        ? (await import("../../onnx/write.js")).writeOnnx(graph)
        : (await import("../../tflite/write.js")).writeTflite(graph);
      writeFileAtomic(file, bytes);
      const { macs, parameters } = costOfGraph(graph);
      out.emit(
        {
          name: "generate",
          context: { ...settings, network: graph.metadata },
          results: [
            {
              file,
              id,
              arch: graph.metadata.arch,
              index: indexFromNetworkId(id) ?? null,
              nOperators: graph.operators.length,
              macs,
              parameters,
              sizeBytes: bytes.length,
            },
          ],
          warnings,
        },
        [
          { title: "file", value: (r) => r.file },
          { title: "architecture", value: (r) => r.arch ?? r.id },
          { title: "operators", value: (r) => String(r.nOperators), align: "right" },
          { title: "MACs", value: (r) => `${(r.macs / 1e6).toFixed(1)} M`, align: "right" },
          {
            title: "parameters",
            value: (r) => `${(r.parameters / 1e6).toFixed(3)} M`,
            align: "right",
          },
        ],
      );
      return exitCodes.ok;
    },
  );
}
