/**
 * How a platform's figures are written.
 */
import type { Grade } from "../../../record/measurement.js";

const grades: readonly Grade[] = ["A", "B", "C", "X"];

/** Counts by grade, those that occur: `A 410, B 12`. */
export function gradesText(counts: Readonly<Partial<Record<Grade, number>>>): string {
  const texts = grades.flatMap((grade) => {
    const count = counts[grade] ?? 0;
    return count === 0 ? [] : [`${grade} ${count}`];
  });
  return texts.length === 0 ? "–" : texts.join(", ");
}

/** A small or large number with three digits; `absent` for null. */
export function formatCounter(value: number | null): string {
  if (value === null) return "absent";
  if (value === 0) return "0";
  return Math.abs(value) >= 0.001 && Math.abs(value) < 1e6
    ? String(Number(value.toPrecision(3)))
    : value.toExponential(2);
}

/** A time as UTC to the minute. */
export function formatTime(iso: string | null): string {
  return iso === null ? "–" : `${iso.slice(0, 16).replace("T", " ")} UTC`;
}
