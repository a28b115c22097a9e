/**
 * HTML that escapes by itself: whatever is put into the template is text, unless it is HTML already.
 */
import { escapeHtml } from "./charts.js";

/** Text that is HTML and may stand as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes; nothing (an absent part of a page) is empty. */
export type Content = Html | string | number | undefined | readonly Content[];

function textOf(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Html) return content.text;
  if (typeof content === "object") return content.map(textOf).join("");
  return escapeHtml(String(content));
}

/** HTML from a template; contents are escaped. */
export function html(parts: TemplateStringsArray, ...contents: readonly Content[]): Html {
  let text = parts[0]!;
  contents.forEach((content, i) => {
    text += textOf(content) + parts[i + 1]!;
  });
  return new Html(text);
}

/** A column of a table. */
export interface TableColumn<Row> {
  readonly title: Content;
  readonly value: (row: Row) => Content;
  readonly isNumber?: boolean;
}

/** A table whose first column heads its rows; it scrolls sideways by itself when the screen is narrow. */
export function table<Row>(
  caption: string,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  rowClass: (row: Row) => string | undefined = () => undefined,
): Html {
  const numberClass = ({ isNumber }: TableColumn<Row>) =>
    isNumber ? html` class="number"` : undefined;
  const head = columns.map(
    (column) => html`<th scope="col"${numberClass(column)}>${column.title}</th>`,
  );
  const body = rows.map((row) => {
    const name = rowClass(row);
    const cells = columns.map((column, i) =>
      i === 0
        ? html`<th scope="row">${column.value(row)}</th>`
        : html`<td${numberClass(column)}>${column.value(row)}</td>`,
    );
    return html`<tr${name === undefined ? undefined : html` class="${name}"`}>${cells}</tr>\n`;
  });
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
<table>
<caption><span>${caption}</span></caption>
<thead><tr>${head}</tr></thead>
<tbody>
${body}</tbody>
</table>
</div>
`;
}

/** Names with values. */
export function definitions(entries: readonly (readonly [string, Content])[]): Html {
  return html`<dl>${entries.map(
    ([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`,
  )}</dl>\n`;
}
