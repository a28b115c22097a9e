/**
 * A button that saves an answer of the service as a file, and says why when it cannot.
 */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { saveAnswer } from "./download.js";
import { ProblemNote } from "./states.js";

interface DownloadButtonProps {
  /** Below `/api/v1`. */
  readonly path: string;
  readonly fileName: string;
  readonly init?: RequestInit;
  /** What it is, where the words on it do not say so. */
  readonly label?: string;
  readonly isLink?: boolean;
  readonly children: ComponentChildren;
}

/** Saves on a click. */
export function DownloadButton(props: DownloadButtonProps) {
  const { path, fileName, init, label, isLink = false, children } = props;
  const [error, setError] = useState<unknown>(null);
  return (
    <>
      <button
        type="button"
        {...(isLink && { class: "link" })}
        {...(label !== undefined && { "aria-label": label })}
        onClick={() => {
          setError(null);
          saveAnswer(path, fileName, init).catch(setError);
        }}
      >
        {children}
      </button>
      {error !== null && <ProblemNote error={error} />}
    </>
  );
}
