/**
 * Promises the frame around every page: its head, its policy, where one is and how the recorder is. Whatever is
 * put in is escaped by the template, and no page holds a script or a style of its own.
 *
 * @module
 */

import type { Context } from "hono";
import { html } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { acceptsByName } from "../accept.ts";
import type { Parts } from "../parts.ts";

/** Markup. Made by the template of that name only, which escapes what is put in. */
export type Html = ReturnType<typeof html>;

/**
 * The policy of the pages. Scripts come from this host, may not make markup from text, and reach nobody else:
 * a line that looks like one would not run even if it got into the markup.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** Where one can go from every page. The last two are for programs, and can be read by people. */
const PLACES = [["/", "Days"], ["/tail", "Live tail"], ["/gaps", "Gaps"], ["/status", "Status"]] as const;

/** What a page is made of. */
export interface Page {
  /** Its title, without the program's name. */
  title: string;
  /** Which of the places at its top it is, if it is one of them. */
  here?: string;
  /** The address of the script that it needs, if it needs one. */
  script?: string;
  /** What it shows. */
  main: Html;
}

/** Whether the client asks for a page: it names HTML, which a terminal's `*` does not. */
export function wantsPage(c: Context): boolean {
  return acceptsByName(c.req.header("Accept"), "text/html");
}

/** Answers with a page. */
export async function answerPage(
  c: Context,
  parts: Parts,
  page: Page,
  status: ContentfulStatusCode = 200,
): Promise<Response> {
  const text = await layout(page, parts);
  c.header("Content-Type", "text/html; charset=utf-8");
  c.header("Content-Security-Policy", PAGE_POLICY);
  c.header("Cache-Control", "no-store");
  c.header("Vary", "Accept");
  return c.body(String(text), status);
}

function layout({ title, here, script, main }: Page, parts: Parts): Html {
  const { state, server } = parts.recorder.status();
  const { ready } = parts.recorder.readiness();
  return html`
    <!doctype html>
    <html lang="en">
      <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} – Flightlog</title>
    <link rel="icon" href="/assets/icon.svg">
    <link rel="stylesheet" href="/assets/page.css">
    ${script === undefined ? null : html`<script type="module" src="${script}"></script>`}
      </head>
      <body>
        <header>
          <a class="brand" href="/"><img src="/assets/icon.svg" alt="" width="18" height="18">Flightlog</a>
          <nav>${PLACES.map(([path, name]) =>
            html`<a href="${path}" aria-current="${path === here ? "page" : "false"}">${name}</a>`
          )}</nav>
          <p class="state ${ready ? "good" : "bad"}" title="${server}">${state}</p>
        </header>
        <main>
    ${main}
        </main>
      </body>
    </html>
  `;
}
