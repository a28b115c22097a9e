#!/usr/bin/env node
/**
 * Entry point of the `samara` command.
 */
import { endWithParent } from "./end-with-parent.js";
import { main } from "./main.js";

// A reader that stops early (`| head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

await endWithParent();
process.exitCode = await main(process.argv.slice(2));
