/**
 * What is known of a predictor's accuracy, as `samara predict --card` prints it.
 */

import { chooseAdapted, shippedPredictor } from "../catalogue/predictors.js";
import { type AccuracyCard, type PredictorProvenance, readPredictor } from "../store/predictors.js";
import { median } from "../tensor/stats.js";
import { formatShare } from "../units.js";
import type { Output } from "./output.js";

/** A predictor whose card is asked for. */
interface CardOwner {
  readonly folder: string;
  readonly method: string;
  readonly provenance: PredictorProvenance;
}

function heldOutLines({ nSamples, nTrials, seed, how, platforms }: AccuracyCard): string[] {
  // Two devices may have the same runtime.
  const width = Math.max(...platforms.map(({ platformId }) => platformId.length));
  const shares = platforms.map(({ withinTenPercent }) => withinTenPercent);
  const sorted = [...platforms].sort((a, b) => b.withinTenPercent - a.withinTenPercent);
  return [
    `  on unseen families   within ±10 %: median platform ${formatShare(median(shares))}, worst ${formatShare(Math.min(...shares))}`,
    `                       (${nSamples} samples, ${nTrials} trials, seed ${seed}; ${how})`,
    `    ${"platform".padEnd(width)}   ±10 %             MAPE     Spearman  cover 90 %`,
    ...sorted.map((row) => {
      const share = `${formatShare(row.withinTenPercent)} ± ${formatShare(row.withinTenPercentSd)}`;
      return [
        `    ${row.platformId.padEnd(width)}   ${share.padEnd(18)}`,
        formatShare(row.mape).padEnd(9),
        row.spearman.toFixed(3).padEnd(10),
        formatShare(row.coverage90),
      ].join("");
    }),
  ];
}

/** The card as text. */
export function cardText({ folder, method, provenance }: CardOwner): string {
  const { accuracy, card, platform } = provenance;
  const read = platform === null ? "pool latencies read" : "target latencies read";
  const lines = [
    `Predictor ${method} in ${folder}`,
    `  adapted to           ${platform?.id ?? "no platform"}`,
    `  ${read.padEnd(21)} ${provenance.nSamples}`,
    `  learned from         ${provenance.trainedFamilies.join(", ")} (pool ${provenance.poolHash})`,
    `  held out             ${provenance.heldOutFamilies.join(", ") || "nothing"}`,
  ];
  if (accuracy !== null) {
    lines.push(
      `  accuracy             within ±10 % ${formatShare(accuracy.withinTenPercent)}, MAPE ${formatShare(accuracy.mape)}, 90 % intervals cover ${formatShare(accuracy.coverage90)} (${accuracy.nTest} networks, ${accuracy.how})`,
    );
  } else if (card === undefined || platform !== null) {
    lines.push("  accuracy             not checked: run `samara onboard` or `samara evaluate`");
  }
  // An adapted predictor has inherited it; it is the general one's.
  return [...lines, ...(card === undefined || platform !== null ? [] : heldOutLines(card))].join(
    "\n",
  );
}

/**
 * Whose cards are asked for: the folder's predictor; without one, the predictor that predictions would come from, and
 * the general one that the package ships.
 *
 * @throws NotFoundError, FormatError when there is none
 */
export async function cardOwners(
  folder: string | undefined,
  platformName: string | undefined,
): Promise<CardOwner[]> {
  const ownerOf = (of: string): CardOwner => {
    const { saved, provenance } = readPredictor(of);
    return { folder: of, method: saved.method, provenance };
  };
  if (folder !== undefined) return [ownerOf(folder)];
  const chosen = await chooseAdapted(undefined, platformName);
  return [ownerOf(chosen.folder), ownerOf(shippedPredictor())];
}

/** Print cards: as text for people, else one result a predictor. */
export function emitCards(out: Output, settings: object, owners: readonly CardOwner[]): void {
  if (out.format === "table") {
    out.line(owners.map(cardText).join("\n\n"));
    return;
  }
  const results = owners.map(({ folder, method, provenance }) => ({
    predictor: folder,
    method,
    ...provenance,
  }));
  out.emit({ name: "predictor-card", context: { ...settings }, results, warnings: [] }, []);
}
