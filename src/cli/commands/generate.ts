/**
 * `samara generate`: write the model file of an architecture, ONNX or TFLite by the name's ending.
 */
import { InputError } from "../../errors.js";
import { exitCodes } from "../exit-codes.js";
import { InputChecks } from "../input-checks.js";
import type { Register } from "../main.js";
import { integerOption } from "../settings.js";

interface GenerateOptions {
  arch?: string;
  input: number;
  out?: string;
  channels: number;
  cells: number;
  variant: string;
  foldBatchNorm: boolean;
}

export function registerGenerate(register: Register): void {
  register<GenerateOptions>(
    "generate",
    "write the model file of an architecture (.onnx or .tflite)",
    (command) =>
      command
        .option("--arch <arch>", "architecture string or index; - reads it from standard input")
        .option(
          "--input <pixels>",
          "height and width of the input",
          integerOption("input", 4, 4096),
          32,
        )
        .option(
          "--channels <n>",
          "channels of the first stage",
          integerOption("channels", 1, 4096),
          16,
        )
        .option("--cells <n>", "cells in each stage", integerOption("cells", 1, 100), 5)
        .option(
          "--variant <name>",
          "pruned (none is no edge) or traced (none multiplies by zero)",
          "pruned",
        )
        .option("--no-fold-batch-norm", "keep batch norms as operators of their own")
        .option("-o, --out <file>", "file to write, ending in .onnx or .tflite"),
    async ({ options, out, settings, warnings }) => {
      const { arch, out: file = "", variant } = options;
      const { indicesFromArchs } = await import("../subjects.js");
      const checks = new InputChecks();
      const isVariant = variant === "pruned" || variant === "traced";
      if (!isVariant) {
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
      const indices = arch === undefined ? [] : checks.run(() => indicesFromArchs([arch]), [0]);
      if (arch !== undefined && indices.length !== 1) {
        checks.add(new InputError(`generate writes one architecture, got ${indices.length}`));
      }
      checks.done();
      const { cellFromIndex, archStringFromCell } = await import("../../space/nasbench201/cell.js");
      const { networkFromCell } = await import("../../space/nasbench201/network.js");
      const { costOfGraph } = await import("../../graph/analysis.js");
      const { writeFileAtomic } = await import("../../store/files.js");
      const cell = cellFromIndex(indices[0]!);
      const graph = networkFromCell(cell, {
        inputSize: options.input,
        channels: options.channels,
        cellsPerStage: options.cells,
        ...(isVariant ? { variant } : {}),
        foldBatchNorm: options.foldBatchNorm,
        seed: options.seed,
      });
      const bytes = file.endsWith(".onnx")
        ? (await import("../../onnx/write.js")).writeOnnx(graph)
        : (await import("../../tflite/write.js")).writeTflite(graph);
      writeFileAtomic(file, bytes);
      const { macs, parameters } = costOfGraph(graph);
      out.emit(
        {
          name: "generate",
          context: settings,
          results: [
            {
              file,
              arch: archStringFromCell(cell),
              index: indices[0]!,
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
          { title: "architecture", value: (r) => r.arch },
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
