/**
 * A table: sortable by its headings, scrolling inside its own region when it is wide.
 */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

/** A column of rows `T`. */
export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Numbers are set to the right. */
  readonly isNumber?: boolean;
  /** What rows are sorted by; without it the column cannot be sorted by. Null goes last. */
  readonly sortBy?: (row: T) => number | string | null;
}

interface DataTableProps<T> {
  /** What the table holds: its caption and the name of its region. */
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  readonly isChosen?: (row: T) => boolean;
  /** Column that rows are sorted by at first, by name; `-` before it: descending. */
  readonly sorted?: string;
}

function sortRows<T>(
  rows: readonly T[],
  sortBy: (row: T) => number | string | null,
  isDescending: boolean,
): T[] {
  const sign = isDescending ? -1 : 1;
  return [...rows].sort((one, other) => {
    const [a, b] = [sortBy(one), sortBy(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === "number" && typeof b === "number") return sign * (a - b);
    return sign * String(a).localeCompare(String(b), "en", { numeric: true });
  });
}

/** Rows under sortable headings; the first column heads its row. */
export function DataTable<T>({
  caption,
  columns,
  rows,
  keyOf,
  isChosen,
  sorted = "",
}: DataTableProps<T>) {
  const [order, setOrder] = useState(sorted);
  const isDescending = order.startsWith("-");
  const name = isDescending ? order.slice(1) : order;
  const sortBy = columns.find((column) => column.name === name)?.sortBy;
  const ordered = sortBy === undefined ? rows : sortRows(rows, sortBy, isDescending);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard.
    <section class="table-scroll" tabIndex={0} aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => {
              const isSorted = column.name === name;
              const mark = isSorted ? (isDescending ? " ↓" : " ↑") : "";
              return (
                <th
                  key={column.name}
                  scope="col"
                  class={column.isNumber ? "number" : ""}
                  {...(isSorted && { "aria-sort": isDescending ? "descending" : "ascending" })}
                >
                  {column.sortBy === undefined ? (
                    column.name
                  ) : (
                    <button
                      type="button"
                      onClick={() =>
                        setOrder(isSorted && !isDescending ? `-${column.name}` : column.name)
                      }
                    >
                      {column.name}
                      <span aria-hidden="true">{mark}</span>
                    </button>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {ordered.map((row) => (
            <tr key={keyOf(row)} data-chosen={isChosen?.(row) === true}>
              {columns.map((column, i) =>
                i === 0 ? (
                  <th key={column.name} scope="row">
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.name} class={column.isNumber ? "number" : ""}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
