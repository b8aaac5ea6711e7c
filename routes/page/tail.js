/**
 * Promises the live tail in the browser: the lines of `/tail` as they come, the newest so many of them, as
 * text only. The filter is the address's own.
 *
 * @module
 */

import * as ansi from "ansi-sequence-parser";
import { viewLine } from "./line.js";

/** So many rows are on the page at most; the oldest make room. */
const ROWS_LIMIT = 2000;

/** So many wait at most while the page is paused or hidden; the oldest are let go, and it is said. */
const WAITING_LIMIT = 2000;

/** What is refused is tried again after this long, in milliseconds. */
const RETRY_MS = 5000;

/** A gap that no line comes after is shown after this long, in milliseconds. */
const PLACE_MS = 1000;

/** Nearer than this to its end, in CSS pixels, the page follows what is added there. */
const FOLLOW_PIXELS = 40;

const list = document.querySelector("#lines");
const log = document.querySelector("#log");
const state = document.querySelector("#state");
const count = document.querySelector("#count");
const pause = document.querySelector("#pause");
const newest = document.querySelector("#newest");
const announce = document.querySelector("#announce");

const asked = new URLSearchParams(location.search);
const highlights = asked.getAll("q");
const defaults = asked.has("tail") || asked.has("since") || asked.has("cursor") ? {} : { tail: "200" };

/** Rows that are not on the page yet. @type {HTMLLIElement[]} */
let waiting = [];
let letGo = 0;
let paused = false;
let following = true;
let scheduled = false;
let received = 0;
let lastDay = "";
let lastId = "";

/** Rows of the gaps that last, by their cause: there is one at a time of each. @type {Map<string, HTMLLIElement>} */
const openGaps = new Map();
/** Gaps that are over and wait for the line before which they belong. @type {{ until: string, row: HTMLLIElement }[]} */
let placedGaps = [];
/** How many lines wait for the disk. */
let held = 0;
/** The connection of this page. @type {EventSource} */
let source;

connect();

function connect() {
  const parameters = new URLSearchParams(asked);
  for (const [name, value] of Object.entries(defaults)) parameters.set(name, value);
  if (lastId !== "") {
    for (const name of ["tail", "since"]) parameters.delete(name);
    parameters.set("cursor", lastId.split(";", 1)[0]);
  }
  source = new EventSource(`/tail?${parameters}`);
  source.onopen = showState;
  source.onmessage = (event) => {
    lastId = event.lastEventId;
    received++;
    const row = lineRow(event);
    placeGaps(row.querySelector(".time").title);
    add(row);
  };
  source.addEventListener("gap", (event) => noteGap(JSON.parse(event.data)));
  source.addEventListener("healed", (event) => noteHealed(JSON.parse(event.data)));
  source.addEventListener("held", (event) => {
    add(markRow(heldWords(event.data)));
    held = JSON.parse(event.data).lines;
    showState();
  });
  source.addEventListener(
    "lagged",
    () => add(markRow("This page was too slow, and goes on from the archive")),
  );
  source.onerror = () => {
    // The browser itself tries again after a break; after a refusal it does not.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
    showState();
  };
}

/** Whether lines come: that this page is connected does not mean that anything is recorded. */
function showState() {
  const [words, isLive] = stateWords();
  state.textContent = words;
  state.className = `state ${isLive ? "good live" : "bad"}`;
}

/** @returns {[words: string, isLive: boolean]} */
function stateWords() {
  if (source.readyState === EventSource.CONNECTING) {
    return [lastId === "" ? "connecting" : "connection of this page lost, trying again", false];
  }
  if (source.readyState === EventSource.CLOSED) return ["refused, trying again", false];
  const [cause] = openGaps.keys();
  if (cause !== undefined) return [`nobody records: ${cause}`, false];
  if (held > 0) return ["lines wait for the disk", false];
  return ["live", true];
}

/**
 * Shows a gap that begins, lasts or is over. The same one is told again when this page connects anew, and when it
 * ends: its row stays where it is and says so.
 */
function noteGap(gap) {
  const shown = openGaps.get(gap.cause) ?? shownGap(gap);
  if (shown !== undefined) {
    describeGap(shown, gap);
    if (gap.until !== null) openGaps.delete(gap.cause);
  } else {
    const row = document.createElement("li");
    describeGap(row, gap);
    if (gap.until === null) {
      openGaps.set(gap.cause, row);
      add(row);
    } else {
      placedGaps.push({ until: gap.until, row });
      // The gap is placed before the next line, which may be long in coming: then it is shown after this time.
      setTimeout(() => placeGaps("9"), PLACE_MS);
    }
  }
  showState();
}

/**
 * Lines of a gap were brought back. They stand where they belong, which is above, so they do not come here: the row of the gap
 * says so, or, where it has none any more, one of its own.
 */
function noteHealed(gap) {
  const shown = shownGap(gap);
  if (shown !== undefined) return describeGap(shown, gap);
  const row = document.createElement("li");
  describeGap(row, gap);
  add(row);
}

/** Has a row tell of a gap. A healed one does not call for attention. */
function describeGap(row, gap) {
  row.className = `mark gap ${gap.state}`;
  row.textContent = gapWords(gap);
  row.dataset.gap = gap.cause;
  row.dataset.since = gap.since;
}

/** The row of a gap that is on the page already, if there is one. */
function shownGap({ cause, since }) {
  const isIt = (row) => row.dataset.gap === cause && row.dataset.since === since;
  return waiting.find(isIt) ?? [...list.querySelectorAll(".gap")].find(isIt) ??
    placedGaps.find(({ row }) => isIt(row))?.row;
}

/** Adds the gaps that were over at a time, RFC 3339 UTC to the millisecond at least. */
function placeGaps(time) {
  const millisecond = time.slice(0, "2026-11-22T10:00:00.000".length);
  for (const { until, row } of placedGaps) if (until.slice(0, millisecond.length) <= millisecond) add(row);
  placedGaps = placedGaps.filter(({ until }) => until.slice(0, millisecond.length) > millisecond);
}

/** A gap of the stream in words. It is of this server's making. */
function gapWords({ since, until, cause, state, healed, reason }) {
  if (cause === "before" && Date.parse(since) <= 0) return `Nothing was recorded before ${until}`;
  const from = sourcesWords(healed?.sources ?? []);
  if (state === "healed") {
    return `Gap healed: from ${since} to ${until} (${cause})${from}; the search has its lines`;
  }
  const why = reason === null ? "" : `; ${reason}`;
  return `Gap: lines may be missing from ${since} to ${until ?? "now"}: ${cause}, ${state}${from}${why}`;
}

/** Who has brought how many lines back, after a comma. */
function sourcesWords(sources) {
  return sources.filter(({ lines }) => lines > 0)
    .map(({ name, lines }) =>
      `, ${lines === 1 ? "1 line" : `${lines.toLocaleString("en-US")} lines`} from ${name}`
    ).join("");
}

/** Lines that wait for the disk, in words. It is JSON, and of this server's making. */
function heldWords(data) {
  const { since, lines, reason } = JSON.parse(data);
  if (lines === 0) return "The disk takes lines again: those that waited follow";
  const count = lines === 1 ? "1 line waits" : `${lines.toLocaleString("en-US")} lines wait`;
  return `Held since ${since}: ${count} for the disk and cannot be read yet: ${reason ?? "it is slow"}`;
}

function lineRow(event) {
  const view = viewLine(event.data, ansi, highlights);
  const row = document.createElement("li");
  row.className = `line ${view.className}`;
  if (view.day !== "") row.dataset.day = view.day;
  const time = part("a", "time", view.time);
  time.title = view.timestamp;
  const address = surroundings(event);
  if (address !== null) time.href = address;
  const app = part("span", "app", view.app);
  app.title = `${view.app} ${view.place}`;
  const message = part("span", "message", "");
  for (const { text, className } of view.pieces) {
    message.append(className === "" ? text : part("span", className, text));
  }
  if (view.hiddenLength > 0) message.append(part("span", "cut", `… ${view.hiddenLength} more characters`));
  const place = part("span", "place", view.place);
  const level = part("span", "level", view.level);
  for (const child of [time, app, place, level, message]) row.append(child, " ");
  return row;
}

/** Makes an element of text. What a line says comes into the page here and by `append`, both of which take text. */
function part(name, className, text) {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

function markRow(text, className = "mark") {
  return part("li", className, text);
}

/**
 * The address of what is around a line. An event's id is the place after the line, and the byte before that is
 * the line's own: it leads there even if its text does not tell its length, being damaged.
 */
function surroundings({ lastEventId }) {
  const match = /^(\d{4}-\d\d-\d\d):(\d{1,15})(\.\d{1,6})?(?=;|$)/.exec(lastEventId);
  if (match === null) return null;
  const [, day, end, edition = ""] = match;
  const place = `${day}:${Number(end) - 1}${edition}`;
  return `/?around=${place}#${place}`;
}

function add(row) {
  waiting.push(row);
  if (waiting.length > WAITING_LIMIT && waiting.shift().classList.contains("line")) letGo++;
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(show);
}

/** Puts what waits onto the page, once for each picture that the browser draws. */
function show() {
  scheduled = false;
  showCount();
  if (paused || waiting.length === 0) return;
  const left = letGo > 0 ? letGoRow() : null;
  const rows = [];
  for (const row of waiting) {
    const day = row.dataset.day ?? lastDay;
    if (day !== lastDay) rows.push(markRow(day, "day"));
    lastDay = day;
    rows.push(row);
  }
  waiting = [];
  letGo = 0;
  if (left !== null) rows.unshift(left);
  list.append(...rows);
  while (list.childElementCount > ROWS_LIMIT) list.firstElementChild.remove();
  if (following) scrollTo(0, document.documentElement.scrollHeight);
  else newest.hidden = false;
}

/**
 * The row that says how many lines are left out before those that wait. Of these the oldest go whose places it needs,
 * and the rows for their days: 2,000 lines of one day leave 1,998 beside it.
 */
function letGoRow() {
  const days = waiting.filter(({ dataset: { day } }, at) =>
    day !== (waiting[at - 1]?.dataset.day ?? lastDay)
  );
  for (const row of waiting.splice(0, waiting.length + 1 + days.length - ROWS_LIMIT)) {
    if (row.classList.contains("line")) letGo++;
  }
  const words = letGo === 1 ? "1 line is" : `${letGo.toLocaleString("en-US")} lines are`;
  return markRow(`${words} not shown here; the search has them`);
}

function showCount() {
  count.textContent = received === 1 ? "1 line" : `${received.toLocaleString("en-US")} lines`;
  pause.textContent = paused && waiting.length > 0
    ? `Resume (${waiting.length + letGo})`
    : paused
    ? "Resume"
    : "Pause";
}

pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  show();
});

document.querySelector("#clear").addEventListener("click", () => {
  list.replaceChildren();
  lastDay = "";
});

announce.addEventListener("change", () => {
  log.setAttribute("aria-live", announce.checked ? "polite" : "off");
});

newest.addEventListener("click", () => {
  following = true;
  newest.hidden = true;
  scrollTo(0, document.documentElement.scrollHeight);
});

addEventListener("scroll", () => {
  const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
  following = scrollHeight - clientHeight - scrollTop < FOLLOW_PIXELS;
  if (following) newest.hidden = true;
}, { passive: true });
