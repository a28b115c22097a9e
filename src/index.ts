/**
 * Samara as a library: networks as operator graphs, predictors that learn, adapt and predict, and their files.
 * Nothing here needs the hardware that is predicted; measuring is in `samara-latency/measure`.
 *
 * @packageDocumentation
 */
export * from "./errors.js";
export { type Numbers, type Scored, type Scores, scorePredictions } from "./evaluate/metrics.js";
export {
  type HeldOutPlatform,
  type HeldOutScores,
  type HoldOutOptions,
  holdOutFamilies,
} from "./evaluate/protocol.js";
export {
  createGraphBuilder,
  type FinishOptions,
  type GraphBuilder,
  type OperatorOptions,
} from "./graph/build.js";
export { type Cost, costOfGraph } from "./graph/cost.js";
export { featuresOfGraphs, type NamedGraph } from "./graph/feature-table.js";
export {
  type FeatureTable,
  type OperatorSignature,
  type RewriteSemantics,
  rewriteSemantics,
} from "./graph/features.js";
export type {
  AttributeValue,
  Constant,
  ConstantSource,
  DataType,
  Encoding,
  Operator,
  OperatorGraph,
  Shape,
  TensorInfo,
} from "./graph/graph.js";
export { defaultLimits, type ReadLimits, uploadLimits } from "./onnx/limits.js";
export { type ReadOptions as ReadOnnxOptions, readOnnx } from "./onnx/read.js";
export { writeOnnx } from "./onnx/write.js";
export type { CostView } from "./predict/cost-views.js";
export { type LatencyParts, latencyPartsOf, type OperatorPart } from "./predict/latency-parts.js";
export { type NetronAttachment, type NetronMetric, netronAttachment } from "./predict/netron.js";
export type {
  AdaptedPredictor,
  FitOptions,
  FittedPredictor,
  NextSamples,
  OnProgress,
  PlatformSamples,
  Predictions,
  Predictor,
  SavedPredictor,
  SavedTensor,
  TrainingPool,
} from "./predict/predictor.js";
export { createPredictor, predictorNames } from "./predict/registry.js";
export type { CounterReading, CounterSource } from "./record/counter.js";
export type { Descriptor, DescriptorRow } from "./record/descriptor.js";
export type { Context, Grade, Measurement, ProcessSummary } from "./record/measurement.js";
export type { Device, Platform, RuntimeInfo } from "./record/platform.js";
export type { ChainOptions } from "./space/chain/network.js";
export type { FbnetArchitecture } from "./space/fbnet/architecture.js";
export { featuresOfFbnet } from "./space/fbnet/features.js";
export { type FbnetForm, type FbnetOptions, networkFromFbnet } from "./space/fbnet/network.js";
export {
  archStringFromCell,
  type Cell,
  cellFromArchString,
  cellFromIndex,
  indexFromCell,
  nCells,
  networkId,
  type Operation,
  operations,
} from "./space/nasbench201/cell.js";
export { featuresOfCells } from "./space/nasbench201/features.js";
export { type NetworkOptions, networkFromCell, type Variant } from "./space/nasbench201/network.js";
export { type OfaArchitecture, type OfaBlock, ofaFromNumbers } from "./space/ofa/architecture.js";
export { featuresOfOfa } from "./space/ofa/features.js";
export { networkFromOfa } from "./space/ofa/network.js";
export {
  type Architecture,
  architectureFromText,
  type Dice,
  featuresOfArchitectures,
  type Space,
  spaces,
} from "./space/registry.js";
export type { AppendOnlyLog } from "./store/files.js";
export { type MedianOf, Pool, type Split } from "./store/pool.js";
export {
  type PredictorProvenance,
  readPredictor,
  type StoredPredictor,
  writePredictor,
} from "./store/predictors.js";
export type { StoredTensor } from "./store/safetensors.js";
export { writeTflite } from "./tflite/write.js";
