/**
 * Conversions and formatting of durations, sizes and shares. Names carry both units.
 */
import { InputError } from "./errors.js";

export const nsPerMs = 1e6;

const msPerUnit: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1e3,
  min: 60e3,
  h: 3600e3,
};

/**
 * Milliseconds of a duration with its unit, e.g. `250us`, `12ms`, `3s`, `2min`.
 *
 * @throws InputError on a missing or unknown unit, or a number that is not positive and finite
 */
export function durationMsFromText(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*([a-zµ]*)\s*$/i.exec(text);
  const factor = match ? msPerUnit[match[2]!] : undefined;
  if (!match || factor === undefined) {
    throw new InputError(
      `a duration is a number with a unit (${Object.keys(msPerUnit).join(", ")}), got "${text}"`,
      { hint: 'write for example "12ms" or "250us"' },
    );
  }
  const durationMs = Number(match[1]) * factor;
  if (!(durationMs > 0 && Number.isFinite(durationMs))) {
    throw new InputError(`a duration must be greater than 0, got "${text}"`);
  }
  return durationMs;
}

/** A latency for people, three significant digits: `0.842 ms`, `12.3 ms`, `1.25 s`, `85.0 µs`. */
export function formatMs(latencyMs: number): string {
  if (!Number.isFinite(latencyMs)) return "–";
  if (latencyMs >= 1000) return `${(latencyMs / 1000).toPrecision(3)} s`;
  if (latencyMs >= 0.1) return `${latencyMs.toPrecision(3)} ms`;
  return `${(latencyMs * 1000).toPrecision(3)} µs`;
}

/** A longer time for people: `4 s`, `3 min 20 s`, `1 h 05 min`. */
export function formatDuration(durationMs: number): string {
  const totalS = Math.max(0, Math.round(durationMs / 1000));
  if (totalS < 60) return `${totalS} s`;
  const minutes = Math.floor(totalS / 60);
  if (minutes < 60) return `${minutes} min ${String(totalS % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** A fraction as percent: `93.3 %`. */
export function formatShare(fraction: number, digits = 1): string {
  return `${(fraction * 100).toFixed(digits)} %`;
}
