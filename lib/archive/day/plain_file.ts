/**
 * Promises a plain file that can be written, read back, and asked whether it is still the one at its path.
 *
 * @module
 */

/** What a look at an open file has found. */
export interface FileLook {
  /** Whether its path leads to it: nobody has removed it, renamed it or put something else in its place. */
  isInPlace: boolean;
  /** How long it is, in bytes. */
  size: number;
}

/** What a writer needs of a file. */
export interface PlainFile
  extends Pick<Deno.FsFile, "read" | "write" | "seek" | "truncate" | "syncData" | "close"> {
  /** Tells where the file is and how long. Moves to its end. */
  look(): Promise<FileLook>;
}

/** Opens a file for writing and for reading back; it is made if it is not there. */
export async function openPlainFile(path: string): Promise<PlainFile> {
  const file = await Deno.open(path, { read: true, write: true, create: true });
  try {
    const opened = await file.stat();
    return {
      read: (bytes) => file.read(bytes),
      write: (bytes) => file.write(bytes),
      seek: (offset, whence) => file.seek(offset, whence),
      truncate: (length) => file.truncate(length),
      syncData: () => file.syncData(),
      close: () => file.close(),
      look: async () => ({
        isInPlace: await isAt(path, opened),
        size: await file.seek(0, Deno.SeekMode.End),
      }),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

async function isAt(path: string, opened: Deno.FileInfo): Promise<boolean> {
  try {
    // Through a symbolic link: whoever keeps the file elsewhere finds it there.
    const there = await Deno.stat(path);
    return there.dev === opened.dev && there.ino === opened.ino;
  } catch {
    return false; // where the path cannot even be looked at, putting the file back there tells why
  }
}
