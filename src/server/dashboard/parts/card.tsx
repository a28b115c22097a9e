/**
 * A part of a page under a heading of its own.
 */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** A section with its heading (level 2) and what stands beside it. */
export function Card({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id}>
      <div class="row">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}
