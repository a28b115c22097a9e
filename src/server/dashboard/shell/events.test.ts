import { describe, expect, test } from "vitest";
import { EventReader } from "./events.js";

describe("EventReader", () => {
  test("gives events when they are complete, wherever the text is cut", () => {
    const text =
      'retry: 2000\n\nid: 1\ndata: {"a":1}\n\n: heartbeat\n\ndata: {"a":"x: y"}\n\nid: 2\ndata: {"a":3}\n\n';
    const expected = [
      { id: 1, data: { a: 1 } },
      { id: null, data: { a: "x: y" } },
      { id: 2, data: { a: 3 } },
    ];
    for (const size of [1, 2, 7, 19, text.length]) {
      const reader = new EventReader<unknown>();
      const events = [];
      for (let i = 0; i < text.length; i += size) {
        events.push(...reader.take(text.slice(i, i + size)));
      }
      expect(events).toEqual(expected);
    }
  });

  test("keeps back what is not complete", () => {
    const reader = new EventReader<number>();
    expect(reader.take("id: 1\ndata: 5\n")).toEqual([]);
    expect(reader.take("\n")).toEqual([{ id: 1, data: 5 }]);
  });
});
