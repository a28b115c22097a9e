/**
 * What others report on the same tasks, for the same tables.
 */

/** Spearman of other methods, by their names. */
export type PublishedSpearman = Readonly<Record<string, number>>;

/**
 * Mean over targets with 20 target samples, tested on all networks: table of Akhauri and Abdelfattah 2024 (NASFLAT,
 * arXiv 2403.02446), MultiPredict of the same authors 2023. The order of its columns is inferred from how hard the
 * tasks are.
 */
const transferTable: Readonly<Record<string, PublishedSpearman>> = Object.fromEntries(
  `ND .948 .930 .959
   NA .410 .820 .893
   N1 .604 .907 .967
   N2 .509 .757 .857
   N3 .729 .947 .962
   N4 .746 .952 .959
   FD .910 .960 .961
   FA .370 .450 .577
   F1 .793 .756 .809
   F2 .543 .567 .871
   F3 .413 .434 .814
   F4 .799 .763 .734`
    .split("\n")
    .map((line) => {
      const [task, help, multiPredict, nasflat] = line.trim().split(" ");
      const figures = {
        HELP: Number(help),
        MultiPredict: Number(multiPredict),
        NASFLAT: Number(nasflat),
      };
      return [task!, figures];
    }),
);

/**
 * Lee et al. 2021 (HELP, arXiv 2106.08630), tables of NAS-Bench-201 and FBNet, with its protocol. It reads 10 reference
 * and 10 further latencies of a target.
 */
const helpTable: Readonly<Record<string, PublishedSpearman>> = {
  ND: { HELP: 0.932, "BRP-NAS (900 samples)": 0.789, FLOPs: 0.787 },
  FD: { HELP: 0.91, MAML: 0.736, "Meta-SGD": 0.806 },
};

/** HELP's figure for each target of its own tables. */
export const helpTargets: Readonly<Record<string, PublishedSpearman>> = {
  ND: {
    titan_rtx_256: 0.987,
    gold_6226: 0.989,
    pixel2: 0.802,
    raspi4: 0.89,
    eyeriss: 0.94,
    fpga: 0.985,
  },
  FD: { raspi4: 0.887, eyeriss: 0.943, fpga: 0.892 },
};

/** Published figures of a task under a protocol; empty where there are none. */
export function publishedSpearman(task: string, protocol: "all" | "help"): PublishedSpearman {
  return (protocol === "all" ? transferTable : helpTable)[task] ?? {};
}

/** A latency constraint and what a search under it found. */
export interface PublishedSearch {
  readonly device: string;
  readonly constraintMs: number;
  /** Measured latency of the network that was found. */
  readonly obtainedMs: number;
  /** Its CIFAR-100 accuracy, %. */
  readonly accuracy: number;
}

/**
 * Latency-constrained search on NAS-Bench-201 among 500 candidates: table 4 of Lee et al. 2021 (HELP, arXiv 2106.08630),
 * with 10 samples of each device by its own account.
 */
export const helpSearches: readonly PublishedSearch[] = `titan_rtx_256 18 17.8 69.7
   titan_rtx_256 21 18.9 71.5
   titan_rtx_256 25 24.2 71.8
   gold_6226 8 8.0 67.3
   gold_6226 11 10.7 70.2
   gold_6226 14 14.3 72.1
   pixel2 14 13.0 69.7
   pixel2 18 19.0 71.8
   pixel2 22 25.0 73.2
   eyeriss 5 3.9 71.5
   eyeriss 7 5.1 71.8
   eyeriss 9 9.1 73.5
   fpga 4 3.8 70.2
   fpga 5 4.7 71.8
   fpga 6 7.4 73.5`
  .split("\n")
  .map((line) => {
    const [device, ...figures] = line.trim().split(" ");
    const [constraintMs, obtainedMs, accuracy] = figures.map(Number);
    return {
      device: device!,
      constraintMs: constraintMs!,
      obtainedMs: obtainedMs!,
      accuracy: accuracy!,
    };
  });
