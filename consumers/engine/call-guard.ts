const FREE = 0;
const BUSY = 1;
const SHUT = 2;

/**
 * Prevents a thread from being terminated during a native call: onnxruntime-node aborts the whole process if its thread is
 * gone when a call returns. Both sides share the memory of the guard: the thread passes every call through it, and the
 * owner shuts it before terminating the thread.
 */
export class CallGuard {
  constructor(readonly state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))) {}

  /** Makes a call, on the thread's side, or exits the thread if the guard was shut before or during the call. */
  pass<T>(call: () => T): T {
    if (Atomics.compareExchange(this.state, 0, FREE, BUSY) !== FREE) return process.exit();
    try {
      return call();
    } finally {
      if (Atomics.compareExchange(this.state, 0, BUSY, FREE) !== BUSY) process.exit();
    }
  }

  /**
   * Shuts the guard, on the owner's side.
   * @returns true if the thread may be terminated; otherwise it exits after its call
   */
  shut(): boolean {
    return Atomics.exchange(this.state, 0, SHUT) !== BUSY;
  }
}
