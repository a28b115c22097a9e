/**
 * What stands where a result will be: that it is loading, that there is none, or why it failed.
 */
import type { ComponentChildren } from "preact";
import { ApiError } from "../shell/api.js";
import type { Resource } from "../shell/use-resource.js";

/** Says what is being loaded. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="state" role="status">
      Loading {what} …
    </p>
  );
}

/** Says that there is nothing, and what would change that. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="state">{children}</p>;
}

/** What went wrong, what to do, and a way to try again. */
export function ProblemNote({
  error,
  retry,
}: {
  readonly error: unknown;
  readonly retry?: () => void;
}) {
  const known = error instanceof ApiError ? error : null;
  const message = error instanceof Error ? error.message : String(error);
  const details = known?.problem?.errors ?? [];
  return (
    <div class="problem" role="alert">
      <p>
        <strong>{known?.problem?.title ?? "Failed"}:</strong>{" "}
        {details.length > 0 ? `${details.length} things are wrong` : message}
      </p>
      {details.length > 0 && (
        <ul>
          {details.map(({ detail, hint }) => (
            <li key={detail}>
              {detail}
              {hint === undefined ? "" : ` (${hint})`}
            </li>
          ))}
        </ul>
      )}
      {known?.hint !== undefined && <p>{known.hint}</p>}
      {retry !== undefined && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

/** A resource's content once it is there; before, what it is waiting for. */
export function Loaded<T>({
  resource,
  what,
  children,
}: {
  readonly resource: Resource<T>;
  readonly what: string;
  readonly children: (data: T) => ComponentChildren;
}) {
  switch (resource.state) {
    case "idle":
      return null;
    case "loading":
      return <Loading what={what} />;
    case "failed":
      return <ProblemNote error={resource.error} retry={resource.retry} />;
    case "ready":
      return <>{children(resource.data as T)}</>;
  }
}
