/**
 * Values between NCHW, in which sessions are spoken to, and NHWC, in which some runtimes compute. Copies, never within
 * a run.
 */

/** Copy NCHW values to NHWC (rank 4; other ranks as they are). */
export function copyToNhwc(nchw: Float32Array, nhwc: Float32Array, shape: readonly number[]): void {
  if (shape.length !== 4) {
    nhwc.set(nchw);
    return;
  }
  const [n, channels, height, width] = shape as [number, number, number, number];
  const pixels = height * width;
  for (let image = 0; image < n; image++) {
    const start = image * channels * pixels;
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < pixels; pixel++) {
        nhwc[start + pixel * channels + channel] = nchw[start + channel * pixels + pixel]!;
      }
    }
  }
}

/** Copy NHWC values to NCHW, whose shape is given (rank 4; other ranks as they are). */
export function copyToNchw(nhwc: Float32Array, nchw: Float32Array, shape: readonly number[]): void {
  if (shape.length !== 4) {
    nchw.set(nhwc);
    return;
  }
  const [n, channels, height, width] = shape as [number, number, number, number];
  copyToNhwc(nhwc, nchw, [n, height * width, channels, 1]);
}

/** NHWC shape as NCHW (rank 4; other ranks as they are). */
export function nchwShape(shape: readonly number[]): readonly number[] {
  const [n, height, width, channels] = shape;
  return shape.length === 4 ? [n!, channels!, height!, width!] : shape;
}
