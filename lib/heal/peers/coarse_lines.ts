/**
 * Promises that a line of Fly's logs API and the same line of the stream are known for one, though the former lacks decimals of
 * its time, or its instance.
 *
 * They are looked at only after all that agree by their full identities are taken away. What is left is compared at the precision
 * that both lines have: `10:00:00.123Z` from Fly is `10:00:00.123456789Z` of the stream, if app, instance and message agree. Two
 * lines of the stream never agree here, since both have all decimals and would have been taken away before.
 *
 * Example: a line was brought back here from Fly, as `10:00:00.123Z`. Another recorder has it from the stream, with nine decimals,
 * and a repeat of it one millisecond later. The first is known; the repeat is missing. The other way round, if the other
 * recorder has it from Fly and this one from the stream, nothing is missing here.
 *
 * Several of ours may agree with one of theirs. The one that knows most is taken first, and so they should be asked about in the
 * order of {@linkcode knowledgeOf}: what knows little can be taken by many.
 *
 * @module
 */

import {
  type Decimals,
  FULL_IDENTITY,
  type Identity,
  type IdentityForm,
  LineIdentifier,
} from "../../line/identity.ts";
import type { Timestamp } from "../../timestamp.ts";

/** A line, and what is known of it. */
export interface KnownLine {
  /** The line without its line feed. */
  bytes: Uint8Array;
  /** Its identity by all that can count. */
  key: Identity;
  /** Its own timestamp. */
  time: Timestamp;
  /** What it knows, if it lacks something; null if nothing. */
  form: IdentityForm | null;
}

interface HeldLine {
  key: Identity;
  withInstance: Identity;
  nanoseconds: number;
  form: IdentityForm;
}

/** So many nanoseconds are one unit of the last decimal. */
const UNIT_NANOSECONDS: Readonly<Record<Decimals, number>> = { 3: 1_000_000, 6: 1000, 9: 1 };

/** A number that is the larger, the more a line knows of itself. */
export function knowledgeOf(form: IdentityForm | null): number {
  const { decimals, hasInstance } = form ?? FULL_IDENTITY;
  return decimals + (hasInstance ? 10 : 0);
}

/** Lines of ours that no line of theirs is, by its full identity. */
export class CoarseLines {
  /** By what all lines know: the millisecond, the app and the message. */
  readonly #held = new Map<Identity, HeldLine[]>();
  readonly #least = new LineIdentifier({ decimals: 3, hasInstance: false });
  readonly #withInstance = new LineIdentifier({ decimals: 3, hasInstance: true });

  /** Adds one of ours; its bytes are not kept. */
  add(line: KnownLine): void {
    const { least, held } = this.#look(line);
    const others = this.#held.get(least);
    if (others === undefined) this.#held.set(least, [held]);
    else others.push(held);
  }

  /** Takes one of ours out that may be `line`, which is one of theirs, and returns its full identity; null if there is none. */
  take(line: KnownLine): Identity | null {
    const { least, held } = this.#look(line);
    const others = this.#held.get(least) ?? [];
    let best = -1;
    for (const [index, other] of others.entries()) {
      if (!agree(held, other)) continue;
      if (best === -1 || knowledgeOf(other.form) > knowledgeOf(others[best]!.form)) best = index;
    }
    return best === -1 ? null : others.splice(best, 1)[0]!.key;
  }

  #look({ bytes, key, time, form }: KnownLine): { least: Identity; held: HeldLine } {
    // It has an identity, or it would have no key.
    const least = this.#least.identify(bytes, 0, bytes.length)!;
    const withInstance = this.#withInstance.identify(bytes, 0, bytes.length)!;
    return { least, held: { key, withInstance, nanoseconds: time.nanoseconds, form: form ?? FULL_IDENTITY } };
  }
}

/** Whether two lines of one millisecond, app and message agree in all that both know. */
function agree(one: HeldLine, other: HeldLine): boolean {
  const unit = UNIT_NANOSECONDS[Math.min(one.form.decimals, other.form.decimals) as Decimals];
  if (Math.floor(one.nanoseconds / unit) !== Math.floor(other.nanoseconds / unit)) return false;
  return !one.form.hasInstance || !other.form.hasInstance || one.withInstance === other.withInstance;
}
