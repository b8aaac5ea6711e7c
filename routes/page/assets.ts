/**
 * Promises the files that the page is made of besides its markup, from this host and from nowhere else.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Context, Hono } from "hono";
import caseSource from "../../lib/filter/letter_case.js" with { type: "text" };
import ansiSource from "ansi-sequence-parser" with { type: "text" };
import styleSource from "./page.css" with { type: "text" };
import iconSource from "./icon.svg" with { type: "text" };
import lineSource from "./line.js" with { type: "text" };
import tailSource from "./tail.js" with { type: "text" };
import { refuseParameters } from "../query.ts";
import { addResource } from "../resource.ts";

const SCRIPT = "text/javascript; charset=utf-8";

/** A browser does not know packages by name: the script that it gets imports the package's own file. */
const tailScript = tailSource.replace('"ansi-sequence-parser"', '"./ansi.js"');

/** What lies in another directory here lies beside it there. */
const lineScript = lineSource.replace('"../../lib/filter/letter_case.js"', '"./letter_case.js"');

/** Each file's path, type and text. The scripts find each other by these names. */
const ASSETS: readonly (readonly [path: string, type: string, text: string])[] = [
  ["/assets/page.css", "text/css; charset=utf-8", styleSource],
  ["/assets/icon.svg", "image/svg+xml", iconSource],
  ["/assets/tail.js", SCRIPT, tailScript],
  ["/assets/line.js", SCRIPT, lineScript],
  ["/assets/letter_case.js", SCRIPT, caseSource],
  ["/assets/ansi.js", SCRIPT, ansiSource],
];

/** Adds the files' routes. A browser asks again each time, so that it never has half of a new version. */
export function addPageAssets(app: Hono): void {
  for (const [path, type, text] of ASSETS) {
    const etag = `"${createHash("sha256").update(text).digest("hex").slice(0, 16)}"`;
    addResource(app, path, (c) => answerAsset(c, { type, text, etag }));
  }
}

function answerAsset(c: Context, asset: { type: string; text: string; etag: string }): Response {
  refuseParameters(c.req.url);
  c.header("ETag", asset.etag);
  c.header("Cache-Control", "private, no-cache");
  if (c.req.header("If-None-Match") === asset.etag) return c.body(null, 304);
  return c.body(asset.text, 200, { "Content-Type": asset.type });
}
