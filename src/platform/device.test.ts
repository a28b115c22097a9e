import { describe, expect, test } from "vitest";
import { deviceSchema } from "../record/platform.js";
import { deviceIdFrom, readDevice } from "./device.js";

describe("deviceIdFrom()", () => {
  const cores = { nUsableCores: 4, nCores: 4 };

  test("names an x86 processor by model, family and model number", () => {
    const epyc = { cpuModel: "AMD EPYC", cpuFamily: "25", cpuModelNumber: "17" };
    expect(deviceIdFrom({ ...epyc, nUsableCores: 2, nCores: 2 })).toBe("amd-epyc-f25m17-2c");
    const xeon = {
      cpuModel: "Intel(R) Xeon(R) CPU @ 2.20GHz",
      cpuFamily: "6",
      cpuModelNumber: "79",
    };
    expect(deviceIdFrom({ ...xeon, ...cores })).toBe("intel-xeon-f6m79-4c");
    const ryzen = {
      cpuModel: "AMD Ryzen 7 PRO 5850U with Radeon Graphics",
      cpuFamily: "25",
      cpuModelNumber: "80",
    };
    expect(deviceIdFrom({ ...ryzen, ...cores })).toBe("amd-ryzen-7-pro-5850u-f25m80-4c");
  });

  test("names boards by the device tree", () => {
    const board = (boardModel: string) =>
      deviceIdFrom({
        cpuModel: "",
        cpuPart: "0xd08",
        cpuImplementer: "0x41",
        boardModel,
        ...cores,
      });
    expect(board("Raspberry Pi 4 Model B Rev 1.4")).toBe("rpi4b");
    expect(board("Raspberry Pi 3 Model B Plus Rev 1.3")).toBe("rpi3bplus");
    expect(board("Raspberry Pi Compute Module 4 Rev 1.0")).toBe("rpi-cm4");
    expect(board("NVIDIA Jetson Nano Developer Kit")).toBe("jetson-nano");
    expect(board("NVIDIA Jetson AGX Orin Developer Kit")).toBe("jetson-agx-orin");
  });

  test("shows that a board's cores are withheld", () => {
    const boardModel = "Raspberry Pi 4 Model B Rev 1.4";
    expect(deviceIdFrom({ cpuModel: "", boardModel, nUsableCores: 2, nCores: 4 })).toBe("rpi4b-2c");
  });

  test("names other Arm processors by their core", () => {
    const arm = { cpuModel: "", cpuImplementer: "0x41", ...cores };
    expect(deviceIdFrom({ ...arm, cpuPart: "0xd0c" })).toBe("neoverse-n1-4c");
    expect(deviceIdFrom({ ...arm, cpuPart: "0xfff" })).toBe("arm-0x41-0xfff-4c");
    expect(deviceIdFrom({ cpuModel: "Apple M2", ...cores })).toBe("apple-m2-4c");
  });
});

describe("readDevice()", () => {
  test("describes this machine as the record wants it", () => {
    expect(deviceSchema.parse(readDevice()).nCores).toBeGreaterThan(0);
  });
});
