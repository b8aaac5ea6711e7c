/**
 * Promises the other recorders that there are now: names may mean others than an hour ago, as after a deploy, and one that was
 * asked before is the same one, with what is remembered of it.
 *
 * @module
 */

import type { Clock } from "../../clock.ts";
import type { Config } from "../../config/config.ts";
import { Peer } from "./peer.ts";
import { peerAddresses, type ResolveName } from "./peer_addresses.ts";

/** A name is looked up within so many milliseconds, or used as it is. */
export const RESOLVE_TIMEOUT_MS = 10_000;

/** What a {@linkcode PeerList} is made with. */
export interface PeerListOptions {
  /** Whom to ask, with what, and which address is one's own. */
  config: Pick<Config, "peers" | "peerToken" | "privateAddress">;
  /** What all times go by. */
  clock: Clock;
  /** Looks up the addresses of a name. */
  resolve: ResolveName;
}

/** The other recorders. */
export class PeerList {
  readonly #options: PeerListOptions;
  /** Those there were when it was asked last. */
  #peers = new Map<string, Peer>();

  /** Nothing is looked up yet. */
  constructor(options: PeerListOptions) {
    this.#options = options;
  }

  /**
   * Those at the addresses that their names have now, in the order of the configuration.
   *
   * @throws The reason of `signal`, if it aborts.
   */
  async now(signal: AbortSignal): Promise<Peer[]> {
    const { config, clock, resolve } = this.#options;
    const own = config.privateAddress === null ? [] : [config.privateAddress];
    const peers = new Map<string, Peer>();
    for (const peer of config.peers) {
      const late = new AbortController();
      const cancel = clock.after(RESOLVE_TIMEOUT_MS, () => late.abort());
      const either = AbortSignal.any([signal, late.signal]);
      const inTime: ResolveName = (name, type) =>
        beforeAbort(resolve(name, type, { signal: either }), either);
      try {
        for (const url of await peerAddresses(peer, { own, resolve: inTime, signal })) {
          peers.set(url, this.#peers.get(url) ?? new Peer({ url, token: config.peerToken, clock }));
        }
      } finally {
        cancel();
      }
    }
    this.#peers = peers;
    return [...peers.values()];
  }
}

/** What `promise` resolves to, or a rejection with the reason of `signal` if that aborts before. */
export function beforeAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", onAbort));
}
