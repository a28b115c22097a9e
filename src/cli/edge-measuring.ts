/**
 * Measuring on a device by a benchmark tool, as `measure --device` does it: a campaign's platform that times models by
 * invocations of the tool.
 */

import type { DeviceFile } from "../edge/device-file.js";
import { takeDeviceContext } from "../edge/facts.js";
import { timeModel } from "../edge/time-model.js";
import { openDevice } from "../edge/transport.js";
import {
  InputError,
  messageOf,
  PlatformUnavailableError,
  SamaraError,
  StorageError,
} from "../errors.js";
import type { CampaignPlatform, OwnClockUnit } from "../measure/campaign.js";
import type { UnitOutcome } from "../measure/unit.js";

/** A device that is reached, until it is closed. */
export interface ReachedDevice {
  readonly platform: CampaignPlatform;
  close(): Promise<void>;
}

/** Errors that further networks would end with, too. */
const concernsAll = (error: unknown) =>
  error instanceof PlatformUnavailableError ||
  error instanceof InputError ||
  error instanceof StorageError ||
  !(error instanceof SamaraError);

/**
 * Reach a device and ask it about itself.
 *
 * @throws PlatformUnavailableError when it cannot be reached
 */
export async function reachDevice(device: DeviceFile): Promise<ReachedDevice> {
  const session = await openDevice(device);
  const context = await takeDeviceContext(session, device.platform.runtime.version);
  const timeModels = async (unit: OwnClockUnit): Promise<UnitOutcome> => {
    unit.onContext(context);
    const finished: string[] = [];
    const failures: { subjectId: string; reason: string }[] = [];
    for (const model of unit.models) {
      if (unit.signal?.aborted || unit.isLate()) break;
      try {
        unit.onLine(await timeModel(session, device, model, context.id));
        finished.push(model.id);
      } catch (error) {
        if (concernsAll(error)) throw error;
        failures.push({ subjectId: model.id, reason: messageOf(error) });
      }
    }
    return { finished, failures };
  };
  return {
    platform: {
      platform: device.platform,
      modelFormat: device.tool.modelFormat,
      timeModels,
    },
    close: () => session.close(),
  };
}
