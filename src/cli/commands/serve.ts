/**
 * `samara serve`: the service and its dashboard.
 */
import { InputError } from "../../errors.js";
import type { Register } from "../main.js";
import { collect } from "../settings.js";

interface ServeOptions {
  host: string;
  port: number;
  tokenFile?: string;
  allowedHost?: string[];
  accuracy?: string[];
  accuracyColumn?: string;
}

function portOption(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InputError(`--port must be an integer in 0…65535, got "${text}"`);
}

export function registerServe(register: Register): void {
  register<ServeOptions>(
    "serve",
    "serve the dashboard and the REST interface",
    (command) =>
      command
        .option(
          "--host <address>",
          "address to listen on; any but loopback needs a token",
          "127.0.0.1",
        )
        .option("--port <number>", "0: any that is free", portOption, 8080)
        .option("--token-file <file>", "file that holds the token (or set SAMARA_TOKEN)")
        .option("--allowed-host <name>", "further name under which it may be asked for", collect)
        .option("--accuracy <file>", "accuracy table (CSV) to rank networks by", collect)
        .option("--accuracy-column <name>", "column of the accuracies"),
    async (context) => {
      const { options } = context;
      const { readAccuracies } = await import("../../catalogue/accuracy-file.js");
      const { readBytes } = await import("../../store/files.js");
      const { serveUntilStopped } = await import("../serving.js");
      const { InputChecks } = await import("../input-checks.js");
      const { tokenFile, accuracyColumn: column } = options;
      const checks = new InputChecks();
      const token = checks.run(() => {
        const text =
          tokenFile === undefined
            ? process.env.SAMARA_TOKEN
            : readBytes(tokenFile, "token file").toString("utf8").trim();
        if (text === undefined || (text.length >= 16 && /^[\x21-\x7e]+$/.test(text))) return text;
        throw new InputError("a token must have at least 16 printable characters without spaces");
      }, undefined);
      const accuracies = (options.accuracy ?? []).map((path) => {
        checks.run(() => {
          const { entries } = readAccuracies(path, column);
          const file = entries.find(({ network }) => network.kind === "file")?.network;
          if (file?.kind !== "file") return;
          throw new InputError(
            `accuracy file ${path} names model files (${file.path}), which the service does not read`,
            { hint: "name architectures; for files use `samara search --accuracy`" },
          );
        }, undefined);
        return { path, ...(column === undefined ? {} : { column }) };
      });
      checks.done();
      await serveUntilStopped(
        {
          host: options.host,
          port: options.port,
          ...(token === undefined ? {} : { token }),
          allowedHosts: options.allowedHost ?? [],
          accuracies,
        },
        context,
      );
      return 0;
    },
  );
}
