/**
 * Charts as files of their own, SVG or PNG. PNG needs the optional package sharp, which is loaded here and nowhere else.
 */
import { join } from "node:path";
import { messageOf, UnsupportedError } from "../errors.js";
import { type Chart, renderChart } from "../evaluate/charts.js";
import { ensureFolder, writeFileAtomic } from "../store/files.js";

export const figureFormats = ["svg", "png"] as const;
export type FigureFormat = (typeof figureFormats)[number];

/** Pixels of a PNG for each of the drawing's. */
const pngScale = 2;
/** An SVG is drawn with a pixel a pixel at this density. */
const svgDensity = 72;
const figureWidth = 720;

type Rasterise = (svg: string) => Promise<Uint8Array>;

/** Draws SVG as PNG. @throws UnsupportedError without sharp, or without fonts, when text would be missing */
async function createRasteriser(): Promise<Rasterise> {
  let sharp: typeof import("sharp").default;
  try {
    sharp = (await import("sharp")).default;
  } catch (cause) {
    throw new UnsupportedError(
      `PNG figures need the optional package sharp, which cannot be loaded: ${messageOf(cause)}`,
      { hint: "install it with `npm install sharp`, or write --format svg", cause },
    );
  }
  const draw = (svg: string) => sharp(Buffer.from(svg), { density: svgDensity * pngScale });
  const letter = async (text: string) => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40" fill="#fff"/><text x="4" y="32" font-size="32" font-family="sans-serif">${text}</text></svg>`;
    return draw(svg).greyscale().raw().toBuffer();
  };
  // Without fonts every letter is nothing, or the same box.
  if ((await letter("W")).equals(await letter("i"))) {
    throw new UnsupportedError(
      "PNG figures need a font: none is installed, text would be missing",
      {
        hint: "install one (Debian: fonts-dejavu-core), or write --format svg",
      },
    );
  }
  return (svg) => draw(svg).png().toBuffer();
}

/**
 * Draw charts and write them into a folder, in light colours; nothing is written unless all could be drawn.
 *
 * @returns paths of the files
 * @throws UnsupportedError when PNGs cannot be drawn here; StorageError
 */
export async function writeFigures(
  charts: readonly Chart[],
  folder: string,
  format: FigureFormat,
): Promise<string[]> {
  const rasterise = format === "png" ? await createRasteriser() : undefined;
  const files: { path: string; content: string | Uint8Array }[] = [];
  for (const chart of charts) {
    const svg = renderChart(chart, { width: figureWidth, standalone: "paper" });
    files.push({
      path: join(folder, `${chart.id}.${format}`),
      content: rasterise ? await rasterise(svg) : `${svg}\n`,
    });
  }
  ensureFolder(folder);
  for (const { path, content } of files) writeFileAtomic(path, content);
  return files.map(({ path }) => path);
}
