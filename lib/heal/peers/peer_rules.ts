/**
 * Promises that of what another recorder has only that is wanted which would have been recorded here: not what is left out here,
 * and nothing that the subscription here does not get, whatever the other one subscribes to.
 *
 * Example: this recorder has `SUBJECT=logs.web.>`, the other one `logs.>`. Of its lines those of the app `web` are wanted. A line of
 * an archive does not say with which subject it came, but its app, its region and its instance are what Fly makes the subject of.
 * If it does not say one of them, it is wanted: it may be one of ours. A subscription that does not begin with `logs`, of a server of
 * one's own, chooses by something that lines do not say, so it leaves none out here.
 *
 * @module
 */

import { LineRules, type LineRulesSpec } from "../../filter/rules.ts";
import { subjectMatches } from "../../filter/subject.ts";
import type { FlyRecord } from "../../line/fly_log.ts";
import { APP, INSTANCE, type LineScanner, REGION } from "../../line/scanner.ts";

/** What is recorded here. */
export interface PeerRulesSpec extends LineRulesSpec {
  /** The subject that is subscribed to. */
  subject: string;
}

const PREFIX = "logs";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Decides which lines of another recorder are not wanted. */
export class PeerRules extends LineRules {
  /** What is subscribed to; null if that chooses nothing that lines say. */
  readonly #subject: string | null;

  /** Compiles the rules. */
  constructor(spec: PeerRulesSpec) {
    super(spec);
    const { subject } = spec;
    const first = subject.split(".", 1)[0]!;
    const isFlys = first === PREFIX || first === "*";
    const isAll = subjectMatches(subject, [PREFIX, null, null, null]);
    this.#subject = isFlys && !isAll ? subject : null;
  }

  /** As {@linkcode LineRules.leavesOut}, also for what is not subscribed to. */
  override leavesOut(
    record: Uint8Array,
    scanner: LineScanner,
    message: { readonly subject: string },
  ): boolean {
    if (super.leavesOut(record, scanner, message)) return true;
    if (this.#subject === null) return false;
    const { escaped, appStart, appEnd, regionStart, regionEnd, instanceStart, instanceEnd } = scanner;
    return this.#isElsewhere([
      textOf(record, appStart, appEnd, (escaped & APP) !== 0),
      textOf(record, regionStart, regionEnd, (escaped & REGION) !== 0),
      textOf(record, instanceStart, instanceEnd, (escaped & INSTANCE) !== 0),
    ]);
  }

  /** As {@linkcode LineRules.leavesOutParsed}, also for what is not subscribed to. */
  override leavesOutParsed(record: FlyRecord, message: { readonly subject: string }): boolean {
    if (super.leavesOutParsed(record, message)) return true;
    const { subject } = message;
    if (subject !== "") return this.#subject !== null && !subjectMatches(this.#subject, subject.split("."));
    const { fly } = record;
    return this.#isElsewhere([fly?.app?.name, fly?.region, fly?.app?.instance]);
  }

  /** Whether a line with this app, region and instance is not subscribed to; what is empty or undefined is not known. */
  #isElsewhere(origin: readonly (string | undefined)[]): boolean {
    if (this.#subject === null) return false;
    return !subjectMatches(this.#subject, [PREFIX, ...origin.map((part) => part || null)], true);
  }
}

/** The decoded string that is between two quotes of JSON; undefined if there is none. */
function textOf(bytes: Uint8Array, start: number, end: number, isEscaped: boolean): string | undefined {
  if (start < 0) return undefined;
  const text = decoder.decode(bytes.subarray(start, end));
  return isEscaped ? JSON.parse(`"${text}"`) : text;
}
