/**
 * The twelve published transfer tasks (Akhauri and Abdelfattah 2024, NASFLAT, arXiv 2403.02446): which platforms to
 * learn from and which to predict. N* are on NAS-Bench-201, F* on FBNet.
 *
 * All platforms of the publication are listed, also those that a copy of the data may lack.
 */

/** A row of a folder of published latencies. */
export interface PlatformName {
  /** Folder below the data folder, e.g. `help-nasbench201`. */
  readonly dataset: string;
  readonly id: string;
}

/** Platforms to learn from and platforms to predict. */
export interface PublishedTask {
  readonly name: string;
  readonly sources: readonly PlatformName[];
  readonly targets: readonly PlatformName[];
}

/** Ids in one line, all of one folder. */
const of = (dataset: string) => (ids: string) => ids.split(" ").map((id) => ({ dataset, id }));

const helpN = of("help-nasbench201");
const helpF = of("help-fbnet");
const latbench = of("latbench-nasbench201");

const edgeTpu = latbench("embedded-tpu-edge-tpu-int8");
const nano16 = latbench("embedded-gpu-jetson-nano-fp16");
const nano32 = latbench("embedded-gpu-jetson-nano-fp32");
const gpu675 = latbench("mobile-gpu-snapdragon-675-adreno-612-int8");
const gpu855 = latbench("mobile-gpu-snapdragon-855-adreno-640-int8");
const dsp675 = latbench("mobile-dsp-snapdragon-675-hexagon-685-int8");
const dsp855 = latbench("mobile-dsp-snapdragon-855-hexagon-690-int8");
const cpu855 = latbench("mobile-cpu-snapdragon-855-kryo-485-int8");
const desktopGpu = latbench("desktop-gpu-gtx-1080ti-fp32");
const desktopCpu = latbench("desktop-cpu-core-i7-7820x-fp32");

/** The tasks in the order of the publication's list. */
export const publishedTasks: readonly PublishedTask[] = [
  {
    name: "ND",
    sources: helpN(
      "1080ti_1 1080ti_32 1080ti_256 silver_4114 silver_4210r samsung_a50 pixel3 essential_ph_1 samsung_s7",
    ),
    targets: helpN("titan_rtx_256 gold_6226 fpga pixel2 raspi4 eyeriss"),
  },
  {
    name: "N1",
    sources: [edgeTpu, helpN("eyeriss"), gpu675, gpu855, helpN("pixel3")].flat(),
    targets: helpN("1080ti_1 titan_rtx_32 titanxp_1 2080ti_32 titan_rtx_1"),
  },
  {
    name: "N2",
    sources: helpN("1080ti_1 1080ti_32 titanx_32 titanxp_1 titanxp_32"),
    targets: [nano16, edgeTpu, dsp675, dsp855, helpN("pixel3")].flat(),
  },
  {
    name: "N3",
    sources: [desktopGpu, nano16, helpN("eyeriss"), dsp675, gpu855].flat(),
    targets: helpN("1080ti_1 2080ti_1 titanxp_1 2080ti_32 titanxp_32"),
  },
  {
    name: "N4",
    sources: [
      ...[desktopCpu, nano32, edgeTpu, helpN("eyeriss"), cpu855],
      ...[dsp675, dsp855, gpu675, gpu855, helpN("pixel2")],
    ].flat(),
    targets: helpN("1080ti_1 2080ti_1 titan_rtx_1"),
  },
  {
    name: "NA",
    sources: helpN(
      "titan_rtx_1 titan_rtx_32 titanxp_1 2080ti_1 titanx_1 1080ti_1 titanx_32 titanxp_32 2080ti_32 1080ti_32 gold_6226 samsung_s7 silver_4114 gold_6240 silver_4210r samsung_a50 pixel2",
    ),
    targets: [helpN("eyeriss"), desktopGpu, edgeTpu].flat(),
  },
  {
    name: "FD",
    sources: helpF(
      "1080ti_1 1080ti_32 1080ti_64 silver_4114 silver_4210r samsung_a50 pixel3 essential_ph_1 samsung_s7",
    ),
    targets: helpF("fpga raspi4 eyeriss"),
  },
  {
    name: "F1",
    sources: helpF("2080ti_1 essential_ph_1 silver_4114 titan_rtx_1 titan_rtx_32"),
    targets: helpF("eyeriss fpga raspi4 samsung_a50 samsung_s7"),
  },
  {
    name: "F2",
    sources: helpF("essential_ph_1 gold_6226 gold_6240 pixel3 raspi4"),
    targets: helpF("1080ti_1 1080ti_32 2080ti_32 titan_rtx_1 titanxp_1"),
  },
  {
    name: "F3",
    sources: helpF("essential_ph_1 pixel2 pixel3 raspi4 samsung_s7"),
    targets: helpF("1080ti_1 1080ti_32 2080ti_1 titan_rtx_1 titan_rtx_32"),
  },
  {
    name: "F4",
    sources: helpF(
      "1080ti_64 2080ti_1 eyeriss gold_6226 gold_6240 raspi4 samsung_s7 silver_4210r titan_rtx_1 titan_rtx_32",
    ),
    targets: helpF("1080ti_1 pixel2 essential_ph_1"),
  },
  {
    name: "FA",
    sources: ["1080ti", "2080ti", "titan_rtx", "titanx", "titanxp"].flatMap((gpu) =>
      helpF([1, 32, 64].map((batch) => `${gpu}_${batch}`).join(" ")),
    ),
    targets: helpF("gold_6226 essential_ph_1 samsung_s7 pixel2"),
  },
];
