/**
 * Promises to tell whether a path is there.
 *
 * @module
 */

/** What a path must be besides there. */
export interface ExistsOptions {
  /** Whether the user of this process may also read it. */
  isReadable?: boolean;
  /** Whether it must be a directory, or a symlink to one. Excludes {@linkcode ExistsOptions.isFile}. */
  isDirectory?: boolean;
  /** Whether it must be a file, or a symlink to one. Excludes {@linkcode ExistsOptions.isDirectory}. */
  isFile?: boolean;
}

/**
 * Tells whether `path` exists, symlinks followed, and is what `options` ask for. Not for asking before an
 * operation on the same path: do the operation, and look at its error. See https://jsr.io/@std/fs/doc/exists.
 *
 * @throws {TypeError} If `isDirectory` and `isFile` are both true.
 */
export async function exists(path: string | URL, options: ExistsOptions = {}): Promise<boolean> {
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) {
      // Behind a directory that may not be searched: the original takes it as there, but not as readable.
      const status = await Deno.permissions.query({ name: "read", path });
      if (status.state === "granted") return !options.isReadable;
    }
    throw error;
  }
  if (options.isDirectory && options.isFile) {
    throw new TypeError(
      "ExistsOptions.options.isDirectory and ExistsOptions.options.isFile must not be true together",
    );
  }
  if (options.isDirectory && !info.isDirectory) return false;
  if (options.isFile && !info.isFile) return false;
  return options.isReadable ? isReadable(info) : true;
}

// By the mode bits, as the original does, so that the answer is the same for the same file.
function isReadable(info: Deno.FileInfo): boolean {
  if (info.mode === null) return true;
  if (Deno.uid() === info.uid) return (info.mode & 0o400) !== 0;
  if (Deno.gid() === info.gid) return (info.mode & 0o040) !== 0;
  return (info.mode & 0o004) !== 0;
}
