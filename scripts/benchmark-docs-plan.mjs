// What docs/benchmarks.md is made of, as data: methods, numbers of samples, aims. `benchmark-docs.mjs` reads it.

/** Numbers of target samples of the learning curves. */
export const curveSamples = [3, 5, 10, 20, 50, 100];
export const trials = 10;
export const seed = 0;

/** Slow methods learn once a task. */
const slow = { trials: 3, oneSourceDraw: true };

/** Task of the methods that take minutes to learn. */
const few = ["ND"];
/**
 * Methods to compare with, each by its name in the registry.
 * `checks`: where a publication has a figure for the same task, protocol and number of samples, under which name.
 */
export const comparators = [
  { name: "flops-line", checks: [{ protocol: "help", samples: 20, as: "FLOPs" }] },
  { name: "operator-sum" },
  { name: "best-proxy" },
  { name: "gaussian-process" },
  { name: "maple", tasks: few, ...slow },
  { name: "maple-edge", tasks: few, ...slow },
  {
    name: "help",
    samples: [20],
    tasks: few,
    ...slow,
    checks: [
      { protocol: "all", samples: 20, as: "HELP" },
      { protocol: "help", samples: 20, as: "HELP" },
    ],
  },
  {
    name: "nasflat",
    samples: [20],
    tasks: few,
    ...slow,
    checks: [{ protocol: "all", samples: 20, as: "NASFLAT" }],
  },
  {
    name: "brp-nas",
    samples: [900],
    tasks: ["ND"],
    ...slow,
    checks: [{ protocol: "help", samples: 900, as: "BRP-NAS (900 samples)" }],
  },
];

/** Tasks that tell the ingredients apart. */
const telling = ["ND", "N2", "NA", "F2"];
/** The shipped predictor with something left out: name in the registry, and what is different. */
export const variants = [
  { name: "hypothesis-mixture/no-archetypes", label: "without kinds of machines", tasks: telling },
  { name: "hypothesis-mixture/no-single-sources", label: "without single sources", tasks: telling },
  {
    name: "hypothesis-mixture/no-parallel-branches",
    label: "without parallel branches",
    tasks: telling,
  },
  {
    name: "hypothesis-mixture/no-unread-no-merging",
    label: "without unread and merged operators",
    tasks: telling,
  },
  { name: "hypothesis-mixture/no-rewriting", label: "every operator runs", tasks: telling },
];

/** Tasks whose figures HELP reports with its own protocol. */
export const helpTasks = ["ND", "FD"];
/** A rebuild whose mean is further below the published figure than this does not count as one. */
export const rebuildTolerance = 0.03;

/** Spearman that we want at least, by number of samples: random samples, protocol `all`. */
export const spearmanAims = {
  10: {
    ...{ ND: 0.968, N1: 0.97, N2: 0.94, N3: 0.967, N4: 0.967, NA: 0.95 },
    ...{ FD: 0.965, F1: 0.85, F2: 0.93, F3: 0.92, F4: 0.8, FA: 0.65 },
  },
  20: {
    ...{ ND: 0.972, N1: 0.983, N2: 0.955, N3: 0.98, N4: 0.977, NA: 0.97 },
    ...{ FD: 0.97, F1: 0.87, F2: 0.945, F3: 0.94, F4: 0.81, FA: 0.7 },
  },
};
/** Other aims at 10 samples, mean over the targets of ND. */
export const otherAims = { helpSpearman: 0.95, withinTenPercent: 0.82, mapeConnected: 0.07 };
/** Coverage of 90 % intervals: mean over all targets within the band, no target below `least`. */
export const coverageAim = { band: [0.85, 0.95], least: 0.8 };
/** Median width of intervals over that of the noise alone. */
export const widthAim = 2;
/** A target is called weak when fewer of its networks than this are within ±10 % after 10 samples. */
export const weakBelow = 0.7;

/** Ids of LatBench are long. */
export const shortNames = {
  "embedded-tpu-edge-tpu-int8": "Edge TPU",
  "embedded-gpu-jetson-nano-fp16": "Jetson Nano fp16",
  "embedded-gpu-jetson-nano-fp32": "Jetson Nano fp32",
  "mobile-gpu-snapdragon-675-adreno-612-int8": "SD675 GPU",
  "mobile-gpu-snapdragon-855-adreno-640-int8": "SD855 GPU",
  "mobile-dsp-snapdragon-675-hexagon-685-int8": "SD675 DSP",
  "mobile-dsp-snapdragon-855-hexagon-690-int8": "SD855 DSP",
  "mobile-cpu-snapdragon-855-kryo-485-int8": "SD855 CPU",
  "desktop-gpu-gtx-1080ti-fp32": "LatBench 1080 Ti",
  "desktop-cpu-core-i7-7820x-fp32": "LatBench i7",
};
