/**
 * `samara doctor`: what would disturb a measurement here, and the remedy.
 */
import { exitCodes } from "../exit-codes.js";
import type { Register } from "../main.js";

const marks = { ok: "ok", note: "note", warning: "WARNING" } as const;

export function registerDoctor(register: Register): void {
  register(
    "doctor",
    "what would disturb a measurement here, and the remedy",
    () => {},
    async ({ out, settings, progress }) => {
      const { judgeContext, takeContext } = await import("../../measure/environment.js");
      const { examineMachine } = await import("../../measure/examine.js");
      progress.update("doctor: watching the processor for 2 s");
      const context = takeContext("none");
      const findings = [...judgeContext(context), ...(await examineMachine())];
      progress.clear();
      const warnings = findings.filter(({ severity }) => severity === "warning");
      out.emit(
        { name: "doctor", context: { ...settings, ...context }, results: findings, warnings: [] },
        [
          { title: "", value: ({ severity }) => marks[severity] },
          { title: "check", value: ({ code }) => code },
          {
            title: "finding",
            value: ({ message, remedy }) => (remedy === null ? message : `${message} -> ${remedy}`),
          },
        ],
        warnings.length === 0
          ? "\nNothing here would keep a measurement from grade A."
          : `\n${warnings.length} thing(s) would disturb a measurement: expect wider intervals and lower grades.`,
      );
      return exitCodes.ok;
    },
  );
}
