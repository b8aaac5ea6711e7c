/**
 * Promises that a server has no more connections open than it may, and that those that wait without asking
 * anything cannot keep out those that ask.
 *
 * @module
 */

import type { Socket } from "node:net";

/** The connections of one server. */
export class Connections {
  readonly #limit: number;
  readonly #open = new Set<Socket>();
  /** Those that wait for a request, the one that waits longest first. */
  readonly #idle = new Set<Socket>();
  #isClosing = false;

  /** There may be `limit` of them. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Takes a new one. Where there are too many, the one that has waited longest for a request is closed for it;
   * where all are being answered, the new one is closed. Tells whether there was room without that.
   */
  add(socket: Socket): boolean {
    const hasRoom = this.#open.size < this.#limit;
    if (!hasRoom) {
      const [oldest] = this.#idle;
      // Closing is told later than it is done, and many may come before that.
      this.#forget(oldest ?? socket);
      (oldest ?? socket).destroy();
      if (oldest === undefined) return false;
    }
    this.#open.add(socket);
    this.#idle.add(socket);
    socket.once("close", () => this.#forget(socket));
    return hasRoom;
  }

  /** It has asked something. */
  noteBusy(socket: Socket): void {
    this.#idle.delete(socket);
  }

  /** It has got its answer. */
  noteIdle(socket: Socket): void {
    if (!this.#open.has(socket)) return;
    if (this.#isClosing) socket.destroy(); // the system has all of its answer
    else this.#idle.add(socket);
  }

  /** Closes those that wait for a request at once, and each of the others when it has got its answer. */
  close(): void {
    this.#isClosing = true;
    for (const socket of this.#idle) socket.destroy();
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    this.#idle.delete(socket);
  }
}
