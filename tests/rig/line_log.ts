/**
 * Promises that what a child process prints is read to its end, so that it never blocks on a full pipe, and
 * that a test can wait for a line instead of for a time.
 *
 * @module
 */

/** The newest lines that are kept; older ones are let go. */
export const LINES_LIMIT = 10_000;

/** How long a wait for a line lasts at most, unless said otherwise, in milliseconds. */
export const WAIT_LIMIT_MS = 120_000;

/** The lines of one or several streams, in the order of their arrival. */
export class LineLog {
  /** The newest {@linkcode LINES_LIMIT} lines so far, the oldest of them first. */
  readonly lines: string[] = [];
  /** How many lines have come in all. */
  count = 0;
  #ended = false;
  #waiting = new Set<() => void>();
  #reading: Promise<unknown>;
  #name: string;
  #onLine: ((line: string) => void) | undefined;

  /** `name` stands in errors; `onLine` is called with each line as it comes. */
  constructor(name: string, streams: ReadableStream<Uint8Array>[], onLine?: (line: string) => void) {
    this.#name = name;
    this.#onLine = onLine;
    this.#reading = Promise.all(streams.map((stream) => this.#read(stream))).finally(() => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Resolves when every stream has ended. */
  async ended(): Promise<void> {
    await this.#reading;
  }

  /**
   * The first line that `matches`, waiting for it; lines before number `from`, counted as in
   * {@linkcode LineLog.count}, are not looked at.
   *
   * @throws {Error} If the streams end without it, or `limitMs` pass.
   */
  async until(
    matches: (line: string) => boolean,
    what: string,
    from = 0,
    limitMs = WAIT_LIMIT_MS,
  ): Promise<string> {
    let late = false;
    let position = from;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, limitMs);
    try {
      while (true) {
        const first = this.count - this.lines.length;
        for (position = Math.max(position, first); position < this.count; position++) {
          const line = this.lines[position - first]!;
          if (matches(line)) return line;
        }
        if (late || this.#ended) {
          const reason = late ? `${limitMs} ms have passed` : "it has ended";
          throw new Error(
            `Cannot wait for ${what} from ${this.#name}: ${reason}\n${this.lines.slice(-20).join("\n")}`,
          );
        }
        await new Promise<void>((resolve) => this.#waiting.add(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (
      const text of stream.pipeThrough(
        new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>,
      )
    ) {
      const parts = (rest + text).split("\n");
      rest = parts.pop()!;
      for (const line of parts) this.#add(line);
      this.#wake();
    }
    if (rest !== "") this.#add(rest);
  }

  #add(line: string): void {
    this.lines.push(line);
    this.count++;
    if (this.lines.length > LINES_LIMIT) this.lines.shift();
    this.#onLine?.(line);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const resolve of waiting) resolve();
  }
}
