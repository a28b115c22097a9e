/**
 * A growing buffer of little-endian 32-bit words, for files that other languages read word by word.
 */
const utf8 = new TextEncoder();

/** Collects words. */
export class WordWriter {
  #view = new DataView(new ArrayBuffer(4096));
  #sizeBytes = 0;

  /** Make room and return where it begins. */
  #grow(sizeBytes: number): number {
    const start = this.#sizeBytes;
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > this.#view.byteLength) {
      const larger = new Uint8Array(Math.max(this.#sizeBytes, 2 * this.#view.byteLength));
      larger.set(new Uint8Array(this.#view.buffer));
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }

  /** Integers that fit 32 bits, signed or not. */
  integers(values: ArrayLike<number>): void {
    const start = this.#grow(4 * values.length);
    for (let i = 0; i < values.length; i++) this.#view.setInt32(start + 4 * i, values[i]!, true);
  }

  floats(values: ArrayLike<number>): void {
    const start = this.#grow(4 * values.length);
    for (let i = 0; i < values.length; i++) this.#view.setFloat32(start + 4 * i, values[i]!, true);
  }

  /** Length in bytes, then UTF-8, padded with zeros to whole words. */
  text(value: string): void {
    const encoded = utf8.encode(value);
    this.integers([encoded.length]);
    const start = this.#grow(4 * Math.ceil(encoded.length / 4));
    new Uint8Array(this.#view.buffer).set(encoded, start);
  }

  /** What was written; a copy. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer.slice(0, this.#sizeBytes));
  }
}
