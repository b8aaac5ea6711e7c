/**
 * Promises that connections never take the files that recording needs: how many may be open is reckoned from
 * what the system lets this process open.
 *
 * @module
 */

/**
 * Files that are kept for everything but connections and what they read: the files of the days that are recorded
 * and sealed, the gap ledger, the NATS session, workers, the metrics port, and a wide margin.
 */
export const RESERVED_FILES = 160;

/** Connections to the metrics port, which Fly, Prometheus and health checks ask; they are among {@linkcode RESERVED_FILES}. */
export const METRICS_CONNECTIONS = 32;

/** The files of a day that a reader has open: sealed gzip and index, gzip part, plain. */
const FILES_PER_READER = 4;

/** A connection is a socket, and may download a file as it lies, for which it needs no reader. */
const FILES_PER_CONNECTION = 2;

/** More connections than this are not taken by default, however many files may be open: each costs memory. */
export const CONNECTIONS_LIMIT = 1000;

/** More free files than this change nothing for the limit above; they are enough for some thousand connections. */
const FREE_FILES_WANTED = 10_000;

/**
 * How many files this process can open besides those that it has open: what `ulimit -n` leaves. It is tried out,
 * since the number itself lies in `/proc`, which Deno shows only to programs with every permission.
 *
 * @param path A file or directory that can be read; it is opened again and again, and closed.
 * @param most It is not tried beyond this many.
 * @throws {Error} If the file cannot be opened for another reason than the limit.
 */
export function countFreeFiles(path: string, most: number = FREE_FILES_WANTED): number {
  const files: Deno.FsFile[] = [];
  try {
    while (files.length < most) files.push(Deno.openSync(path, { read: true }));
  } catch (error) {
    if (!/EMFILE|too many open files/i.test(String(error))) throw error;
  } finally {
    for (const file of files) file.close();
  }
  return files.length;
}

/** What is to be known to choose how many connections there may be. */
export interface ConnectionsChoice {
  /** `MAX_CONNECTIONS`; null where it is not set. */
  asked: number | null;
  /** See {@linkcode countFreeFiles}. */
  freeFiles: number;
  /** How many readers there may be at once. */
  readers: number;
}

/**
 * How many connections the API may have open so that recording keeps its files. With 1,000 files free and 64
 * readers that is (1,000 − 160 − 64 × 4) / 2 = 292, unless fewer are asked for.
 *
 * @throws {RangeError} If more are asked for than that leaves, or none are left.
 */
export function chooseConnections({ asked, freeFiles, readers }: ConnectionsChoice): number {
  const most = Math.floor((freeFiles - RESERVED_FILES - readers * FILES_PER_READER) / FILES_PER_CONNECTION);
  if (most >= (asked ?? 1)) return asked ?? Math.min(most, CONNECTIONS_LIMIT);
  const wanted = asked === null ? "any connection" : `${asked} connections (MAX_CONNECTIONS)`;
  const mend = most < 1 ? "raise the limit" : `ask for ${most} or fewer, or raise the limit`;
  throw new RangeError(
    `Cannot allow ${wanted}: only ${freeFiles} more files can be opened; ${mend}, as with "ulimit -n 8192"`,
  );
}
