/**
 * Promises the page of the live tail. What it shows, its script gets from the same address; without scripts it
 * says how a terminal does.
 *
 * @module
 */

import { html } from "hono/html";
import { filterForm } from "./form.ts";
import type { Page } from "./layout.ts";

/** The page for what `asked` has; `hint` is what to say about that, `command` does the same in a terminal. */
export function livePage(asked: URLSearchParams, hint: string | null, command: string): Page {
  const main = html`
        ${filterForm(asked)}
        ${hint === null ? null : html`<p class="facts">There may be nothing to wait for: ${hint}.</p>`}
        <noscript><div class="notice"><p>The live tail needs JavaScript here. In a terminal it does not:</p>
        <pre class="command">${command}</pre></div></noscript>
        <section aria-label="Live tail">
      <div class="tail-bar" id="tail-bar">
        <h1>Live tail</h1>
        <p class="state" id="state" role="status">not started</p>
        <p class="count" id="count"></p>
        <label class="check"><input type="checkbox" id="announce">Read aloud</label>
        <button id="clear" type="button">Clear</button>
        <button id="pause" type="button" class="primary" aria-pressed="false">Pause</button>
      </div>
      <div id="log" role="log" aria-live="off" aria-label="Lines">
        <ol class="lines" id="lines"></ol>
      </div>
      <button id="newest" class="primary" hidden>↓ Newest</button>
    </section>
  `;
  return { title: "Live tail", here: "/tail", script: "/assets/tail.js", main };
}
