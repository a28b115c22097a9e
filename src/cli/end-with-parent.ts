/**
 * A command that a service started must not go on measuring when the service is gone, however that ended.
 *
 * `SAMARA_END_WITH_PARENT` holds the process number of the service. By the kernel where it can (Linux), else by the end
 * of standard input, which the service holds open.
 */

/** End this process with the one that started it, when that has asked for it. */
export async function endWithParent(): Promise<void> {
  const parent = Number(process.env.SAMARA_END_WITH_PARENT ?? "");
  if (!Number.isInteger(parent) || parent <= 0) return;
  const { dieWithParent } = await import("../platform/parent-death.js");
  process.stdin.on("error", () => {});
  process.stdin.once("end", () => process.kill(process.pid, "SIGKILL"));
  process.stdin.resume();
  // Waiting for the end must not keep a finished command alive.
  process.stdin.unref?.();
  await dieWithParent(parent);
}
