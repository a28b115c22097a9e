/**
 * A child that ends with its parent, even while a native call keeps its event loop from noticing.
 */

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/**
 * Ask Linux to kill this process when its parent ends; elsewhere, and without koffi, nothing happens.
 *
 * @param parent - process number of the parent; one that is known from elsewhere may have ended already
 */
export async function dieWithParent(parent: number = process.ppid): Promise<void> {
  if (process.platform !== "linux") return;
  try {
    const koffi = (await import("koffi")).default;
    const prctl = koffi.load(null).func("int prctl(int, ...)");
    prctl(PR_SET_PDEATHSIG, "unsigned long", SIGKILL);
  } catch {
    return; // the disconnect event remains
  }
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}
