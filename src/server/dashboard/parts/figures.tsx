/**
 * Figures and facts: a list of names with values, large or in lines.
 */
import type { ComponentChildren } from "preact";

/** One value with its name. */
export interface Figure {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly note?: string;
}

/** Values in large type, side by side. */
export function Figures({ figures }: { readonly figures: readonly Figure[] }) {
  return (
    <dl class="figures">
      {figures.map(({ name, value, note }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {value}
            {note !== undefined && <div class="figure-note">{note}</div>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Values in lines. */
export function Facts({ facts }: { readonly facts: readonly Figure[] }) {
  return (
    <dl class="facts">
      {facts.map(({ name, value }) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}
