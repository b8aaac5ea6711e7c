/**
 * Promises which lines are left out on purpose: those of the recorder's own app, always, since a recorder
 * that records its own complaints feeds on itself; and those that the configuration names.
 *
 * @module
 */

import { subjectParts } from "../line/envelope.ts";
import type { FlyRecord } from "../line/fly_log.ts";
import { compileGlob, type Glob } from "./glob.ts";
import { APP, type LineScanner, MESSAGE } from "../line/scanner.ts";
import { Needle } from "./needle.ts";
import { FieldMatcher } from "./field_matcher.ts";

/** What the configuration says. Apps are globs; an empty list asks for nothing. */
export interface LineRulesSpec {
  /** The app that the recorder runs as; null where it has none. */
  ownApp: string | null;
  /** Lines of these apps are left out. */
  excludeApps: readonly string[];
  /** Where it is not empty, lines of all other apps are left out. */
  includeApps: readonly string[];
  /** Lines whose message contains one of these are left out. */
  excludeText: readonly string[];
}

/** Decides which lines are left out on purpose. */
export class LineRules {
  readonly #ownApp: string | null;
  readonly #exclude: readonly Glob[];
  readonly #include: readonly Glob[];
  readonly #texts: readonly string[];
  readonly #needles: readonly Needle[];
  readonly #appTest: FieldMatcher;

  /** Compiles the rules. */
  constructor(spec: LineRulesSpec) {
    this.#ownApp = spec.ownApp;
    this.#exclude = spec.excludeApps.map(compileGlob);
    this.#include = spec.includeApps.map(compileGlob);
    this.#texts = spec.excludeText;
    this.#needles = spec.excludeText.map((text) => new Needle(text));
    this.#appTest = new FieldMatcher((app) => this.leavesOutApp(app));
  }

  /** Whether the lines of an app are left out; undefined is a line that does not say whose it is. */
  leavesOutApp(app: string | undefined): boolean {
    if (app === undefined) return this.#include.length > 0;
    if (app === this.#ownApp) return true;
    if (this.#exclude.some((glob) => glob.matches(app))) return true;
    return this.#include.length > 0 && !this.#include.some((glob) => glob.matches(app));
  }

  /**
   * Whether a record is left out, which `scanner` has just recognised.
   * A record that does not name its app is of the app that its subject names.
   */
  leavesOut(record: Uint8Array, scanner: LineScanner, message: { readonly subject: string }): boolean {
    const { appStart, appEnd, escaped } = scanner;
    const app = appStart === appEnd
      ? this.leavesOutApp(subjectParts(message.subject).app)
      : this.#appTest.matchesBytes(record, appStart, appEnd, (escaped & APP) !== 0);
    if (app) return true;
    const { messageStart, messageEnd } = scanner;
    return this.#needles.some((needle) =>
      (escaped & MESSAGE) === 0
        ? needle.isInBytes(record, messageStart, messageEnd)
        : needle.isInEscaped(record, messageStart, messageEnd)
    );
  }

  /** As {@linkcode leavesOut}, of a record that had to be parsed. */
  leavesOutParsed(record: FlyRecord, message: { readonly subject: string }): boolean {
    const app = record.fly?.app?.name || subjectParts(message.subject).app;
    return this.leavesOutApp(app) || this.#texts.some((text) => record.message.includes(text));
  }
}
