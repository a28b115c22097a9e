/**
 * Onboard: a platform of the machine that serves, from nothing to a checked predictor; and the jobs that there were.
 */
import { useCallback, useEffect, useState } from "preact/hooks";
import { useLocation, useRoute } from "preact-iso";
import { formatDuration } from "../../../units.js";
import type { Job, Machine } from "../../api/schemas.js";
import { Card } from "../parts/card.js";
import { DataTable } from "../parts/data-table.js";
import { Empty, Loaded, ProblemNote } from "../parts/states.js";
import { getResult, getResults, pathPart, postResults } from "../shell/api.js";
import { useQuery, withPlatform } from "../shell/use-query.js";
import { useResource } from "../shell/use-resource.js";
import { isActive, jobTitle } from "./job-words.js";
import { JobView } from "./onboard-job.js";
import { formatTime } from "./platform-words.js";

const defaultSamples = 10;
const leastSamples = 5;
const mostSamples = 1000;

const jobPath = (id: string, platform: string | undefined) =>
  withPlatform(`/onboard/${pathPart(id)}`, platform);

function StartForm({
  available,
  onStarted,
}: {
  readonly available: Machine["available"];
  readonly onStarted: (job: Job) => void;
}) {
  const { query } = useQuery();
  const first = available.find(({ id }) => id === query.platform) ?? available[0]!;
  const [platform, setPlatform] = useState(first.id);
  const [samples, setSamples] = useState(String(defaultSamples));
  const [isStarting, setIsStarting] = useState(false);
  const [error, setError] = useState<unknown>(null);

  async function start(): Promise<void> {
    setIsStarting(true);
    setError(null);
    try {
      const order = { kind: "onboard", platform, samples: Number(samples) };
      const [job] = await postResults<Job>("/jobs", order);
      onStarted(job!);
    } catch (thrown) {
      setError(thrown);
    } finally {
      setIsStarting(false);
    }
  }

  return (
    <>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <label class="field">
          Platform of this machine
          <select
            value={platform}
            onChange={({ currentTarget }) => setPlatform(currentTarget.value)}
          >
            {available.map(({ id, name }) => (
              <option key={id} value={id} selected={id === platform}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          Samples ({leastSamples} to {mostSamples})
          <input
            type="number"
            required
            min={leastSamples}
            max={mostSamples}
            step={1}
            value={samples}
            onInput={({ currentTarget }) => setSamples(currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary at-end" disabled={isStarting}>
          {isStarting ? "Starting …" : "Start onboarding"}
        </button>
      </form>
      <p class="muted">
        Takes two to four minutes. Leave the machine alone meanwhile: other work makes measurements
        worse.
      </p>
      {error !== null && <ProblemNote error={error} />}
    </>
  );
}

function MachineView({
  machine,
  onStarted,
}: {
  readonly machine: Machine;
  readonly onStarted: (job: Job) => void;
}) {
  const { available, unavailable, findings } = machine;
  return (
    <>
      {available.length === 0 ? (
        <Empty>No runtime can be measured on this machine. The reasons are below.</Empty>
      ) : (
        <StartForm available={available} onStarted={onStarted} />
      )}
      {findings.length > 0 && (
        <>
          <h3>What would disturb a measurement now</h3>
          <ul class="findings">
            {findings.map(({ severity, message, remedy }) => (
              <li key={message}>
                <span class="tag">{severity}</span> {message}
                {remedy !== null && <span class="muted"> {remedy}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      {unavailable.length > 0 && (
        <details>
          <summary>What cannot run here, and why ({unavailable.length})</summary>
          <DataTable
            caption="Runtimes that are not available on this machine"
            rows={unavailable}
            keyOf={({ runtime }) => runtime}
            columns={[
              { name: "Runtime", sortBy: ({ runtime }) => runtime, cell: ({ runtime }) => runtime },
              { name: "Why not", cell: ({ reason }) => reason },
              { name: "What helps", cell: ({ remedy }) => remedy ?? "–" },
            ]}
          />
        </details>
      )}
    </>
  );
}

function MachineCard({ onStarted }: { readonly onStarted: (job: Job) => void }) {
  const [isFresh, setIsFresh] = useState(false);
  const resource = useResource(isFresh ? "/machine?refresh=1" : "/machine", getResult<Machine>);
  const lookAgain = () => {
    if (isFresh) resource.retry();
    else setIsFresh(true);
  };
  return (
    <Card
      title="Onboard a platform"
      aside={
        <button type="button" onClick={lookAgain} disabled={resource.state === "loading"}>
          Examine the machine again
        </button>
      }
    >
      <Loaded resource={resource} what="what this machine can run; that takes some seconds">
        {(machine) => <MachineView machine={machine} onStarted={onStarted} />}
      </Loaded>
    </Card>
  );
}

const listIntervalMs = 5000;

function elapsed({ startedAt, endedAt }: Job): string {
  if (startedAt === null) return "–";
  const endMs = endedAt === null ? Date.now() : Date.parse(endedAt);
  return formatDuration(endMs - Date.parse(startedAt));
}

/** All jobs, asked for again while some are not done. */
function useJobs() {
  const [jobs, setJobs] = useState<readonly Job[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const reload = useCallback(async (signal?: AbortSignal) => {
    try {
      const loaded = await getResults<Job>("/jobs", signal);
      if (signal?.aborted) return;
      setJobs(loaded);
      setError(null);
    } catch (thrown) {
      if (!signal?.aborted) setError(thrown);
    }
  }, []);
  useEffect(() => {
    const controller = new AbortController();
    void reload(controller.signal);
    return () => controller.abort();
  }, [reload]);
  const hasActive = jobs?.some(({ state }) => isActive(state)) === true;
  useEffect(() => {
    if (!hasActive) return;
    const timer = setInterval(() => void reload(), listIntervalMs);
    return () => clearInterval(timer);
  }, [hasActive, reload]);
  return { jobs, error, reload };
}

function JobList({
  jobs,
  chosen,
}: {
  readonly jobs: readonly Job[];
  readonly chosen: string | undefined;
}) {
  const { query } = useQuery();
  if (jobs.length === 0) return <Empty>There were no jobs yet.</Empty>;
  return (
    <DataTable
      caption="Jobs, the newest first; one runs at a time"
      rows={jobs}
      keyOf={({ id }) => id}
      isChosen={({ id }) => id === chosen}
      columns={[
        {
          name: "Job",
          sortBy: jobTitle,
          cell: (job) => <a href={jobPath(job.id, query.platform)}>{jobTitle(job)}</a>,
        },
        {
          name: "State",
          sortBy: ({ state }) => state,
          cell: ({ state, position }) =>
            position === null ? state : `${state}, place ${position}`,
        },
        {
          name: "Asked for",
          sortBy: ({ createdAt }) => createdAt,
          cell: ({ createdAt }) => formatTime(createdAt),
        },
        { name: "Took", isNumber: true, cell: elapsed },
        {
          name: "Attempts",
          isNumber: true,
          sortBy: ({ nAttempts }) => nAttempts,
          cell: ({ nAttempts }) => nAttempts,
        },
      ]}
    />
  );
}

/** The page. */
export default function OnboardPage() {
  const { route } = useLocation();
  const { params } = useRoute();
  const { query } = useQuery();
  const { jobs, error, reload } = useJobs();
  const chosen = params.job;
  const reloadList = useCallback(() => void reload(), [reload]);
  return (
    <div class="stack">
      <h1>Onboard</h1>
      {chosen === undefined ? (
        <MachineCard
          onStarted={({ id }) => {
            reloadList();
            route(jobPath(id, query.platform));
          }}
        />
      ) : (
        <JobView
          key={chosen}
          id={chosen}
          onChange={reloadList}
          onDeleted={() => {
            reloadList();
            route(withPlatform("/onboard", query.platform));
          }}
        />
      )}
      <Card
        title="Jobs"
        aside={
          chosen !== undefined && (
            <a class="button" href={withPlatform("/onboard", query.platform)}>
              New onboarding
            </a>
          )
        }
      >
        {error !== null ? (
          <ProblemNote error={error} retry={reloadList} />
        ) : jobs === null ? (
          <p class="state" role="status">
            Loading jobs …
          </p>
        ) : (
          <JobList jobs={jobs} chosen={chosen} />
        )}
      </Card>
    </div>
  );
}
