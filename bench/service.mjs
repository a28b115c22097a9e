// Speed of the service, asked by a second process: single predictions, a million lines in one request, idle
// connections. `npm run bench -- service`; `--seconds 10`, `--lines 1000000`, `--idle 10000`.
import { connect } from "node:net";
import { availableParallelism, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import autocannon from "autocannon";
import { startService } from "../scripts/start-service.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    lines: { type: "string", default: "1000000" },
    idle: { type: "string", default: "10000" },
    connections: { type: "string", default: "16" },
  },
});
const service = await startService();
const { url } = service;
const predictions = new URL("/api/v1/predictions", url).href;

async function residentMb() {
  const text = await (await fetch(new URL("/metrics", url))).text();
  return Number(/^samara_process_resident_memory_bytes (\S+)/m.exec(text)[1]) / 2 ** 20;
}

const fbnet = () =>
  `fbnet/${Array.from({ length: 22 }, () => Math.floor(Math.random() * 9)).join("")}`;
const cell = () => String(Math.floor(Math.random() * 15625));

async function single(what, network) {
  const bodies = Array.from({ length: 500 }, () => JSON.stringify({ networks: [network()] }));
  const headers = { "content-type": "application/json" };
  const run = (duration) =>
    autocannon({
      url: predictions,
      connections: Number(values.connections),
      duration,
      requests: bodies.map((body) => ({ method: "POST", headers, body })),
    });
  await run(2);
  const { requests, latency, non2xx, errors } = await run(Number(values.seconds));
  console.log(
    `one network a request, ${what}: ${requests.average.toFixed(0)} requests/s, p50 ${latency.p50} ms, p99 ${latency.p99} ms, ${non2xx + errors} failed`,
  );
}

async function lines() {
  const nLines = Number(values.lines);
  let nSent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (nSent >= nLines) return controller.close();
      const n = Math.min(1000, nLines - nSent);
      nSent += n;
      const text = Array.from({ length: n }, () => `"${cell()}"\n`).join("");
      controller.enqueue(new TextEncoder().encode(text));
    },
  });
  const memory = [await residentMb()];
  const startedMs = performance.now();
  const response = await fetch(predictions, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body,
    duplex: "half",
  });
  let nAnswers = 0;
  let nextLook = nLines / 5;
  for await (const chunk of response.body) {
    for (const byte of chunk) if (byte === 10) nAnswers += 1;
    if (nAnswers < nextLook) continue;
    nextLook += nLines / 5;
    memory.push(await residentMb());
  }
  const seconds = (performance.now() - startedMs) / 1000;
  console.log(
    `${nAnswers.toLocaleString("en")} networks in one request: ${seconds.toFixed(1)} s, ${Math.round(nAnswers / seconds).toLocaleString("en")} a second; resident memory before and at each fifth: ${memory.map((mb) => mb.toFixed(0)).join(", ")} MB`,
  );
}

async function idle() {
  const { hostname, port } = new URL(url);
  const sockets = [];
  let nRefused = 0;
  for (let i = 0; i < Number(values.idle); i += 1) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    await new Promise((fulfil) => {
      socket.once("connect", fulfil);
      socket.once("error", () => {
        nRefused += 1;
        fulfil();
      });
    });
    sockets.push(socket);
  }
  const startedMs = performance.now();
  const { ok } = await fetch(new URL("/healthz", url));
  const durationMs = performance.now() - startedMs;
  const open = sockets.filter(({ destroyed }) => !destroyed).length;
  console.log(
    `${open} idle connections (${nRefused} refused by the system): answers ${ok ? "yes" : "no"}, in ${durationMs.toFixed(1)} ms, resident memory ${(await residentMb()).toFixed(0)} MB`,
  );
  for (const socket of sockets) socket.destroy();
}

try {
  console.log(
    `${cpus()[0].model}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(2)}, Node ${process.version}; the load comes from this process`,
  );
  await single("cells", cell);
  await single("FBNet", fbnet);
  await lines();
  await idle();
} finally {
  await service.stop();
}
