/**
 * What networks are ranked by: a table of accuracies, one of one's own, or multiply-accumulates in their stead.
 */
import { useState } from "preact/hooks";
import type { AccuracyTable } from "../../api/schemas.js";
import { pathPart, request } from "../shell/api.js";
import { useQuery } from "../shell/use-query.js";
import { ProblemNote } from "./states.js";

const nameOf = (file: File) =>
  file.name.replace(/\.csv$/i, "").replaceAll(/[^A-Za-z0-9._-]/g, "-") || "table";

/** Choose a table, or upload one. */
export function AccuracyChoice({
  tables,
  chosen,
  reload,
}: {
  readonly tables: readonly AccuracyTable[];
  readonly chosen: AccuracyTable | undefined;
  readonly reload: () => void;
}) {
  const { setQuery } = useQuery();
  const [error, setError] = useState<unknown>(null);

  async function upload(file: File): Promise<void> {
    setError(null);
    try {
      const name = nameOf(file);
      const headers = { "content-type": "text/csv" };
      await request(`/accuracies/${pathPart(name)}`, { method: "PUT", headers, body: file });
      setQuery({ accuracy: name });
      reload();
    } catch (thrown) {
      setError(thrown);
    }
  }

  return (
    <>
      <div class="columns">
        <label class="field">
          Ranked by
          <select
            value={chosen?.name ?? "none"}
            onChange={({ currentTarget }) => setQuery({ accuracy: currentTarget.value })}
          >
            {tables.map(({ name, column, nNetworks }) => (
              <option key={name} value={name} selected={name === chosen?.name}>
                {name}: {column}, {nNetworks.toLocaleString("en")} networks
              </option>
            ))}
            <option value="none" selected={chosen === undefined}>
              multiply-accumulates, in place of accuracy
            </option>
          </select>
        </label>
        <label class="field">
          Accuracies of your own (CSV with columns network and accuracy)
          <input
            type="file"
            accept=".csv,text/csv"
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              if (file) void upload(file);
            }}
          />
        </label>
      </div>
      {chosen === undefined && (
        <p class="muted">
          No accuracies are used: multiply-accumulates stand in for them. They are a poor guide to
          accuracy.
        </p>
      )}
      {error !== null && <ProblemNote error={error} />}
    </>
  );
}
