const FREE = 0;
const BUSY = 1;
const SHUT = 2;

/**
 * Keeps a thread from being terminated within a native call that would not survive it: onnxruntime-node
 * aborts the whole process when its thread is gone by the time a call comes back. Each side has a gate over
 * the same memory: the thread passes through it with every call, its owner shuts it before the thread's end.
 */
export class CallGuard {
  constructor(readonly state = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))) {}

  /** The thread's side: makes the call, or ends the thread where the gate was shut before or meanwhile. */
  pass<T>(call: () => T): T {
    if (Atomics.compareExchange(this.state, 0, FREE, BUSY) !== FREE) return process.exit();
    try {
      return call();
    } finally {
      if (Atomics.compareExchange(this.state, 0, BUSY, FREE) !== BUSY) process.exit();
    }
  }

  /** The owner's side. @returns whether the thread may be terminated; if not, it ends by itself after its call */
  shut(): boolean {
    return Atomics.exchange(this.state, 0, SHUT) !== BUSY;
  }
}
